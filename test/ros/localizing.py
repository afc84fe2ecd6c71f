# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A pose encoder under test, what it publishes, and what it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loc3r_ros.msg import PoseToken, Status
from rclpy.parameter import Parameter as RosParameter
from rclpy.qos import QoSProfile
from ros.box_camera import T_BASE_CAMERA, BoxCamera, shot, stamp_of
from ros.harness import LATCHED

from loc3r_ros.localizer import Localizer
from loc3r_ros.ros.conversion import stamp_ns
from loc3r_ros.ros.pose_encoder import PoseEncoder


def start_encoder(ros, folder: Path, **values: Any) -> PoseEncoder:
    """An active node with these parameters, spinning."""
    values = {'state_folder': str(folder / 'state'), 'tf_wait_s': 0.3, **values}
    overrides = [RosParameter(name, value=value) for name, value in values.items()]
    node = PoseEncoder(parameter_overrides=overrides)
    assert node.start()
    ros.spin(node)
    return node


class Watcher:
    """What the node publishes."""

    def __init__(self, ros) -> None:
        self._ros = ros
        self.tokens = ros.collect('/pose_token', PoseToken, 100, publishers=1)
        self.statuses = ros.collect(
            '/status', Status, QoSProfile(depth=100, durability=LATCHED.durability)
        )

    def sees(self, stamp: int, epoch: int | None = None) -> PoseToken:
        """Wait for the token of an image."""

        def found():
            tokens = [t for t in self.tokens if stamp_ns(t) == stamp]
            return [t for t in tokens if epoch in (None, t.epoch)]

        return self._ros.wait_for(found, what=f'token of {stamp}, epoch {epoch}')[-1]

    def walks(self, camera: BoxCamera, indices, **how) -> PoseToken:
        """Show frames one by one, each when the one before is done."""
        for index in indices:
            token = self.sees(camera.show(index, **how))
        return token

    def states(self) -> list[tuple[int, int]]:
        """(epoch, state) of each status, repetitions left out."""
        pairs = [(s.epoch, s.state) for s in self.statuses]
        return [p for k, p in enumerate(pairs) if k == 0 or p != pairs[k - 1]]


def by_stamp(received: list) -> dict:
    return {stamp_ns(message): message for message in received}


def offline(indices, T_base_camera=T_BASE_CAMERA) -> dict:
    localizer = Localizer(T_base_camera=T_base_camera)
    return {stamp_of(k): localizer.step(shot(k)) for k in indices}
