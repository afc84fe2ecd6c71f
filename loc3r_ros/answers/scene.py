# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the questions are about, as it is now: the newest pose, keyframe and map of one epoch."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from loc3r_ros.types import OccupancyGrid, TrackedPose

_AHEAD_NS = 10**9


@dataclass(frozen=True, eq=False)
class Sight:
    """Where the camera was at its newest image.

    Attributes:
        stamp_ns: stamp of the image, ns.
        epoch: id of the map's life.
        pose: where the camera is.
        keyframe_ns: stamp of the newest keyframe of the epoch, ns; None before the first.
    """

    stamp_ns: int
    epoch: int
    pose: TrackedPose
    keyframe_ns: int | None


class Scene:
    """Kept by the threads that receive, read by those that answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sight: Sight | None = None
        self._grid: OccupancyGrid | None = None
        self._began_ns: int | None = None

    @property
    def sight(self) -> Sight | None:
        """The newest, or None before the first image."""
        return self._sight

    @property
    def pose(self) -> TrackedPose | None:
        """The newest tracked pose."""
        sight = self._sight
        return None if sight is None else sight.pose

    @property
    def grid(self) -> OccupancyGrid | None:
        """The map of this epoch, or None before its first."""
        return self._grid

    def see(self, stamp_ns: int, epoch: int, pose: TrackedPose) -> bool:
        """Take in the pose of an image; true when an epoch began after another one."""
        with self._lock:
            before = self._sight
            is_new = before is not None and before.epoch != epoch
            if is_new:
                self._grid, self._began_ns = None, stamp_ns
            keyframe_ns: int | None = stamp_ns
            if pose.keyframe is None:
                keyframe_ns = None if before is None or is_new else before.keyframe_ns
            self._sight = Sight(stamp_ns, epoch, pose, keyframe_ns)
            return is_new

    def map(self, stamp_ns: int, grid: OccupancyGrid) -> None:
        """Take in a map, unless it is of an epoch that is over."""
        with self._lock:
            if self._began_ns is not None and self._sight is not None:
                # Late by less than this is on its way; a looped recording is ahead by much more.
                is_current = self._began_ns <= stamp_ns <= self._sight.stamp_ns + _AHEAD_NS
                if not is_current:
                    return
            self._grid = grid
