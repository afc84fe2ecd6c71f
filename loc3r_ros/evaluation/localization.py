# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Localization from words: errors, the published accuracies, chance, and SQA3D's poses.

Metric: SQA3D (Ma et al., arXiv 2210.07474). Position is compared in the floor plane and heading
about z; either counts by itself, and a threshold must be undercut, not met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, pi, radians

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array, pose, rotation_from_quaternion

DISTANCES_M = (0.5, 1.0)
ANGLES_DEG = (15.0, 30.0)

_FACING = np.diag([-1.0, -1.0, 1.0])
"""Half a turn about z: at the identity, an agent of SQA3D looks along -x."""


@dataclass(frozen=True, eq=False)
class LocalizationErrors:
    """Errors of N situations; infinite where no guess was made.

    Attributes:
        distance: (N,) float64, m, in the floor plane.
        angle: (N,) float64, rad, in [0, pi].
    """

    distance: Array
    angle: Array


@dataclass(frozen=True)
class LocalizationScores:
    """What the published tables show.

    Attributes:
        within_m: share of distances below each of `DISTANCES_M`.
        within_deg: share of angles below each of `ANGLES_DEG`.
        median_m: median distance, m.
        median_deg: median angle, degrees.
    """

    within_m: dict[float, float]
    within_deg: dict[float, float]
    median_m: float
    median_deg: float


def localization_errors(
    position: ArrayLike, yaw: ArrayLike, true_position: ArrayLike, true_yaw: ArrayLike
) -> LocalizationErrors:
    """Errors of the best of K guesses, position and heading each by themselves.

    SQA3D's script allows three guesses; papers mostly score one. A table must say which.

    Args:
        position: (N, K, 2), m; NaN for a guess that was not made.
        yaw: (N, K), rad; NaN for a guess that was not made.
        true_position: (N, 2), m, in the same frame.
        true_yaw: (N,), rad.

    Raises:
        InputError: the shapes do not fit, or the truth is not finite.
    """
    guess, heading = np.asarray(position, float), np.asarray(yaw, float)
    at, facing = np.asarray(true_position, float), np.asarray(true_yaw, float)
    n, k = heading.shape if heading.ndim == 2 else (-1, -1)
    if k < 1 or guess.shape != (n, k, 2) or at.shape != (n, 2) or facing.shape != (n,):
        raise InputError(
            f'guesses {guess.shape} and {heading.shape} do not fit truths {at.shape} and '
            f'{facing.shape}; give (N, K, 2), (N, K), (N, 2) and (N,), K = 1 for a single guess'
        )
    if not (np.isfinite(at).all() and np.isfinite(facing).all()):
        raise InputError('a true position or heading is not finite; leave that situation out')
    distance = np.linalg.norm(guess - at[:, None], axis=-1)
    turn = np.abs(heading - facing[:, None]) % (2 * pi)
    return LocalizationErrors(_best(distance), _best(np.minimum(turn, 2 * pi - turn)))


def localization_scores(errors: LocalizationErrors) -> LocalizationScores:
    """Accuracies and medians over the situations; NaN where there are none."""
    return LocalizationScores(
        {limit: _share_below(errors.distance, limit) for limit in DISTANCES_M},
        {limit: _share_below(errors.angle, radians(limit)) for limit in ANGLES_DEG},
        _median(errors.distance),
        _median(np.rad2deg(errors.angle)),
    )


def chance_errors(
    true_position: ArrayLike, low: ArrayLike, high: ArrayLike, *, draws: int = 200, seed: int = 0
) -> LocalizationErrors:
    """Errors (draws * N,) of blind guesses: uniform in the room's box and over all headings.

    Args:
        true_position: (N, 2), m.
        low, high: (N, 2), corners of the room that each situation is in, m.
        draws: guesses for each situation; one round of all situations after another.
        seed: of the draws.
    """
    at, start, end = (np.asarray(v, float) for v in (true_position, low, high))
    u = np.random.default_rng(seed).random((draws, len(at), 3))
    guess = start + u[..., :2] * (end - start)
    distance = np.linalg.norm(guess - at, axis=-1).ravel()
    return LocalizationErrors(distance, pi * u[..., 2].ravel())


def chance_scores(
    true_position: ArrayLike, low: ArrayLike, high: ArrayLike, *, draws: int = 200, seed: int = 0
) -> LocalizationScores:
    """What one blind guess scores in the mean; arguments as of `chance_errors`."""
    return localization_scores(chance_errors(true_position, low, high, draws=draws, seed=seed))


def sqa3d_agent(position: ArrayLike, quaternion: Sequence[float]) -> Array:
    """The agent of an SQA3D annotation, as T_centre_agent (4, 4) with x along its view.

    Args:
        position: (3,), m, as annotated: from the centre of the bounding box of the scan before axis
            alignment. That centre is to be added first, the alignment applied after.
        quaternion: (x, y, z, w) as annotated. The view is R (-1, 0, 0), so half a turn about z is
            put behind it.

    Raises:
        ValueError: the quaternion has no direction.
    """
    return pose(rotation_from_quaternion(quaternion) @ _FACING, position)


def yaw_of(T: NDArray[np.float64]) -> Array:
    """Heading of the x axis of poses (..., 4, 4) in the floor plane, rad in [-pi, pi]."""
    return np.arctan2(T[..., 1, 0], T[..., 0, 0])


def _best(error: Array) -> Array:
    return np.where(np.isnan(error), np.inf, error).min(axis=1)


def _share_below(error: Array, limit: float) -> float:
    return float((error < limit).mean()) if len(error) else nan


def _median(error: Array) -> float:
    return float(np.median(error)) if len(error) else nan
