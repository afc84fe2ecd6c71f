# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Kinds of clocks."""

from enum import IntEnum


class ClockType(IntEnum):
    """Wall time, time that only grows, or wall time that `/clock` may take over."""

    ROS_TIME = 1
    SYSTEM_TIME = 2
    STEADY_TIME = 3
