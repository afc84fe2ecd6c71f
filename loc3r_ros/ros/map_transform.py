# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where the robot stands, as TF: `map -> odom`, or `map -> base` without odometry (REP 105)."""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic
from typing import Any

from tf2_msgs.msg import TFMessage

from loc3r_ros.geometry import Array, invert
from loc3r_ros.ros import qos
from loc3r_ros.ros.conversion import SteadyQuaternion, messages
from loc3r_ros.ros.tf import TfTree

_WAITING = 10


class MapTransform:
    """Publishes the transform that puts the robot into the map, with the stamp of the image.

    Where the robot publishes odometry it is corrected, at the image's stamp and without blocking:
    odometry that is a little late is waited for, and each message on `/tf` tries again. Where it
    does not, the top of the static tree that holds the base is placed, so that no frame gets a
    second parent.

    Args:
        stage: with the parameters `map_frame`, `odom_frame`, `publish_tf`, `tf_tolerance_s` and
            `tf_wait_s`; its publisher is made now.
        tf: the tree.
    """

    def __init__(self, stage: Any, tf: TfTree) -> None:
        self._stage = stage
        self._settings = stage.settings
        self._tf = tf
        self._publisher = stage.advertise(TFMessage, '/tf', qos.reliable(100))
        self._waiting: deque[tuple[int, Array, str, float]] = deque(maxlen=_WAITING)
        self._has_odometry = False
        self._odometry_may_come_until = monotonic() + self._settings['tf_wait_s']
        self._steady = SteadyQuaternion()
        self._last_ns = -1
        self._lock = Lock()
        self._has_told = False
        tf.listeners.append(self.retry)

    def send(self, stamp_ns: int, T_map_base: Array, base_frame: str) -> None:
        """Publish for an image, now or as soon as its odometry is there."""
        if not self._settings['publish_tf']:
            return
        odom_frame = self._settings['odom_frame']
        with self._lock:
            if not self._has_odometry:
                self._has_odometry = self._tf.lookup(odom_frame, base_frame) is not None
            if self._has_odometry:
                until = monotonic() + self._settings['tf_tolerance_s']
                self._waiting.append((stamp_ns, T_map_base, base_frame, until))
            elif monotonic() >= self._odometry_may_come_until:
                self._place(stamp_ns, T_map_base, base_frame)
        self.retry()

    def clear(self) -> None:
        """Forget what waits: a new epoch begins, and its stamps may be older."""
        with self._lock:
            self._waiting.clear()
            self._last_ns = -1

    def retry(self) -> None:
        """Publish what waited for odometry that is there now, in the order of the stamps."""
        with self._lock:
            while self._waiting:
                stamp_ns, T_map_base, base_frame, until = self._waiting[0]
                odom_frame = self._settings['odom_frame']
                T_odom_base = self._tf.lookup(odom_frame, base_frame, stamp_ns)
                if T_odom_base is None and monotonic() < until:
                    return
                self._waiting.popleft()
                if T_odom_base is not None:
                    self._correct(stamp_ns, odom_frame, T_map_base @ invert(T_odom_base))

    def _correct(self, stamp_ns: int, odom_frame: str, T_map_odom: Array) -> None:
        top, _ = self._tf.root(odom_frame)
        if top == odom_frame:
            self._publish(stamp_ns, odom_frame, T_map_odom)
        else:
            self._tell_of_parent(odom_frame, top)

    def _place(self, stamp_ns: int, T_map_base: Array, base_frame: str) -> None:
        top, T_top_base = self._tf.root(base_frame)
        if top != self._settings['map_frame']:
            self._publish(stamp_ns, top, T_map_base @ invert(T_top_base))
        else:
            self._tell_of_parent(base_frame, top)

    def _publish(self, stamp_ns: int, child: str, T_map_child: Array) -> None:
        if stamp_ns > self._last_ns:
            make = messages()
            transform = make.transform_stamped(
                stamp_ns, self._settings['map_frame'], child, T_map_child
            )
            self._steady.keep(transform.transform.rotation)
            self._publisher.publish(make.tf(transform))
            self._last_ns = stamp_ns

    def _tell_of_parent(self, child: str, top: str) -> None:
        """Another publisher does our work: a second parent would tear the tree."""
        if not self._has_told:
            self._has_told = True
            self._stage.get_logger().error(
                f'{child} has a parent already in /tf_static ({top} is above it), so nothing is '
                'published on /tf; stop that publisher, or set publish_tf:=false'
            )
