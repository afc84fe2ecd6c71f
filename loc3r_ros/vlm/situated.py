# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From where the model says an agent stands to a pose in `map`.

The model speaks of a BEV frame (Loc3R-VLM, arXiv 2603.18002: gravity-aligned, shared by all views
and anchored at the first). Its axes are not published; here they are those of REP 103: origin at
the first camera, x level where that camera looks, y left, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.types import AgentPose, Target
from loc3r_ros.vlm.agent import nowhere, upright
from loc3r_ros.vlm.model.assumptions import BIN_CENTRE, ORIENTATION_SIGMA_BINS

NEAR_M = 1.0
"""Confidence is the probability to be this near, as in the published Acc@1.0 m."""

LEAST_TARGET_CONFIDENCE = 0.2
"""A target that is less certain is not driven to: its sigma is above 1.5 m."""

_FLAT = pi**2 / 3
"""Variance of a heading of which nothing is known, rad^2."""

_HEIGHT_VARIANCE = 1.0  # m^2: the model is planar, and all that is known is the storey
_LEVEL_VARIANCE = 1e-4  # rad^2: an agent stands upright


@dataclass(frozen=True, eq=False)
class Situated:
    """Where an agent stands that was described in words, in the BEV frame of the first view.

    Attributes:
        mean: (2,) float64, m.
        sigma: (2,) float64, standard deviation along x and y, m.
        heading: (B,) float64, probability of each bin; bins as `assumptions` has them.
    """

    mean: NDArray[np.float64]
    sigma: NDArray[np.float64]
    heading: NDArray[np.float64]


def bev_in_map(T_map_camera: Array) -> Array:
    """T_map_bev (4, 4) of the BEV frame that a first frame anchors, from its camera's pose."""
    return upright(T_map_camera)


def agent_in_map(situated: Situated, T_map_bev: Array) -> AgentPose:
    """The agent in `map`, upright on the ground (z = 0), with the uncertainty the model states.

    A flat distribution of headings gives the variance of a uniform one, and a wide sigma a low
    confidence: an agent that the model cannot place is still a pose, but nobody will trust it.
    """
    if not all(np.isfinite(v).all() for v in (situated.mean, situated.sigma, situated.heading)):
        return nowhere('the model gave a pose that is not finite: its weights are damaged')
    theta, variance = mean_heading(situated.heading)
    R = T_map_bev[:3, :3]
    yaw = theta + float(np.arctan2(R[1, 0], R[0, 0]))
    x, y = _point_in_map(situated, T_map_bev)
    covariance = np.diag([0, 0, _HEIGHT_VARIANCE, _LEVEL_VARIANCE, _LEVEL_VARIANCE, variance])
    covariance[:2, :2] = R[:2, :2] @ np.diag(situated.sigma**2) @ R[:2, :2].T
    T_map_agent = pose(exp_so3((0.0, 0.0, yaw)), (x, y, 0.0))
    return AgentPose(True, T_map_agent, covariance, confidence_of(situated.sigma))


def target_in_map(situated: Situated, T_map_bev: Array, label: str) -> Target:
    """A thing in `map` (z = 0), or why it is not certain enough to be driven to."""
    sigma = sqrt(float(np.prod(situated.sigma)))
    confidence = confidence_of(situated.sigma)
    if not np.isfinite(situated.mean).all() or not confidence >= LEAST_TARGET_CONFIDENCE:
        reason = (
            f'"{label}" was not found: the model places it only to within {sigma:.1f} m. Describe '
            'it by what stands around it, or show it to the camera'
        )
        return Target(False, np.full(3, np.nan), label, confidence=confidence, reason=reason)
    x, y = _point_in_map(situated, T_map_bev)
    return Target(True, np.array([x, y, 0.0]), label, confidence=confidence)


def mean_heading(probabilities: NDArray[np.float64]) -> tuple[float, float]:
    """Circular mean of headings (Loc3R-VLM: circular soft-argmax), and their variance.

    A model that has learnt smoothed targets shows their width even where it is certain; that is
    taken off, down to the variance within one bin.

    Args:
        probabilities: (B,), sum 1.

    Returns:
        rad in [-pi, pi], and rad^2, at most that of a uniform distribution.
    """
    width = 2 * pi / len(probabilities)
    centres = -pi + (np.arange(len(probabilities)) + BIN_CENTRE) * width
    x, y = probabilities @ np.cos(centres), probabilities @ np.sin(centres)
    length = min(float(np.hypot(x, y)), 1.0)
    seen = -2 * log(length) if length > 0 else _FLAT  # circular variance of a wrapped normal
    smoothing = (ORIENTATION_SIGMA_BINS * width) ** 2
    variance = seen if seen >= _FLAT else seen - smoothing
    return float(np.arctan2(y, x)), min(max(variance, width**2 / 12), _FLAT)


def confidence_of(sigma: NDArray[np.float64]) -> float:
    """Probability of an error below `NEAR_M`, of a normal distribution as wide as this one."""
    return 1.0 - exp(-(NEAR_M**2) / (2.0 * float(np.prod(sigma))))


def _point_in_map(situated: Situated, T_map_bev: Array) -> tuple[float, float]:
    x, y = T_map_bev[:2, :2] @ situated.mean + T_map_bev[:2, 3]
    return float(x), float(y)
