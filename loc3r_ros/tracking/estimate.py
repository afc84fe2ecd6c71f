# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Pose of one view against another from feature matches: PnP, then joint refinement.

All poses here are `T_t_s`: they map the source view's optical frame to the target's. The tangent
is a right perturbation T exp(d), d = (rotation, translation), the order that small_gicp uses too,
so that information matrices of both kinds add.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from loc3r_ros.geometry import Array, invert, pose, transform
from loc3r_ros.tracking.features import Features, match

MIN_MATCHES = 12
"""Below this many agreeing matches a pose is not believed (chance agreements reach 8 to 10)."""

REPROJECTION_SIGMAS = 2.5

MATCH_CORRELATION = 20.0
"""Matches whose errors go together count as one: blur, shutter and calibration move them alike."""

DEPTH_NOISE = 0.0025
"""Depth error grows as this times z^2 (Khoshelham and Elberink, Sensors 2012), plus 3 mm."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A pose with its information.

    Attributes:
        T: (4, 4) T_t_s.
        information: (6, 6) of the right perturbation (rotation, translation), 1/rad^2 and 1/m^2.
        inliers: feature matches that agree.
        fitness: share of the source cloud that found its surface; NaN without registration.
    """

    T: Array
    information: Array
    inliers: int = 0
    fitness: float = float('nan')


@dataclass(frozen=True, eq=False)
class Matches:
    """Points of the target frame (N, 3) seen along rays (N, 2) of the source camera.

    `depth` (N,) is the source's own depth of each, NaN where there is none.
    """

    points: Array
    rays: Array
    depth: Array
    ray_sigma: float

    @staticmethod
    def between(source: Features, descriptors: NDArray, points: Array) -> Matches:
        """Match a source's features to descriptors (M, 128) of points (M, 3), NaN = no point."""
        s, t = match(source.descriptors, descriptors).T
        there = np.isfinite(points[t, 2])
        s, t = s[there], t[there]
        return Matches(points[t], source.rays[s], source.points[s, 2], source.ray_sigma)

    @staticmethod
    def join(parts: list[Matches]) -> Matches:
        return Matches(
            np.concatenate([p.points for p in parts]),
            np.concatenate([p.rays for p in parts]),
            np.concatenate([p.depth for p in parts]),
            parts[0].ray_sigma,
        )


def log_se3(T: Array) -> Array:
    """(rotation, translation) (..., 6) of small motions (..., 4, 4), uncoupled."""
    rotation = Rotation.from_matrix(T[..., :3, :3].reshape(-1, 3, 3)).as_rotvec()
    return np.concatenate([rotation.reshape(*T.shape[:-2], 3), T[..., :3, 3]], -1)


def boxplus(T: Array, d: Array) -> Array:
    """T exp(d) of poses (..., 4, 4) and small tangents (..., 6), uncoupled."""
    step = np.zeros_like(T)
    rotation = Rotation.from_rotvec(d[..., :3].reshape(-1, 3)).as_matrix()
    step[..., :3, :3] = rotation.reshape(*T.shape[:-2], 3, 3)
    step[..., :3, 3] = d[..., 3:]
    step[..., 3, 3] = 1.0
    return T @ step


def fuse(first: Estimate, second: Estimate) -> Estimate:
    """The information-weighted mean of two independent estimates of one pose."""
    d = log_se3(invert(first.T) @ second.T)
    information = first.information + second.information
    step = np.linalg.solve(information + 1e-6 * np.eye(6), second.information @ d)
    return Estimate(
        boxplus(first.T, np.asarray(step, np.float64)),
        information,
        max(first.inliers, second.inliers),
        float(np.fmax(first.fitness, second.fitness)),
    )


