# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A camera in the textured box that publishes as a driver does, or wrongly in one way."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from box_room import CAMERA, circle, frame_at
from ros.harness import LATCHED, Ros

from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.ros.conversion import messages
from loc3r_ros.types import Frame

OPTICAL = 'camera_optical'
START_NS = 1_600_000_000 * 10**9
PERIOD_NS = 10**8
T_BASE_CAMERA = pose(exp_so3([0, 0.35, 0]), [0.1, 0.0, 1.4]) @ T_BODY_OPTICAL


def stamp_of(index: int) -> int:
    return START_NS + index * PERIOD_NS


@cache
def shot(index: int) -> Frame:
    """Frame `index` of the walk around the room at 10 Hz."""
    return frame_at(circle()[index % 60], stamp_of(index) * 1e-9)


class BoxCamera:
    """Publishes frames of the walk.

    Args:
        ros: the test's side.
        namespace: of the topics.
    """

    def __init__(self, ros: Ros, namespace: str = '') -> None:
        self._ros = ros
        self._ns = namespace

    def show(
        self,
        index: int,
        *,
        stamp_ns: int | None = None,
        depth: bool = True,
        info: bool = True,
        covered: bool = False,
        **image_fields: Any,
    ) -> int:
        """Publish a frame of the walk, or black without a measurement; returns its stamp."""
        make, frame = messages(), shot(index)
        if covered and frame.depth is not None:
            frame = Frame(frame.stamp, 0 * frame.rgb, CAMERA, 0 * frame.depth)
        stamp = stamp_of(index) if stamp_ns is None else stamp_ns
        if info:
            self.put('camera_info', make.camera_info(stamp, OPTICAL, CAMERA))
        image = make.image(stamp, OPTICAL, frame.rgb)
        for name, value in image_fields.items():
            setattr(image, name, value)
        self.put('image', image)
        if depth and frame.depth is not None:
            self.put('depth_camera_info', make.camera_info(stamp, OPTICAL, CAMERA))
            self.put('depth', make.image(stamp, OPTICAL, frame.depth))
        return stamp

    def put(self, name: str, message: Any) -> None:
        """Publish on one of the camera's topics."""
        self._ros.publish(f'{self._ns}/{name}', message)

    def mount(self, T: np.ndarray = T_BASE_CAMERA, base: str = 'base_link') -> None:
        """Publish the static TF of the camera."""
        make = messages()
        message = make.tf(make.transform_stamped(0, base, OPTICAL, T))
        self._ros.publish('/tf_static', message, LATCHED)
