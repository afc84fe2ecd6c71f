# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The default context, and what asks for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rclpy.context import Context

_default: list[Context] = []


def get_default_context(*, shutting_down: bool = False) -> Context:
    """The context that is meant where none is given; after a shutdown that is a new one."""
    if not _default:
        _default.append(Context())
    return _default.pop() if shutting_down else _default[0]


def ok(*, context: Context | None = None) -> bool:
    return (context or get_default_context()).ok()


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    """The words of a command line that are not for ROS."""
    kept, of_ros = [], False
    for word in sys.argv if args is None else args:
        if word == '--ros-args':
            of_ros = True
        elif of_ros and word == '--':
            of_ros = False
        elif not of_ros:
            kept.append(word)
    return kept
