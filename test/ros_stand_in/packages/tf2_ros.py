# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The stand-in's tf2_ros, so far as the nodes use it: the buffer; see ros_stand_in."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.clock import Clock, JumpThreshold
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.time import Time
from scipy.spatial.transform import Rotation, Slerp

Matrix = Any


class TransformException(Exception):  # noqa: N818
    """A transform that the buffer cannot give."""


class LookupException(TransformException):
    """A frame that is not known at all."""


class ConnectivityException(TransformException):
    """Frames of two trees."""


class ExtrapolationException(TransformException):
    """A time that the buffer does not hold."""


class InvalidArgumentException(TransformException):
    """A name that is none."""


@dataclass
class _Cache:
    """The transforms of one child frame, oldest first."""

    is_static: bool
    stamps: list[int] = field(default_factory=list)
    entries: list[tuple[str, Matrix]] = field(default_factory=list)  # parent, T_parent_child

    def insert(self, stamp: int, parent: str, T: Matrix, cache_ns: int) -> bool:
        """Whether it is not too old."""
        if self.is_static:
            self.stamps, self.entries = [stamp], [(parent, T)]
            return True
        oldest = (self.stamps[-1] if self.stamps else stamp) - cache_ns
        forgotten = bisect.bisect_left(self.stamps, oldest)
        del self.stamps[:forgotten], self.entries[:forgotten]
        if stamp < oldest:
            return False
        index = bisect.bisect_right(self.stamps, stamp)
        self.stamps.insert(index, stamp)
        self.entries.insert(index, (parent, T))
        return True

    def at(self, stamp: int) -> tuple[str, Matrix]:
        """Parent and T_parent_child at a time (0 for the latest); ExtrapolationException."""
        if self.is_static or stamp == 0:
            return self.entries[-1]
        if not self.stamps[0] <= stamp <= self.stamps[-1]:
            into = 'past' if stamp < self.stamps[0] else 'future'
            raise ExtrapolationException(
                f'Lookup would require extrapolation into the {into}. Requested time {stamp} but '
                f'the data is from {self.stamps[0]} to {self.stamps[-1]}'
            )
        right = bisect.bisect_right(self.stamps, stamp)
        parent, T = self.entries[right - 1]
        if self.stamps[right - 1] == stamp:
            return parent, T
        next_parent, next_T = self.entries[right]
        if next_parent != parent:
            return parent, T
        span = self.stamps[right] - self.stamps[right - 1]
        return parent, _between(T, next_T, (stamp - self.stamps[right - 1]) / span)


def _between(A: Matrix, B: Matrix, ratio: float) -> Matrix:
    T = np.eye(4)
    T[:3, 3] = (1 - ratio) * A[:3, 3] + ratio * B[:3, 3]
    T[:3, :3] = Slerp([0, 1], Rotation.from_matrix([A[:3, :3], B[:3, :3]]))(ratio).as_matrix()
    return T


