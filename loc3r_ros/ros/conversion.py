# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Our values as messages of rclpy, and the way back of the small ones.

Pixels and points are numpy views both ways (`images.py`, `messages.as_array`), so neither cv_bridge
nor an element-wise loop is needed for any encoding that is supported.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rosidl_runtime_py.utilities import get_message

from loc3r_ros.geometry import Array, pose
from loc3r_ros.ingest.transforms import transform_matrix
from loc3r_ros.messages import Messages, as_array
from loc3r_ros.msg import Status
from loc3r_ros.types import TrackingState

try:
    from tf_transformations import quaternion_matrix
except ImportError:  # not installed, or without the transforms3d that it needs
    quaternion_matrix = None

STATE_NUMBERS = {
    TrackingState.INITIALISING: Status.INITIALISING,
    TrackingState.TRACKING: Status.TRACKING,
    TrackingState.DEGRADED: Status.DEGRADED,
    TrackingState.LOST: Status.LOST,
}
"""Values of `Status.state` and `PoseToken.state`."""

STATES = {number: state for state, number in STATE_NUMBERS.items()}


@cache
def messages() -> Messages:
    """The message factory of every node."""
    return Messages(cache(get_message), as_array)


def stamp_ns(message: Any) -> int:
    """Stamp of a message's header, ns."""
    stamp = message.header.stamp
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def matrix_of(transform: Any) -> Array:
    """4x4 of a geometry_msgs/Transform that tf2 answered."""
    if quaternion_matrix is None:
        return transform_matrix(transform)
    t, q = transform.translation, transform.rotation
    return pose(quaternion_matrix((q.x, q.y, q.z, q.w))[:3, :3], (t.x, t.y, t.z))


class SteadyQuaternion:
    """Keeps the sign of a stream of quaternions: q and -q are one rotation, but not to a filter."""

    def __init__(self) -> None:
        self._last = (0.0, 0.0, 0.0, 1.0)

    def keep(self, q: Any) -> None:
        """Turn a geometry_msgs/Quaternion, in place, to the side of the one before."""
        now = (q.x, q.y, q.z, q.w)
        if sum(a * b for a, b in zip(self._last, now, strict=True)) < 0:
            now = (-q.x, -q.y, -q.z, -q.w)
            q.x, q.y, q.z, q.w = now
        self._last = now
