"""Which space a cloud has seen to be empty, without walking along its rays.

The cloud becomes a panorama about the sensor that holds the nearest range of each direction. A
place is empty when the panorama reaches beyond it. That asks each cell once, however many points
there are, and a direction's nearest range can only see less than its rays do, never more.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class Panorama:
    """Nearest horizontal range of a cloud by direction, about the sensor; z up.

    Directions are binned by azimuth and by dz / (range + |dz|), which stands for the elevation: it
    is monotonous in it, spans -1 to 1, and costs one division.
    """

    def __init__(self, azimuth: Vector, ranges: Vector, z: Vector, step: float) -> None:
        """Build it from points less the sensor's position.

        Args:
            azimuth: (N,) rad, 0 to 2 pi.
            ranges: (N,) horizontal range, m.
            z: (N,) height above the sensor, m.
            step: size of a bin, rad.

        """
        self._step = step
        self._elevations = int(2.0 / step) + 2
        nearest = np.full((int(2.0 * np.pi / step) + 2) * self._elevations, np.inf, np.float32)
        np.minimum.at(nearest, self._bin(azimuth, ranges, z), ranges)
        nearest[np.isinf(nearest)] = 0.0
        self._nearest = nearest

    def _bin(self, azimuth: Vector, ranges: Vector, z: Vector) -> NDArray[np.int64]:
        inverse = np.float32(1.0 / self._step)
        row = (azimuth * inverse).astype(np.int64)
        column = ((z / (ranges + np.abs(z) + np.float32(1e-6)) + 1) * inverse).astype(np.int64)
        return row * self._elevations + column

    def reach(self, azimuth: Vector) -> Vector:
        """Farthest range that the panorama holds at any elevation, m; 0 where it holds nothing."""
        rows = self._nearest.reshape(-1, self._elevations).max(1)
        return rows[(azimuth * np.float32(1.0 / self._step)).astype(np.int64)]

    def is_clear(
        self, azimuth: Vector, ranges: Vector, z: Vector, margin: float
    ) -> NDArray[np.bool_]:
        """Whether the sensor saw past these places by the margin (m); shapes broadcast."""
        return self._nearest[self._bin(azimuth, ranges, z)] > ranges + np.float32(margin)


def polar(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Range (m) and azimuth (rad, 0 to 2 pi) of offsets, in their shape."""
    ranges, azimuth = (np.asarray(v, np.float32) for v in cv2.cartToPolar(x, y))
    return ranges.reshape(x.shape), azimuth.reshape(x.shape)
