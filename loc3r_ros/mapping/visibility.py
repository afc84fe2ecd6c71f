# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
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
        self._inverse = np.float32(1.0 / step)
        self._columns = columns = int(2.0 / step) + 2
        # A camera looks one way: rows that it fills are kept, all others share the empty row 0.
        bins = (azimuth * self._inverse).astype(np.int64)
        filled = np.flatnonzero(np.bincount(bins))
        self._rows = np.zeros(int(2.0 * np.pi / step) + 2, np.int64)
        self._rows[filled] = np.arange(1, len(filled) + 1) * columns
        # Level k holds the nearest of 2^k neighbours in elevation: two of them cover any span.
        count = int(np.log2(columns)) + 1
        self._levels = np.full((count, (len(filled) + 1) * columns), np.inf, np.float32)
        np.minimum.at(self._levels[0], self._rows[bins] + self._column(ranges, z), ranges)
        for k in range(1, count):
            below, half = self._levels[k - 1], 1 << (k - 1)
            np.minimum(below[:-half], below[half:], out=self._levels[k, :-half])

    def _row(self, azimuth: Vector) -> NDArray[np.int64]:
        return self._rows[(azimuth * self._inverse).astype(np.int64)]

    def _column(self, ranges: Vector, z: Vector) -> NDArray[np.int64]:
        elevation = z / (ranges + np.abs(z) + np.float32(1e-6))
        return ((elevation + 1) * self._inverse).astype(np.int64)

    def reach(self, azimuth: Vector) -> Vector:
        """Farthest range that the panorama holds at any elevation, m; 0 where it holds nothing."""
        nearest = self._levels[0].reshape(-1, self._columns)
        farthest = np.where(np.isinf(nearest), np.float32(0), nearest).max(1)
        return farthest[self._row(azimuth) // self._columns]

    def is_clear(
        self, azimuth: Vector, ranges: Vector, low: Vector, high: Vector, margin: float
    ) -> NDArray[np.bool_]:
        """Whether the sensor saw past upright spans by the margin (m); shapes broadcast.

        The ends of a span, z from low to high above the sensor, must both have been looked at, and
        nothing between them may be nearer than the span.
        """
        row = self._row(azimuth)
        first, last = row + self._column(ranges, low), row + self._column(ranges, high)
        nearest = self._levels[0]
        clear = np.isfinite(nearest[first]) & np.isfinite(nearest[last])
        exponent = np.frexp((last - first + 1).astype(np.float32))[1] - 1
        level = exponent * np.int64(len(nearest))
        spans = self._levels.reshape(-1)
        between = np.minimum(spans[level + first], spans[level + last + 1 - (1 << exponent)])
        return clear & (between > ranges + np.float32(margin))


def polar(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Range (m) and azimuth (rad, 0 to 2 pi) of offsets, in their shape."""
    ranges, azimuth = (np.asarray(v, np.float32) for v in cv2.cartToPolar(x, y))
    return ranges.reshape(x.shape), azimuth.reshape(x.shape)
