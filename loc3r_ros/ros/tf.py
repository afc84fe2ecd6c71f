# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The TF tree as a node sees it: static parts as a recording has them, moving parts by tf2."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from rclpy.time import Time
from tf2_msgs.msg import TFMessage
from tf2_ros import Buffer, TransformException

from loc3r_ros.geometry import Array
from loc3r_ros.ingest.mount import Mount
from loc3r_ros.ingest.transforms import StaticTransforms
from loc3r_ros.localizer import LOOPED_S
from loc3r_ros.ros import qos
from loc3r_ros.ros.conversion import matrix_of, stamp_ns

_DEPTH = 100


class TfTree:
    """Listens to `/tf` and `/tf_static`; no look-up blocks or raises.

    Static transforms are kept as `StaticTransforms`, so that a camera sits live where `loc3r run`
    sees it sit. The moving ones go to a tf2 buffer, which is emptied when time falls back: tf2
    itself would refuse all that follows (TF_OLD_DATA).

    Args:
        stage: that subscribes.

    Attributes:
        static: what is known of `/tf_static`.
        listeners: called by the executor after each message.
    """

    def __init__(self, stage: Any) -> None:
        self.static = StaticTransforms()
        self.listeners: list[Callable[[], None]] = []
        self._known: dict[tuple[str, str], Array | None] = {}
        self._latest: dict[tuple[str, str], Any] = {}
        self._newest: dict[str, int] = {}
        self._frames: set[str] = set()
        self._buffer = stage.own(Buffer(), self._close)
        stage.subscribe(TFMessage, '/tf', self._take, qos.reliable(_DEPTH))
        stage.subscribe(TFMessage, '/tf_static', self._take_static, qos.latched(_DEPTH))

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> Array | None:
        """T_target_source (4, 4), or None where it is not known.

        Args:
            target: frame to map to.
            source: frame to map from.
            stamp_ns: when, ns; by default the latest. Static transforms hold at any time.
        """
        T = self._fixed(target, source)
        if T is not None:
            return T
        ends = target.lstrip('/'), source.lstrip('/')
        if not self._frames.issuperset(ends):  # as tf2 would say by way of an exception
            return None
        time = Time() if stamp_ns is None else Time(nanoseconds=stamp_ns)
        try:
            found = self._buffer.lookup_transform(*ends, time)
        except TransformException:
            return None
        return matrix_of(found.transform)

    def mount(self, camera_frame: str, base_frame: str) -> Mount | None:
        """How the camera sits on the robot; None while no static TF tells."""
        mount = Mount.find(self.static, camera_frame, base_frame)
        return mount if mount.on_robot else None

    def root(self, frame: str) -> tuple[str, Array]:
        """The top of the static tree that holds a frame, and T_root_frame."""
        root = self.static.root(frame)
        T = self._fixed(root, frame)
        return root, np.eye(4) if T is None else T

    def clear(self) -> None:
        """Forget the moving transforms. From the executor's thread."""
        self._newest.clear()
        self._buffer.clear()

    def fall_back(self, stamp_ns: int) -> None:
        """Time fell back to this stamp; what is of the time before it is kept."""
        if max(self._newest.values(), default=0) - stamp_ns >= LOOPED_S * 1e9:
            self.clear()

    def _fixed(self, target: str, source: str) -> Array | None:
        """Of the static tree, walked once for each pair."""
        known, pair = self._known, (target, source)
        if pair not in known:
            known[pair] = self.static.lookup(target, source)
        return known[pair]

    def _take(self, message: Any) -> None:
        for transform in message.transforms:
            child, stamp = transform.child_frame_id, stamp_ns(transform)
            if self._newest.get(child, stamp) - stamp >= LOOPED_S * 1e9:
                self.clear()
            self._newest[child] = max(stamp, self._newest.get(child, stamp))
            self._buffer.set_transform(transform, 'default_authority')
            self._learn(transform)
        self._tell()

    def _take_static(self, message: Any) -> None:
        for transform in message.transforms:
            key = (transform.header.frame_id, transform.child_frame_id)
            self._latest[key] = transform
            self._buffer.set_transform_static(transform, 'default_authority')
            self._learn(transform)
        # Anew and in one step, because the worker may be looking something up.
        self.static = StaticTransforms([SimpleNamespace(transforms=list(self._latest.values()))])
        self._known = {}
        self._tell()

    def _learn(self, transform: Any) -> None:
        ends = transform.header.frame_id, transform.child_frame_id
        self._frames.update(end.lstrip('/') for end in ends)

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def _close(self) -> None:
        # A buffer of tf2_ros ties itself to a clock, which would keep it alive.
        handle = getattr(self._buffer, 'jump_handle', None)
        if handle is not None:
            handle.unregister()
