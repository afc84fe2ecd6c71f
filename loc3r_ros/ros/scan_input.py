# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Scans from another process: clouds joined with their poses by the stamp of the image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import isnan
from typing import Any

import numpy as np
from sensor_msgs.msg import PointCloud2
from sensor_msgs_py.point_cloud2 import read_points

from loc3r_ros.ingest.transforms import pose_matrix
from loc3r_ros.msg import PoseToken
from loc3r_ros.ros import qos
from loc3r_ros.ros.conversion import STATES, stamp_ns
from loc3r_ros.ros.watchdog import Watchdog
from loc3r_ros.types import Scan

_WAITING = 10
"""Messages that wait for their counterpart: they come from one node, moments apart."""


class ScanInput:
    """Subscribes to `points` and `pose_token` while its node is active.

    Args:
        stage: that subscribes.
        take: called with the stamp (ns) and the scan of each pair.
    """

    def __init__(self, stage: Any, take: Callable[[tuple[int, Scan]], None]) -> None:
        self._take = take
        self._clouds: OrderedDict[int, Any] = OrderedDict()
        self._tokens: OrderedDict[int, Any] = OrderedDict()
        self._watchdog = Watchdog(stage)
        for kind, name, waiting in (
            (PointCloud2, 'points', self._clouds),
            (PoseToken, 'pose_token', self._tokens),
        ):
            receive = self._receiver(name, waiting)
            subscription = stage.subscribe(kind, name, receive, qos.reliable(_WAITING))
            hint = 'is pose_encoder running, and in this namespace?'
            self._watchdog.watch(name, [subscription], hint=hint)

    def _receiver(self, name: str, waiting: OrderedDict[int, Any]) -> Callable[[Any], None]:
        def receive(message: Any) -> None:
            self._watchdog.fed(name)
            waiting[stamp_ns(message)] = message
            while len(waiting) > _WAITING:
                waiting.popitem(last=False)
            self._join(stamp_ns(message))

        return receive

    def _join(self, stamp: int) -> None:
        if stamp not in self._clouds or stamp not in self._tokens:
            return
        self._take((stamp, scan_of(self._clouds.pop(stamp), self._tokens.pop(stamp))))


def scan_of(cloud: Any, token: Any) -> Scan:
    """The scan of a sensor_msgs/PointCloud2 and the PoseToken of the same image."""
    points = read_points(cloud, field_names=['x', 'y', 'z'])
    height = float(token.floor_height)
    return Scan(
        stamp=stamp_ns(token) * 1e-9,
        epoch=int(token.epoch),
        T_map_camera=pose_matrix(token.pose.pose),
        points_camera=np.column_stack([points[axis].reshape(-1) for axis in 'xyz']),
        state=STATES[token.state],
        floor_height=None if isnan(height) else height,
    )
