# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Dense registration of depth clouds, by small_gicp (Koide, JOSS 2024; GICP: Segal, RSS 2009)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import small_gicp
from numpy.typing import NDArray
from scipy.linalg import eigh

from loc3r_ros.geometry import Array, hat, transform
from loc3r_ros.tracking.estimate import Estimate
from loc3r_ros.types import Frame

THREADS = 1
"""More threads add in another order each time, and replaying a bag must give the same numbers."""

NEIGHBOURS = 10
MIN_POINTS = 10 * NEIGHBOURS
"""Fewer points show no surface worth registering."""

MAX_POINTS = 4000
"""About as many as a wall that fills the image leaves; the time goes with them."""

VOXEL_SHARE = 0.016
"""Voxel edge over the median depth: sampling follows the noise and the distance of the scene."""

MIN_REACH, REACH_VOXELS = 0.1, 3.0
"""How far a point may lie from its surface: this, m, or this many voxels."""

PROBES = 200
CLOUD_WIDTH = 160
"""Columns of the depth image that are used; the voxels would merge more."""

ALONG = 2.0
"""Weight of a point along its surface. GICP gives it 500 across and 0.5 along it, and normals that
are off by 3 degrees add 1.4; taken for knowledge that would hold a camera that slides along a bare
wall."""

CORRELATION = 60.0
"""Points whose errors go together count as one (depth noise is smooth over the image)."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """A cloud ready for registration: sampled points, their surface covariances, a search tree.

    Attributes:
        points: (N, 3) float32, m, one per voxel.
        voxel: edge of the sampling voxels, m.
    """

    points: NDArray[np.float32]
    voxel: float
    prepared: small_gicp.PointCloud
    tree: small_gicp.KdTree

    @staticmethod
    def sample(points: NDArray, voxel: float) -> Cloud | None:
        """Sample and prepare points (N, 3); None where too few remain to show a surface."""
        if len(points) < MIN_POINTS:
            return None
        points = np.asarray(points, np.float64)
        sampled = small_gicp.voxelgrid_sampling(points, voxel, THREADS)
        if sampled.size() > MAX_POINTS:
            # Far surfaces behind a near one: the near one's fine voxels leave all their pixels.
            voxel *= float(np.sqrt(sampled.size() / MAX_POINTS))
            sampled = small_gicp.voxelgrid_sampling(points, voxel, THREADS)
        return Cloud.prepare(sampled.points()[:, :3].astype(np.float32), voxel)

    @staticmethod
    def prepare(points: NDArray[np.float32], voxel: float) -> Cloud | None:
        """Prepare points that are sampled already, such as those of a stored cloud."""
        if len(points) < MIN_POINTS:
            return None
        prepared = small_gicp.PointCloud(points.astype(np.float64))
        tree = small_gicp.KdTree(prepared, num_threads=THREADS)
        small_gicp.estimate_covariances(prepared, tree, NEIGHBOURS, THREADS)
        return Cloud(points, voxel, prepared, tree)


def frame_cloud(frame: Frame, *, max_depth: float) -> Cloud | None:
    """The cloud of a frame's depth image in the optical frame, or None without usable depth.

    Args:
        frame: with camera and depth.
        max_depth: farther points are left out, m; their noise grows with z^2.
    """
    if frame.depth is None or frame.camera is None:
        return None
    k = max(1, round(frame.depth.shape[1] / CLOUD_WIDTH))
    z = frame.depth[::k, ::k]
    good = np.isfinite(z) & (z > 0.0) & (z < max_depth)
    if np.count_nonzero(good) < MAX_POINTS:
        # Where depth is sparse no pixel can be spared.
        k, z = 1, frame.depth
        good = np.isfinite(z) & (z > 0.0) & (z < max_depth)
    z = z[good]
    if not len(z):
        return None
    points = np.column_stack([frame.camera.rays[::k, ::k][good] * z[:, None], z])
    return Cloud.sample(points, VOXEL_SHARE * float(np.median(z)))


def register(target: Cloud, source: Cloud, init: Array, *, least: float) -> Estimate | None:
    """Register source to target from an initial T_t_s.

    Args:
        target, source: prepared clouds.
        init: (4, 4) first guess.
        least: share of the source's points that must find their surface.

    Returns:
        The pose, with the information across surfaces alone; None where too few points match.
    """
    reach = max(MIN_REACH, REACH_VOXELS * source.voxel)
    if _share_near(target, source, init, reach) < 0.5 * least:
        # Clouds that hardly meet take a hundred times longer, and to no avail.
        return None
    result = small_gicp.align(
        target.prepared,
        source.prepared,
        target.tree,
        init,
        registration_type='GICP',
        max_correspondence_distance=reach,
        num_threads=THREADS,
        max_iterations=25,
    )
    if not np.isfinite(result.T_target_source).all():
        return None
    fitness = result.num_inliers / source.prepared.size()
    if fitness < least:
        return None
    variance = max(2.0 * result.error / result.num_inliers, 1e-4)
    information = _across_surfaces(result.H, fitness * _point_information(source.points))
    information /= variance * CORRELATION
    return Estimate(result.T_target_source, information, fitness=fitness)


def _share_near(target: Cloud, source: Cloud, T: Array, reach: float) -> float:
    """Share of some source points that have a target point within reach at a pose."""
    some = source.points[:: max(1, len(source.points) // PROBES)].astype(np.float64)
    _, squared = target.tree.batch_nearest_neighbor_search(transform(T, some), THREADS)
    return float((np.asarray(squared) < reach**2).mean())


def _across_surfaces(H: Array, unit: Array) -> Array:
    """What GICP's matrix H says across surfaces, less what it says along them.

    In the directions (generalised eigenvectors of H and `unit`) where the mean weight of a point is
    no more than ALONG, there is nothing but the weight along surfaces and the noise of the normals.
    """
    weights, directions = eigh(H, unit + 1e-9 * np.trace(unit) * np.eye(6))
    dual = np.linalg.inv(directions)
    return np.asarray((dual.T * np.clip(weights - ALONG, 0.0, None)) @ dual, np.float64)


def _point_information(points: NDArray) -> Array:
    """Sum of J^T J over points, J = [-hat(p), I]: what unit weights in all directions give."""
    p = points.astype(np.float64)
    n, total, moment = len(p), p.sum(0), p.T @ p
    H = np.zeros((6, 6))
    H[:3, :3] = np.trace(moment) * np.eye(3) - moment
    H[:3, 3:] = hat(total)
    H[3:, :3] = hat(total).T
    H[3:, 3:] = n * np.eye(3)
    return H
