# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The floor under the robot, cloud by cloud: a plane near the place where it was last.

The floor of `map` is at z = 0 in name only: the first level, drift and pose noise each move it by
centimetres and tilt it by a degree, which is 7 cm at 4 m, as much as a shoe. So each cloud gets a
plane of its own, held by a prior at the running height where it sees little floor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SAMPLES = 4096
_WINDOWS = (0.15, 0.10, 0.06, 0.04)  # m; each round believes the plane more
_BELOW = 0.02  # m; points under the plane pull on, with a weight that falls beyond this
_LEAST_SAMPLES = 20
_LEAST_SHARE = 0.6  # of the samples near the floor that must lie on one plane
_INDEPENDENT = 25  # samples of one cloud that count: their errors are alike
_SIGMA_TILT = np.deg2rad(1.5)  # pose noise, anew in each cloud
_SIGMA_START = 0.05  # m; how well a given height is known
_SIGMA_STEP = 0.01  # m; how far the floor moves between two clouds, by drift or a ramp

_PATCH = 0.1  # m; edge of the columns that tell floor from what stands on it
_FURNITURE = 0.5  # m; what hides the floor under it is lower; table tops are higher
_LEAST_AREA = 0.25  # square m that a floor shows at least
_STRAY = 0.02  # share of points that may lie under a floor: mirror images, noise

Vector = NDArray[np.float32]


class FloorTracker:
    """Running estimate of the floor's height, and a plane for each cloud.

    Attributes:
        height: z of the floor in `map` under the sensor, m; None while it is unknown.
        variance: of that height, square m.

    """

    def __init__(self, height: float | None) -> None:
        self.height = height
        self.variance = _SIGMA_START**2

    def update(self, offsets: NDArray[np.float32], sensor_z: float) -> NDArray[np.float64] | None:
        """Fit the floor in one cloud, and follow it.

        Args:
            offsets: (3, N) points less the sensor's position, along the axes of `map`, m.
            sensor_z: z of the sensor in `map`, m.

        Returns:
            (a, b, c) of the floor z = a x + b y + c, z less the sensor's; None while no cloud has
            shown a floor.

        """
        x, y, z = offsets[:, :: -(-offsets.shape[1] // _SAMPLES)]
        if self.height is None:
            lowest = _lowest_plane(x, y, z)
            if lowest is None:
                return None
            self.height = lowest + sensor_z
        expected = self.height - sensor_z
        self.variance = min(self.variance + _SIGMA_STEP**2, _SIGMA_START**2)
        plane, self.variance = _fit(x, y, z - np.float32(expected), self.variance)
        self.height += float(plane[2])
        plane[2] += expected
        return plane


def _fit(x: Vector, y: Vector, r: Vector, variance: float) -> tuple[NDArray[np.float64], float]:
    """Most probable plane r = a x + b y + c, c being zero with a variance; and c's new variance.

    Whatever stands on the floor is above it, so the trimming is one-sided: what is higher than the
    window does not count, what is lower always pulls. Floor seen only from afar says little of the
    height under the sensor; the tilt's prior sees to that.
    """
    near = np.flatnonzero((np.abs(r) < _WINDOWS[0]) & ~_stands(x, y, r))
    if len(near) < _LEAST_SAMPLES:
        return np.zeros(3), variance
    plane = np.zeros(3)
    A = np.stack([x[near], y[near], np.ones(len(near), np.float32)], 1).astype(np.float64)
    r = r[near].astype(np.float64)
    precision = 1.0 / _noise(A) ** 2
    prior = np.diag([_SIGMA_TILT**-2, _SIGMA_TILT**-2, 1.0 / variance])
    for window in _WINDOWS:
        e = r - A @ plane
        weight = np.where(e > window, 0.0, _BELOW / np.maximum(-e, _BELOW))
        weight *= precision * min(1.0, _INDEPENDENT / max(weight.sum(), 1.0))
        covariance = np.linalg.inv((A * weight[:, None]).T @ A + prior)
        plane = covariance @ (A.T @ (weight * r))
    agree = np.abs(r - A @ plane) < 2.0 * _noise(A)
    if np.count_nonzero(agree) < max(_LEAST_SAMPLES, _LEAST_SHARE * len(r)):
        return np.zeros(3), variance
    return plane, float(covariance[2, 2])


def _stands(x: Vector, y: Vector, r: Vector) -> NDArray[np.bool_]:
    """Points in columns with something above the floor: the feet of walls and furniture."""
    # Columns are told apart modulo 12.8 m: none is needed twice, and the table stays small.
    column = np.floor(x / _PATCH).astype(np.int64) % 128 * 128
    column += np.floor(y / _PATCH).astype(np.int64) % 128
    stands = np.zeros(128 * 128, np.bool_)
    stands[column[(r > _WINDOWS[0]) & (r < _FURNITURE)]] = True
    return stands[column]


def _noise(A: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation (m) of heights: depth noise grows with the square of the range."""
    return 0.01 + 0.003 * (A[:, 0] ** 2 + A[:, 1] ** 2)


def _lowest_plane(x: Vector, y: Vector, z: Vector) -> float | None:
    """Height of the lowest level patch below the sensor; None where nothing is surely a floor.

    A level patch is what a slab holds and the slab above it does not: walls are in both.
    """
    columns = np.stack([np.floor(x / _PATCH), np.floor(y / _PATCH)], 1).astype(np.int64)
    columns = columns[:, 0] * (1 << 20) + columns[:, 1]
    for level in np.arange(z.min(), min(0.0, z.max()), _PATCH / 4):
        if np.mean(z < level - _PATCH) > _STRAY:
            return None
        slab = np.abs(z - level) < _PATCH / 2
        over = (z > level + _PATCH) & (z < level + 3 * _PATCH)
        flat = np.setdiff1d(columns[slab], columns[over])
        if len(flat) * _PATCH**2 >= _LEAST_AREA:
            return float(np.median(z[slab & np.isin(columns, flat)]))
    return None
