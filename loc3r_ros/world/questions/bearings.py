# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Angles on the floor: where things lie for somebody who stands and faces somewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loc3r_ros.geometry import Array

SECTORS = ('front', 'left', 'back', 'right')


def bearing(position: ArrayLike, yaw: ArrayLike, target: ArrayLike) -> Array:
    """Direction of (..., 2) targets from (..., 2) positions, counter-clockwise from yaw, -pi..pi.

    The three are broadcast against each other.
    """
    to = np.asarray(target, np.float64) - np.asarray(position, np.float64)
    return wrap(np.arctan2(to[..., 1], to[..., 0]) - yaw)


def heading(position: ArrayLike, target: ArrayLike) -> Array:
    """Yaw of somebody at (..., 2) positions who faces (..., 2) targets, -pi..pi."""
    return bearing(position, 0.0, target)


def wrap(angle: ArrayLike) -> Array:
    """The same angle within -pi..pi."""
    return (np.asarray(angle) + np.pi) % (2.0 * np.pi) - np.pi


def sector(angle: ArrayLike, borders: tuple[float, ...], margin: float = 0.0) -> NDArray[np.intp]:
    """Which of the sectors between ascending borders an angle lies in; -1 within a margin of one.

    Args:
        angle: (...,) rad.
        borders: rad, 0..2 pi; sector k reaches from border k to the next, the last round to 0.
        margin: rad.
    """
    angle = np.asarray(angle, np.float64)[..., None]
    away = np.abs(wrap(angle - np.array(borders))).min(-1)
    turned = (angle - borders[0]) % (2.0 * np.pi)
    index = (turned >= np.array(borders) - borders[0]).sum(-1) - 1
    return np.where(away < margin, -1, index)
