# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A run against its ground truth: trajectory errors by evo, and the map that true poses would give.

evo (Grupp, github.com/MichaelGrupp/evo) computes the errors; here the poses are only paired and
handed over. Definitions: Sturm et al., "A benchmark for the evaluation of RGB-D SLAM systems",
IROS 2012. The alignment is SE(3), never with scale: scale is part of what is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bag.trajectory import StampedPoses
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array, align_points, quaternion_from_rotation, transform
from loc3r_ros.ingest.frames import Sample
from loc3r_ros.ingest.transforms import StaticTransforms
from loc3r_ros.localizer import mapped_points
from loc3r_ros.mapping import BevConfig, BevMap
from loc3r_ros.mapping.agreement import compare
from loc3r_ros.types import OccupancyGrid

SLOP_S = 0.02
"""Greatest difference of the stamps of an estimated and a true pose."""

MIN_PAIRS = 3


@dataclass(frozen=True, eq=False)
class TrajectoryErrors:
    """How far a trajectory is from the truth.

    Attributes:
        figures: for summary.json; see `report.Summary`.
        T_map_truth: (4, 4) SE(3) alignment of the truth's frame to `map`.
        frames: (k,) which of the estimated poses have a true one.
        truth: (k, 4, 4) the true camera poses in `map`.
        error: (k,) distance of the positions, m.
    """

    figures: dict[str, float | str]
    T_map_truth: Array
    frames: NDArray[np.int64]
    truth: Array
    error: Array


def true_camera_poses(
    truth: StampedPoses, transforms: StaticTransforms, camera_frame: str
) -> StampedPoses:
    """The truth as poses of the camera, where its topic poses another frame of the robot.

    Raises:
        InputError: the posed frame is named but no static TF leads from it to the camera.
    """
    if not truth.child or truth.child == camera_frame:
        return truth
    T = transforms.lookup(truth.child, camera_frame)
    if T is None:
        raise InputError(
            f'the ground truth poses {truth.child}, and no static TF leads from it to the camera '
            f'{camera_frame}; record /tf_static, or give the truth of the camera'
        )
    return StampedPoses(truth.stamps_ns, truth.T @ T, truth.parent, camera_frame)


def trajectory_errors(
    stamps_ns: NDArray[np.int64], T_map_camera: Array, truth: StampedPoses
) -> TrajectoryErrors:
    """Errors of estimated poses (n, 4, 4) against the truth, after SE(3) alignment.

    Raises:
        InputError: fewer than three poses have a true one within SLOP_S, or evo is not installed.
    """
    frames, true = pair(stamps_ns, truth)
    if len(frames) < MIN_PAIRS:
        raise InputError(
            f'only {len(frames)} of {len(stamps_ns)} poses have ground truth within '
            f'{SLOP_S * 1e3:.0f} ms; does the topic cover the recording, on the same clock?'
        )
    estimated = T_map_camera[frames]
    T_map_truth = align_points(true[:, :3, 3], estimated[:, :3, 3])
    aligned = T_map_truth @ true
    figures = _evo_figures(stamps_ns[frames].astype(np.float64) * 1e-9, estimated, true)
    error = np.linalg.norm(aligned[:, :3, 3] - estimated[:, :3, 3], axis=1)
    return TrajectoryErrors(figures, T_map_truth, frames, aligned, error)


def pair(stamps_ns: NDArray[np.int64], truth: StampedPoses) -> tuple[NDArray[np.int64], Array]:
    """Frames (k,) that have a true pose within SLOP_S, and those poses (k, 4, 4)."""
    order = np.argsort(truth.stamps_ns, kind='stable')
    times = truth.stamps_ns[order]
    after = np.minimum(np.searchsorted(times, stamps_ns), len(times) - 1)
    before = np.maximum(after - 1, 0)
    earlier = np.abs(times[before] - stamps_ns) <= np.abs(times[after] - stamps_ns)
    nearest = np.where(earlier, before, after)
    frames = np.flatnonzero(np.abs(times[nearest] - stamps_ns) <= SLOP_S * 1e9)
    return frames, truth.T[order[nearest[frames]]]


def map_agreement(
    grid: OccupancyGrid,
    samples: Iterable[Sample],
    truth: TrajectoryErrors,
    stamps_ns: NDArray[np.int64],
    config: BevConfig,
) -> dict[str, float]:
    """Agreement of a map with the one that the true poses give from the same clouds.

    Args:
        grid: our map.
        samples: the recording once more.
        truth: of the run.
        stamps_ns: (n,) of the estimated poses that `truth.frames` counts in.
        config: settings of the map.

    Returns:
        `iou_occupied` with one cell of tolerance, and `false_free`; see `mapping.agreement`.
    """
    T_of = dict(zip((int(stamps_ns[i]) for i in truth.frames), truth.truth, strict=True))
    reference = BevMap(config, None)
    for sample in samples:
        T = T_of.get(sample.stamp_ns)
        points, _, _ = mapped_points(sample.frame)
        if T is not None and len(points):
            reference.integrate(transform(T, points), T[:3, 3])
    found = compare(grid, reference.grid(grid.stamp))
    return {'iou_occupied': found.iou_occupied, 'false_free': found.false_free}


def _evo_figures(stamps: Array, estimated: Array, true: Array) -> dict[str, float | str]:
    try:
        from evo.core import metrics
        from evo.core.trajectory import PoseTrajectory3D
    except ImportError as error:
        raise InputError(
            'trajectory errors need evo, which is not installed: pip install "evo>=1.28"'
        ) from error

    def trajectory(T: Array) -> PoseTrajectory3D:
        wxyz = np.array([np.roll(quaternion_from_rotation(R), 1) for R in T[:, :3, :3]])
        return PoseTrajectory3D(T[:, :3, 3], wxyz, stamps)

    reference, run = trajectory(true), trajectory(estimated)
    run.align(reference, correct_scale=False)
    relation = metrics.PoseRelation

    def rmse(metric: metrics.PE, kind: metrics.StatisticsType) -> float:
        metric.process_data((reference, run))
        return float(metric.get_statistic(kind))

    RMSE, MEAN = metrics.StatisticsType.rmse, metrics.StatisticsType.mean
    return {
        'ate_rmse_m': rmse(metrics.APE(relation.translation_part), RMSE),
        'ate_max_m': rmse(metrics.APE(relation.translation_part), metrics.StatisticsType.max),
        'rotation_error_mean_deg': rmse(metrics.APE(relation.rotation_angle_deg), MEAN),
        'rpe_rmse_m': rmse(metrics.RPE(relation.translation_part), RMSE),
        'rpe_rmse_deg': rmse(metrics.RPE(relation.rotation_angle_deg), RMSE),
        'rpe_delta': '1 frame',
    }
