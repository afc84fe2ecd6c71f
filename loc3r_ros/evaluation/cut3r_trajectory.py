# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How well a pose encoder knows where it is and how far things are, on footage that is all true.

Trajectory errors after Sturm et al., "A benchmark for the evaluation of RGB-D SLAM systems", IROS
2012, aligned by SE(3), never with scale: scale is part of what is claimed, and told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from math import nan

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.cut3r.encoder import PoseEncoder
from loc3r_ros.cut3r.preprocess import plan_for
from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.bootstrap import Interval, bootstrap_interval
from loc3r_ros.geometry import Array, align_points, invert, rotation_angle
from loc3r_ros.types import Frame
from loc3r_ros.world.video import Footage

SHORTEST_PATH = 0.1
"""A camera that moved less, m, has no error by path length."""


@dataclass(frozen=True)
class SceneFigures:
    """One scene's footage.

    Attributes:
        scene: what it is known by.
        frames: how many.
        path_m: length of the true way.
        ate_m: root mean square distance of the places, after SE(3) alignment.
        still_m: the same of a camera that is thought to stand still: what knowing nothing gives.
        drift_m: distance at the last frame, where only the first camera is aligned.
        rpe_m, rpe_deg: root mean square error from one frame to the next.
        rotation_deg: mean error of the heading in the first camera's frame.
        scale: how much of the true way the estimate makes: 1 is right, 0.5 half as long, 0 still.
        abs_rel: mean of |depth - true| / true; NaN of an encoder without maps.
        error_m: (F,) distance at each frame, as of `drift_m`.
    """

    scene: Hashable
    frames: int
    path_m: float
    ate_m: float
    still_m: float
    drift_m: float
    rpe_m: float
    rpe_deg: float
    rotation_deg: float
    scale: float
    abs_rel: float
    error_m: tuple[float, ...]


@dataclass(frozen=True)
class Cut3rFigures:
    """Figures of many scenes."""

    scenes: tuple[SceneFigures, ...]

    def summary(self) -> dict[str, Interval]:
        """Means over the scenes with 95 % intervals; lengths by path are shares, not percent."""
        figures: dict[str, Callable[[SceneFigures], float]] = {
            'ATE / path': lambda s: _by_path(s, s.ate_m),
            'ATE / path, standing still': lambda s: _by_path(s, s.still_m),
            'drift / path': lambda s: _by_path(s, s.drift_m),
            'ATE m': lambda s: s.ate_m,
            'RPE m': lambda s: s.rpe_m,
            'RPE deg': lambda s: s.rpe_deg,
            'rotation deg': lambda s: s.rotation_deg,
            'scale error': lambda s: abs(s.scale - 1),
            'depth AbsRel': lambda s: s.abs_rel,
        }
        return {name: self._mean(figure) for name, figure in figures.items()}

    def _mean(self, figure: Callable[[SceneFigures], float]) -> Interval:
        values = np.array([figure(s) for s in self.scenes])
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            return Interval(nan, nan, nan)
        return bootstrap_interval(
            lambda rows: float(values[known[rows]].mean()), [self.scenes[i].scene for i in known]
        )


def evaluate_encoder(
    encoder: PoseEncoder, footage: Iterable[tuple[Hashable, Footage]]
) -> Cut3rFigures:
    """Figures of each scene's footage, from a fresh state each.

    Raises:
        InputError: there is none, or one of fewer than three frames.
    """
    scenes = tuple(evaluate_footage(encoder, scene, seen) for scene, seen in footage)
    if not scenes:
        raise InputError('no footage to evaluate on; give at least one scene')
    return Cut3rFigures(scenes)


def evaluate_footage(encoder: PoseEncoder, scene: Hashable, footage: Footage) -> SceneFigures:
    """Let the encoder see all frames from a fresh state, and compare.

    Raises:
        InputError: fewer than three frames.
    """
    encoder.reset()
    poses, depths = [], []
    for i, (time, rgb) in enumerate(zip(footage.times, footage.rgb, strict=True)):
        seen = encoder.observe(Frame(float(time), rgb, footage.camera))
        poses.append(seen.T_world_camera)
        if seen.points_camera is not None:
            true = _as_seen(footage.depth[i], rgb, encoder)
            depths.append(float(np.nanmean(np.abs(seen.points_camera[..., 2] - true) / true)))
    abs_rel = float(np.nanmean(depths)) if depths else nan
    return compare_poses(scene, np.stack(poses), footage.T_map_optical, abs_rel)


def compare_poses(scene: Hashable, estimated: Array, true: Array, abs_rel: float) -> SceneFigures:
    """Figures of camera poses (F, 4, 4), each in a frame of its own.

    Raises:
        InputError: fewer than three frames.
    """
    if len(true) < 3:
        raise InputError(f'scene {scene}: {len(true)} frames; a trajectory has at least three')
    true = invert(true[0]) @ true
    estimated = invert(estimated[0]) @ estimated
    places, found = true[:, :3, 3], estimated[:, :3, 3]
    T = align_points(found, places)
    aligned = found @ T[:3, :3].T + T[:3, 3]
    error = np.linalg.norm(found - places, axis=1)
    step = invert(_steps(true)) @ _steps(estimated)
    turned = np.degrees([rotation_angle(R) for R in step[:, :3, :3]])
    off = invert(true) @ estimated
    return SceneFigures(
        scene,
        len(true),
        float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum()),
        _rms(np.linalg.norm(aligned - places, axis=1)),
        _rms(np.linalg.norm(places - places.mean(0), axis=1)),
        float(error[-1]),
        _rms(np.linalg.norm(step[:, :3, 3], axis=1)),
        _rms(turned),
        float(np.degrees([rotation_angle(R) for R in off[:, :3, :3]]).mean()),
        _scale(aligned, places),
        abs_rel,
        tuple(error.tolist()),
    )


def _as_seen(
    depth: NDArray[np.float32], rgb: NDArray[np.uint8], encoder: PoseEncoder
) -> NDArray[np.float32]:
    """True depth at the pixels of the network's input."""
    plan = plan_for(rgb, encoder.config)
    resized = np.asarray(
        cv2.resize(depth, plan.resized, interpolation=cv2.INTER_NEAREST_EXACT), np.float32
    )
    return resized[plan.top : plan.top + plan.height, plan.left : plan.left + plan.width]


def _steps(T: Array) -> Array:
    return invert(T[:-1]) @ T[1:]


def _scale(aligned: Array, places: Array) -> float:
    """The factor that brings true places nearest to the aligned ones.

    The other way round (Umeyama 1991, eq. 42) it would be without bound where little was moved.
    """
    a, b = aligned - aligned.mean(0), places - places.mean(0)
    square = float((b * b).sum())
    return float((a * b).sum()) / square if square > 0 else nan


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _by_path(scene: SceneFigures, length: float) -> float:
    return length / scene.path_m if scene.path_m >= SHORTEST_PATH else nan
