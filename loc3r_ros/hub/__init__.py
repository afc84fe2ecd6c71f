# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Published weights: which there are, under which licence, and how they get here."""
