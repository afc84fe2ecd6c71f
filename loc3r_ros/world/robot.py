# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The robot that carries the camera: its frames, its camera, and odometry that drifts."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import T_BODY_OPTICAL, Array, exp_so3, invert, pose

T_BASE_CAMERA: Array = pose(exp_so3([0.0, np.radians(8.0), 0.0]), [0.10, 0.0, 0.85])
"""`camera_link` (x forward) in `base_link`: on a mast, looking 8 degrees down."""

T_CAMERA_OPTICAL: Array = T_BODY_OPTICAL
"""`camera_color_optical_frame` in `camera_link`."""

FOCAL = 0.78
"""Focal length over image width: 65 degrees across, between common RGB-D cameras."""


def camera_of(width: int, height: int) -> PinholeCamera:
    """The robot's camera at an image size."""
    f = FOCAL * width
    return PinholeCamera(width, height, f, f, (width - 1) / 2, (height - 1) / 2)


def optical_poses(T_map_base: Array) -> Array:
    """(N, 4, 4) T_map_optical of base poses (N, 4, 4)."""
    return T_map_base @ T_BASE_CAMERA @ T_CAMERA_OPTICAL


class Odometry:
    """Wheel odometry: dead reckoning from `odom`, which starts at the robot's first pose.

    Each step's turn and length are measured with a deviation that grows with the motion, after the
    odometry motion model of Thrun, Burgard and Fox (Probabilistic Robotics, section 5.4), and with
    a constant scale error of wheel radius and wheel base.

    Args:
        rng: source of the noise.
    """

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._scale = 1.0 + 0.01 * rng.standard_normal(2)
        self._true: Array | None = None
        self._measured = np.eye(4)

    def update(self, T_map_base: Array) -> Array:
        """The measured T_odom_base after moving to a true pose."""
        if self._true is None:
            self._true = T_map_base
            return self._measured
        step = invert(self._true) @ T_map_base
        turn = float(np.arctan2(step[1, 0], step[0, 0]))
        way = float(np.linalg.norm(step[:2, 3]))
        noise = self._rng.standard_normal(2)
        length = self._scale[0] + 0.01 * noise[0]
        measured_turn = turn * self._scale[1] + (0.01 * abs(turn) + 0.005 * way) * noise[1]
        self._measured = self._measured @ pose(exp_so3([0, 0, measured_turn]), length * step[:3, 3])
        self._true = T_map_base
        return self._measured
