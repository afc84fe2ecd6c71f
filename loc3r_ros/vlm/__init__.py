# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Answers in words: what a spatial language model must offer, and the stand-in without one."""
