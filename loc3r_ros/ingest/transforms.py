# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The static part of the TF tree of a recording."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import invert, pose, rotation_from_quaternion

_log = logging.getLogger(__name__)


class StaticTransforms:
    """Rigid transforms between the frames of a robot, from `/tf_static` messages.

    Args:
        messages: tf2_msgs/TFMessage, in the order of recording; the last word on a pair counts,
            and one without a rotation is left out with a warning.
    """

    def __init__(self, messages: Iterable[Any] = ()) -> None:
        self._neighbours: dict[str, dict[str, NDArray[np.float64]]] = {}
        self._parents: dict[str, str] = {}
        for message in messages:
            for transform in message.transforms:
                parent, child = _bare(transform.header.frame_id), _bare(transform.child_frame_id)
                try:
                    T = transform_matrix(transform.transform)
                except ValueError as error:
                    _log.warning('static transform %s -> %s: %s', parent, child, error)
                    continue
                self._parents[child] = parent
                self._neighbours.setdefault(parent, {})[child] = T
                self._neighbours.setdefault(child, {})[parent] = invert(T)

    @property
    def frames(self) -> list[str]:
        """Every frame that is known, sorted."""
        return sorted(self._neighbours)

    def root(self, frame: str) -> str:
        """The frame at the top of the static tree that holds `frame`; itself where none does."""
        frame, seen = _bare(frame), {_bare(frame)}
        while (parent := self._parents.get(frame)) is not None and parent not in seen:
            frame = parent
            seen.add(parent)
        return frame

    def lookup(self, target: str, source: str) -> NDArray[np.float64] | None:
        """T_target_source (4, 4) along the tree, in either direction; None where no path leads."""
        target, source = _bare(target), _bare(source)
        if target == source:
            return np.eye(4)
        found = {target: np.eye(4)}
        queue = deque([target])
        while queue:
            frame = queue.popleft()
            for neighbour, T in self._neighbours.get(frame, {}).items():
                if neighbour not in found:
                    found[neighbour] = found[frame] @ T
                    queue.append(neighbour)
        return found.get(source)


def transform_matrix(transform: Any) -> NDArray[np.float64]:
    """4x4 of a geometry_msgs/Transform.

    Raises:
        ValueError: the quaternion is zero or not finite.
    """
    return _matrix(transform.translation, transform.rotation)


def pose_matrix(pose_message: Any) -> NDArray[np.float64]:
    """4x4 of a geometry_msgs/Pose.

    Raises:
        ValueError: the quaternion is zero or not finite.
    """
    return _matrix(pose_message.position, pose_message.orientation)


def _matrix(t: Any, q: Any) -> NDArray[np.float64]:
    return pose(rotation_from_quaternion((q.x, q.y, q.z, q.w)), (t.x, t.y, t.z))


def _bare(frame: str) -> str:
    return frame.lstrip('/')
