# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Covariances of a tracked pose: from information, and how they grow when nothing is measured.

All are (6, 6) of (x, y, z, rotation about x, y, z), m and rad, about the camera's origin along the
axes of `map`, as ROS wants them. They are finite and never zero: filters read zero as certain.
"""

from __future__ import annotations

import numpy as np

from loc3r_ros.geometry import Array, rotation_angle

FLOOR = np.diag([0.005**2] * 3 + [np.radians(0.1) ** 2] * 3)
"""No depth camera knows better: 5 mm, 0.1 degree."""

LOST_COVARIANCE = np.diag([10.0**2] * 3 + [np.pi**2] * 3)
"""What is published while LOST: 10 m and half a turn."""

BLIND_SPEED, BLIND_TURN = 0.5, np.radians(45.0)
"""Unmeasured motion of a hand or a robot: one standard deviation after one second, m and rad."""

ENCODER_SHARE = 0.1
"""Error of the encoder's motion relative to its length, with 2 cm/s and 1 degree/s besides."""


def from_information(information: Array, T_map_camera: Array) -> Array:
    """Covariance along the axes of `map` from the information of the pose's right perturbation."""
    values, vectors = np.linalg.eigh(information)
    in_camera = (vectors / np.maximum(values, 1e-2)) @ vectors.T
    J = _to_map(T_map_camera)
    return J @ in_camera @ J.T + FLOOR


def to_information(covariance: Array, T_map_camera: Array) -> Array:
    """Information of the pose's right perturbation from its covariance along the axes of `map`."""
    J = _to_map(T_map_camera)
    return J.T @ np.linalg.inv(covariance) @ J


def _to_map(T_map_camera: Array) -> Array:
    """(rotation, translation) in the camera's axes to (translation, rotation) along the map's."""
    J = np.zeros((6, 6))
    J[:3, 3:] = J[3:, :3] = T_map_camera[:3, :3]
    return J


def sigma(covariance: Array) -> tuple[float, float]:
    """Largest standard deviations of position (m) and rotation (rad)."""
    position = np.linalg.eigvalsh(covariance[:3, :3])[-1]
    rotation = np.linalg.eigvalsh(covariance[3:, 3:])[-1]
    return float(np.sqrt(max(position, 0.0))), float(np.sqrt(max(rotation, 0.0)))


def blind_growth(dt: float) -> Array:
    """What dt seconds without any measurement add: the walk of a camera that nobody watches."""
    dt = max(dt, 0.0)
    return np.diag([BLIND_SPEED**2 * dt] * 3 + [BLIND_TURN**2 * dt] * 3)


def encoder_growth(motion: Array, dt: float) -> Array:
    """What a motion (4, 4) known from the encoder alone adds."""
    dt = max(dt, 0.0)
    shift = ENCODER_SHARE * float(np.linalg.norm(motion[:3, 3])) + 0.02 * dt
    turn = ENCODER_SHARE * rotation_angle(motion[:3, :3]) + np.radians(1.0) * dt
    return np.diag([shift**2] * 3 + [turn**2] * 3)
