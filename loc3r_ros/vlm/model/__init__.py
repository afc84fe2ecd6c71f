# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Loc3R-VLM: image tower, projectors, language model, heads and the objective they learn by."""
