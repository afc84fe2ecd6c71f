# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The way so far, bounded in length."""

from __future__ import annotations

from typing import Any

from loc3r_ros.geometry import Array
from loc3r_ros.ros.conversion import messages


class PathHistory:
    """Poses for nav_msgs/Path; when there are too many every second one goes.

    Each is made a message once, and only where a path is published.

    Args:
        map_frame: of the poses.
        limit: poses kept at most.
    """

    def __init__(self, map_frame: str, limit: int) -> None:
        self._map_frame = map_frame
        self._limit = limit
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._poses: list[tuple[int, Array]] = []
        self._messages: list[Any] = []
        self._every = 1
        self._count = 0

    def add(self, stamp_ns: int, T_map_base: Array) -> None:
        """The next pose."""
        number, self._count = self._count, self._count + 1
        if number % self._every:
            return
        self._poses.append((stamp_ns, T_map_base))
        if len(self._poses) > self._limit:
            self._poses, self._messages = self._poses[::2], self._messages[::2]
            self._every *= 2

    def message(self, stamp_ns: int) -> Any:
        """The path as it is now."""
        make = messages()
        for stamp, T in self._poses[len(self._messages) :]:
            self._messages.append(make.pose_stamped(stamp, self._map_frame, T))
        return make.path(stamp_ns, self._map_frame, self._messages)