def solve_pnp(matches: Matches) -> Estimate | None:
    """Pose from matches alone, or None where too few agree.

    RANSAC over EPnP (deterministic: OpenCV seeds it by itself), then `refine`.
    """
    if len(matches.points) < MIN_MATCHES:
        return None
    ok, rotation, translation, inliers = cv2.solvePnPRansac(
        matches.points,
        matches.rays,
        np.eye(3),
        None,
        iterationsCount=300,
        reprojectionError=REPROJECTION_SIGMAS * matches.ray_sigma,
        flags=cv2.SOLVEPNP_EPNP,
    )
    if not ok or inliers is None or len(inliers) < MIN_MATCHES:
        return None
    T_s_t = pose(cv2.Rodrigues(rotation)[0], translation[:, 0])
    if not np.isfinite(T_s_t).all():
        return None
    return refine(matches, invert(T_s_t))


def refine(matches: Matches, T: Array, *, rounds: int = 8) -> Estimate | None:
    """Robust Gauss-Newton on reprojection and depth residuals from an initial T_t_s.

    Residuals are whitened by the pixel noise and by the depth noise, and weighted by the Cauchy
    kernel; the information is that of the matches within REPROJECTION_SIGMAS.
    """
    sigma_z = 0.003 + DEPTH_NOISE * matches.points[:, 2] ** 2
    for _ in range(rounds):
        r, J, seen = _residuals(matches, T, sigma_z)
        weight = np.where(seen, 1.0 / (1.0 + (r / 2.0) ** 2), 0.0)
        H = np.einsum('nki,nk,nkj->ij', J, weight, J)
        g = np.einsum('nki,nk,nk->i', J, weight, r)
        try:
            d = np.asarray(np.linalg.solve(H + 1e-9 * np.eye(6), -g), np.float64)
        except np.linalg.LinAlgError:
            return None
        T = boxplus(T, d)
        if np.abs(d).max() < 1e-6:
            break
    r, J, seen = _residuals(matches, T, sigma_z)
    good = seen[:, 0] & (np.hypot(r[:, 0], r[:, 1]) < REPROJECTION_SIGMAS)
    count = int(good.sum())
    if count < MIN_MATCHES or not np.isfinite(T).all():
        return None
    weight = np.where(good[:, None] & seen, 1.0 / (1.0 + (r / 2.0) ** 2), 0.0)
    information = np.einsum('nki,nk,nkj->ij', J, weight, J) / MATCH_CORRELATION
    return Estimate(T, information, count)


def _residuals(matches: Matches, T: Array, sigma_z: Array) -> tuple[Array, Array, NDArray]:
    """Whitened residuals (N, 3), their Jacobians (N, 3, 6) and which of them exist (N, 3)."""
    X = transform(invert(T), matches.points)
    z = X[:, 2]
    front = z > 1e-3
    z = np.where(front, z, 1.0)
    u, v = X[:, 0] / z, X[:, 1] / z
    s = matches.ray_sigma
    has_depth = np.isfinite(matches.depth)
    r = np.column_stack(
        [
            (u - matches.rays[:, 0]) / s,
            (v - matches.rays[:, 1]) / s,
            np.where(has_depth, z - matches.depth, 0.0) / sigma_z,
        ]
    )
    # T exp(d) moves the source point to X - d_t - d_w x X, to first order.
    dX = np.zeros((len(X), 3, 6))
    dX[:, 0, 1], dX[:, 0, 2] = -X[:, 2], X[:, 1]
    dX[:, 1, 0], dX[:, 1, 2] = X[:, 2], -X[:, 0]
    dX[:, 2, 0], dX[:, 2, 1] = -X[:, 1], X[:, 0]
    dX[:, 0, 3] = dX[:, 1, 4] = dX[:, 2, 5] = -1.0
    J = np.empty((len(X), 3, 6))
    J[:, 0] = (dX[:, 0] - u[:, None] * dX[:, 2]) / (z * s)[:, None]
    J[:, 1] = (dX[:, 1] - v[:, None] * dX[:, 2]) / (z * s)[:, None]
    J[:, 2] = dX[:, 2] / sigma_z[:, None]
    return r, J, np.column_stack([front, front, front & has_depth])
