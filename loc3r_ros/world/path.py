# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What carries a camera through a scene."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from loc3r_ros.geometry import Array


class Path(Protocol):
    """A camera's way through a scene over time.

    Attributes:
        duration: s; after it the path goes on by retracing or repeating itself.
    """

    duration: float

    def camera_poses(self, t: ArrayLike) -> Array:
        """(N, 4, 4) T_map_optical at times (N,), s."""
        ...
