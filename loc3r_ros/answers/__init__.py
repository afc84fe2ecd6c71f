# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From a question to its answer: one way for a robot that drives and for its recording."""