class Buffer:
    """Keeps transforms for `cache_time` (10 s) and joins them along the tree."""

    def __init__(self, cache_time: Duration | None = None) -> None:
        self._cache_ns = 10 * 10**9 if cache_time is None else cache_time.nanoseconds
        self._caches: dict[str, _Cache] = {}
        self._parents: set[str] = set()
        self._lock = RLock()
        backward = JumpThreshold(min_forward=None, min_backward=Duration(seconds=-1))
        self.jump_handle = Clock().create_jump_callback(
            backward, post_callback=lambda jump: self.clear()
        )

    def set_transform(self, transform: Any, authority: str) -> None:
        self._set(transform, is_static=False)

    def set_transform_static(self, transform: Any, authority: str) -> None:
        self._set(transform, is_static=True)

    def _set(self, transform: Any, is_static: bool) -> None:
        parent = transform.header.frame_id.lstrip('/')
        child = transform.child_frame_id.lstrip('/')
        t, q = transform.transform.translation, transform.transform.rotation
        position, rotation = np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w])
        logger = get_logger('tf2')
        if not parent or not child or parent == child:
            logger.error(f'Ignoring transform of {child!r} in {parent!r}')
            return
        if not np.isfinite(position).all() or not abs(rotation @ rotation - 1) < 0.01:
            logger.error(f'Ignoring transform of {child!r}: not a number, or not a rotation')
            return
        T = np.eye(4)
        T[:3, 3] = position
        T[:3, :3] = Rotation.from_quat(rotation).as_matrix()
        stamp = Time.from_msg(transform.header.stamp).nanoseconds
        with self._lock:
            cache = self._caches.get(child)
            if cache is None or cache.is_static != is_static:
                cache = self._caches[child] = _Cache(is_static)
            if cache.insert(stamp, parent, T, self._cache_ns):
                self._parents.add(parent)
            else:
                logger.warning(f'TF_OLD_DATA ignoring data from the past for frame {child}')

    def lookup_transform(self, target_frame: str, source_frame: str, time: Time) -> Any:
        """T_target_source as a message; at time 0 the latest that the whole way has."""
        T, stamp = self._lookup(target_frame, source_frame, time.nanoseconds)
        message = TransformStamped(child_frame_id=source_frame)
        message.header.frame_id = target_frame
        message.header.stamp = Time(nanoseconds=stamp).to_msg()
        t, q = message.transform.translation, message.transform.rotation
        t.x, t.y, t.z = T[:3, 3].tolist()
        q.x, q.y, q.z, q.w = Rotation.from_matrix(T[:3, :3]).as_quat().tolist()
        return message

    def _lookup(self, target: str, source: str, stamp: int) -> tuple[Matrix, int]:
        with self._lock:
            for frame in (target, source):
                if not frame or frame.startswith('/'):
                    raise InvalidArgumentException(f'no frame id can be {frame!r}')
                if frame not in self._caches and frame not in self._parents:
                    raise LookupException(f'frame {frame!r} does not exist')
            stamp = stamp or self._latest_common(target, source)
            T_up, T_down = self._to_root(source, stamp), self._to_root(target, stamp)
            for ancestor in T_up:
                if ancestor in T_down:
                    return np.linalg.inv(T_down[ancestor]) @ T_up[ancestor], stamp
            for frame in (*T_up, *T_down):  # an end of a branch where time is missing, not a tree
                if frame in self._caches:
                    self._caches[frame].at(stamp)
        raise ConnectivityException(f'{target!r} and {source!r} are not part of the same tree')

    def _to_root(self, frame: str, stamp: int) -> dict[str, Matrix]:
        """T_ancestor_frame of the frame itself and of all above it that have data at a time."""
        found = {frame: np.eye(4)}
        T = np.eye(4)
        while frame in self._caches:
            try:
                frame, T_step = self._caches[frame].at(stamp)
            except ExtrapolationException:
                break
            T = T_step @ T
            if frame in found:
                raise InvalidArgumentException(f'the tree contains a loop at {frame!r}')
            found[frame] = T
        return found

    def _latest_common(self, target: str, source: str) -> int:
        """The latest stamp that all moving transforms between two frames have; 0 for none."""
        ways = []
        for frame in (target, source):
            way = [frame]
            while way[-1] in self._caches and len(way) <= len(self._caches):
                way.append(self._caches[way[-1]].at(0)[0])
            ways.append(way)
        shared = set(ways[0]) & set(ways[1])
        steps = {frame for way in ways for frame in way if frame not in shared}
        moving = [self._caches[f] for f in steps if f in self._caches]
        return min((cache.stamps[-1] for cache in moving if not cache.is_static), default=0)

    def clear(self) -> None:
        """Forget what moves; static transforms stay, as nobody would send them again."""
        with self._lock:
            for child, cache in list(self._caches.items()):
                if not cache.is_static:
                    del self._caches[child]
