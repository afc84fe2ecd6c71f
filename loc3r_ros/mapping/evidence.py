# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What one cloud says of each cell and slab in a window of the map: hit, clear, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.mapping.config import BevConfig
from loc3r_ros.mapping.visibility import Panorama, Vector, polar

_LEAST_DROP_POINTS = 3  # below the floor in one cell: fewer are mirror images or noise

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class View:
    """A cloud about its sensor; N points, axes of `map`, m.

    Attributes:
        x, y, z: (N,) offsets from the sensor.
        ranges, azimuth: (N,) horizontal range, and direction in rad, 0 to 2 pi.
        plane: (a, b, c) of the floor z = a x + b y + c.
        height: (N,) above the floor.

    """

    x: Vector
    y: Vector
    z: Vector
    ranges: Vector
    azimuth: Vector
    plane: NDArray[np.float32]
    height: Vector

    @classmethod
    def of(cls, offsets: NDArray[np.float32], plane: NDArray[np.float64]) -> View:
        """View of offsets (3, N) above a floor."""
        x, y, z = offsets
        a, b, c = plane.astype(np.float32)
        return cls(x, y, z, *polar(x, y), plane.astype(np.float32), z - (a * x + b * y + c))


@dataclass(frozen=True, eq=False)
class Window:
    """A rectangle of cells.

    Attributes:
        rows, columns: its size.
        sensor: (x, y) of the sensor from its lower corner, in cells.

    """

    rows: int
    columns: int
    sensor: NDArray[np.float64]

    def cells(self, x: Vector, y: Vector, resolution: float) -> tuple[NDArray[np.int32], Mask]:
        """Flat index (int32) of offsets from the sensor, and whether they lie inside."""
        scale = np.float32(1.0 / resolution)
        # Truncation is floor only above zero, hence the mask on the real numbers.
        column = x * scale + np.float32(self.sensor[0])
        row = y * scale + np.float32(self.sensor[1])
        inside = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        return row.astype(np.int32) * np.int32(self.columns) + column.astype(np.int32), inside


def evidence(view: View, window: Window, config: BevConfig) -> tuple[Mask, Mask]:
    """What is hit and what is clear, each (1 + layers, rows, columns).

    Slab 0 stands for the floor: hit where it is missing, clear where it is seen. A column that is
    hit anywhere is clear nowhere; nor is one at the brink of missing floor.
    """
    hit = np.zeros((config.layers + 1, window.rows, window.columns), np.bool_)
    seen = np.zeros_like(hit)
    cell, inside = window.cells(view.x, view.y, config.resolution)
    inside &= view.ranges < np.float32(config.max_range)
    above = view.height >= np.float32(config.band_low)
    band = np.flatnonzero(inside & above & (view.height < np.float32(config.band_high)))
    thickness = (config.band_high - config.band_low) / config.layers
    layer = ((view.height[band] - np.float32(config.band_low)) / thickness).astype(np.int32) + 1
    layer = np.minimum(layer, config.layers)
    hit.reshape(-1)[layer * (window.rows * window.columns) + cell[band]] = True
    floor = np.flatnonzero(inside & ~above & (view.height > -config.max_drop))
    seen.reshape(-1)[cell[floor]] = True
    hit[0], brink = _missing_floor(view, window, config)
    open_ = ~(np.any(hit, axis=0) | brink)
    seen[0] &= open_
    seen[1:] = _seen_through(view, window, config, open_)
    return hit, seen


def _missing_floor(view: View, window: Window, config: BevConfig) -> tuple[Mask, Mask]:
    """Cells (rows, columns) in which several rays go on below the floor, and all near any."""
    count = np.zeros((window.rows, window.columns), np.uint8)
    below = np.flatnonzero(view.height <= -config.max_drop)
    sensor_height = -view.plane[2]
    if len(below) < _LEAST_DROP_POINTS or sensor_height <= 0:
        return count > 0, count > 0
    share = sensor_height / (sensor_height - view.height[below])
    cell, inside = window.cells(view.x[below] * share, view.y[below] * share, config.resolution)
    inside &= view.ranges[below] * share < config.max_range
    total = np.bincount(cell[inside], minlength=count.size).reshape(count.shape)
    count[:] = np.minimum(total, _LEAST_DROP_POINTS)
    # Far away, rays that follow each other cross the floor farther apart than a cell.
    return count >= _LEAST_DROP_POINTS, cv2.dilate(count, np.ones((3, 3), np.uint8)) > 0


def _seen_through(view: View, window: Window, config: BevConfig, ask: Mask) -> Mask:
    """Slabs (layers, rows, columns) that rays passed, where `ask` (rows, columns) says.

    A slab is passed when rays are at its lower face, at its upper face, and none ends between them
    or before: a look over a table, or under it, does not clear the slab that the table top is in.
    A slab that the image cuts through stays as it is, also where it was marked from the same place.
    """
    res = config.resolution
    passed = np.zeros((config.layers, window.rows, window.columns), np.bool_)
    panorama = Panorama(view.azimuth, view.ranges, view.z, res / config.max_range)
    x = ((np.arange(window.columns) + 0.5 - window.sensor[0]) * res).astype(np.float32)
    y = ((np.arange(window.rows) + 0.5 - window.sensor[1]) * res).astype(np.float32)
    x, y = np.meshgrid(x, y)
    ranges, azimuth = polar(x, y)
    reach = np.minimum(panorama.reach(azimuth), np.float32(config.max_range))
    asked = np.flatnonzero(ask & (ranges + np.float32(res) < reach))
    x, y, ranges, azimuth = (v.ravel()[asked] for v in (x, y, ranges, azimuth))
    a, b, c = view.plane
    faces = np.linspace(config.band_low, config.band_high, config.layers + 1, dtype=np.float32)
    z = (a * x + b * y + c) + faces[:, None]
    clear = panorama.is_clear(azimuth, ranges, z[:-1], z[1:], margin=res)
    passed.reshape(config.layers, -1)[:, asked] = clear
    return passed
