# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Rigid motions and frame conventions, in numpy alone.

`T_a_b` is the 4x4 matrix that maps points in frame b to frame a. Quaternions are (x, y, z, w), as
in ROS messages. Optical frames are x right, y down, z forward; body and map frames are x forward,
y left, z up (REP 103). Poses are float64 whatever comes in.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

T_BODY_OPTICAL: Array = np.array(
    [[0.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)
"""Optical axes in a body frame at the same place: forward is z, left is -x, up is -y."""


def pose(rotation: ArrayLike, translation: ArrayLike) -> Array:
    """Join a 3x3 rotation and a translation (m) to a 4x4 pose."""
    T = np.eye(4)
    T[:3, :3] = rotation
    T[:3, 3] = translation
    return T


def invert(T: Array) -> Array:
    """Invert a rigid motion of shape (..., 4, 4)."""
    R_t = np.swapaxes(T[..., :3, :3], -1, -2)
    out = np.zeros_like(T, dtype=np.float64)
    out[..., :3, :3] = R_t
    out[..., :3, 3] = -(R_t @ T[..., :3, 3, None])[..., 0]
    out[..., 3, 3] = 1.0
    return out


def transform(T: Array, points: NDArray) -> NDArray:
    """Map points (..., 3) by a 4x4 pose; the dtype of the points is kept."""
    R = T[:3, :3].astype(points.dtype)
    return points @ R.T + T[:3, 3].astype(points.dtype)


def hat(v: ArrayLike) -> Array:
    """The 3x3 cross-product matrix of v."""
    x, y, z = np.asarray(v, dtype=np.float64)
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def exp_so3(w: ArrayLike) -> Array:
    """Rotation of a rotation vector (rad)."""
    w = np.asarray(w, dtype=np.float64)
    angle = float(np.linalg.norm(w))
    W = hat(w)
    if angle < 1e-8:
        return np.eye(3) + W + 0.5 * W @ W
    return np.eye(3) + np.sin(angle) / angle * W + (1.0 - np.cos(angle)) / angle**2 * W @ W


def log_so3(R: Array) -> Array:
    """Rotation vector (rad) of a rotation, by way of the quaternion, so that pi is safe."""
    x, y, z, w = quaternion_from_rotation(R)
    v = np.array([x, y, z])
    n = float(np.linalg.norm(v))
    if n < 1e-12:
        return 2.0 * v
    return v * (2.0 * np.arctan2(n, w) / n)


def rotation_angle(R: Array) -> float:
    """Angle (rad, 0..pi) of a rotation."""
    return float(np.linalg.norm(log_so3(R)))


def quaternion_from_rotation(R: Array) -> Array:
    """Unit quaternion (x, y, z, w), w >= 0, of a 3x3 rotation (Shepperd's method)."""
    # Plain numbers: each step here is far below what an array operation costs.
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(R, dtype=np.float64).tolist()
    four = (1.0 + a - e - i, 1.0 - a + e - i, 1.0 - a - e + i, 1.0 + a + e + i)
    k = four.index(max(four))
    q = (
        (four[0], b + d, c + g, h - f),
        (b + d, four[1], f + h, c - g),
        (c + g, f + h, four[2], d - b),
        (h - f, c - g, d - b, four[3]),
    )[k]
    n = sqrt(sum(v * v for v in q))
    return np.array(q) / (-n if q[3] < 0 else n)


def rotation_from_quaternion(q: ArrayLike) -> Array:
    """3x3 rotation of a quaternion (x, y, z, w); it is normalised first.

    Raises:
        ValueError: if the quaternion is zero or not finite.
    """
    q = np.asarray(q, dtype=np.float64)
    n = float(np.linalg.norm(q))
    if not np.isfinite(n) or n < 1e-9:
        raise ValueError(f'quaternion {q.tolist()} has no direction; expected unit (x, y, z, w)')
    x, y, z, w = q / n
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def align_points(source: Array, target: Array) -> Array:
    """Best rigid T_target_source (no scale) of points (N, 3): Umeyama, TPAMI 1991, eq. 40-42."""
    mu_s, mu_t = source.mean(0), target.mean(0)
    U, _, Vt = np.linalg.svd((target - mu_t).T @ (source - mu_s))
    R = U @ np.diag([1.0, 1.0, np.sign(np.linalg.det(U @ Vt))]) @ Vt
    return pose(R, mu_t - R @ mu_s)
