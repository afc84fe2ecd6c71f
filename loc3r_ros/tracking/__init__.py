# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Pose from depth, features and the encoder's prior."""

from loc3r_ros.tracking.tracker import Tracker, TrackerConfig

__all__ = ['Tracker', 'TrackerConfig']
