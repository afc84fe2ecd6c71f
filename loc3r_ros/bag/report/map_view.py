# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where the map lies on the page: its extent, its scale, and room for labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bag.report.axes import known
from loc3r_ros.bag.report.data import ReportData
from loc3r_ros.types import OccupancyGrid

Array = NDArray[np.float64]

WIDTH = 800.0
_HEIGHTS = (420.0, 740.0)
_MARGIN = 0.35
_REACH_M = 5.0
_LARGEST = 1600
"""Cells along an edge of the picture; beyond it cells are joined, for no screen shows more."""


@dataclass(frozen=True)
class MapView:
    """A window of `map` (m) on a drawing of WIDTH x height, y up in the window and down here."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def scale(self) -> float:
        """Drawing units per metre."""
        return WIDTH / (self.right - self.left)

    @property
    def height(self) -> float:
        return (self.top - self.bottom) * self.scale

    def __call__(self, xy: Array) -> Array:
        """Points (..., 2 or more), m, on the drawing (..., 2)."""
        return (xy[..., :2] - (self.left, self.top)) * (self.scale, -self.scale)

    @classmethod
    def around(cls, points: Array, places: Array | None = None) -> MapView:
        """The window that holds points (m, 2) with a margin and has a shape fit for a page.

        It grows for the `places` (k, 2), too, but for one far away by no more than 5 m.
        """
        points = points[known(points)]
        if not len(points):
            points = np.array([[-2.0, -1.5], [2.0, 1.5]])
        low, high = points.min(axis=0), points.max(axis=0)
        if places is not None and len(places):
            reached = np.clip(places, low - _REACH_M, high + _REACH_M)
            low, high = np.minimum(low, reached.min(axis=0)), np.maximum(high, reached.max(axis=0))
        size = np.maximum(high - low, 0.5) + 2 * (_MARGIN + 0.02 * float((high - low).max()))
        ratio = np.clip(size[1] / size[0], _HEIGHTS[0] / WIDTH, _HEIGHTS[1] / WIDTH)
        width = max(size[0], size[1] / ratio)
        half, centre = np.array([width, width * ratio]) / 2, (low + high) / 2
        return cls(*(centre - half).tolist(), *(centre + half).tolist())


@dataclass(frozen=True, eq=False)
class KnownCells:
    """The part of a grid that is not unknown.

    Attributes:
        data: (rows, columns) int8, row 0 at the lowest y.
        resolution: m per cell.
        corners: (2, 2) m, lower left and upper right.
    """

    data: NDArray[np.int8]
    resolution: float
    corners: Array

    @classmethod
    def of(cls, grid: OccupancyGrid | None) -> KnownCells | None:
        """The known part, with cells joined where there are too many; None where all is unknown."""
        if grid is None or not (grid.data >= 0).any():
            return None
        rows = np.flatnonzero((grid.data >= 0).any(axis=1))
        columns = np.flatnonzero((grid.data >= 0).any(axis=0))
        data = grid.data[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        factor = -(-max(data.shape) // _LARGEST)
        pad = [(0, -size % factor) for size in data.shape]
        data = np.pad(data, pad, constant_values=-1)
        # The greatest of the joined cells: a wall must not vanish, and known beats unknown.
        blocks = data.reshape(data.shape[0] // factor, factor, data.shape[1] // factor, factor)
        low = np.array(grid.origin) + np.array([columns[0], rows[0]]) * grid.resolution
        high = low + np.array(data.shape[::-1]) * grid.resolution
        joined = blocks.max(axis=(1, 3))
        return cls(joined, grid.resolution * factor, np.stack([low, high]))


def view_of(data: ReportData, cells: KnownCells | None, places: Array) -> MapView:
    """The window that holds the known cells, the trajectory, the truth, and places (k, 2)."""
    parts = [data.positions[:, :2]]
    if data.truth is not None:
        parts.append(data.truth[:, :2])
    if cells is not None:
        parts.append(cells.corners)
    return MapView.around(np.concatenate(parts), places)


def place_labels(anchors: Array, obstacles: Array, size: tuple[float, float], gap: float) -> Array:
    """Places (k, 2) near the anchors that keep clear of each other and of the obstacles.

    Labels push each other away until they are `gap` apart; obstacles push half as far. All
    stay on the drawing of the given size.
    """
    if not len(anchors):
        return anchors
    away = anchors - np.nanmean(np.concatenate([anchors, obstacles]), axis=0)
    # Labels at one place need different directions to part in: turn by the golden angle.
    turn = 2.4 * np.arange(len(anchors))
    away = away + 4.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    places = anchors + gap * away / np.linalg.norm(away, axis=1, keepdims=True)
    for pull in np.linspace(0.02, 0.0, 160):
        push = pull * (anchors - places)
        push += _repulsion(places, places, gap) + _repulsion(places, obstacles, 0.65 * gap)
        places = np.clip(places + push, gap / 2, np.array(size) - gap / 2)
    return places


def _repulsion(places: Array, others: Array, reach: float) -> Array:
    """Sum of the pushes (k, 2) that others (m, 2) within reach give; a point spares itself."""
    apart = places[:, None] - others[None]
    distance = np.linalg.norm(apart, axis=2, keepdims=True)
    strength = np.where(distance > 1e-9, np.maximum(reach - distance, 0.0), 0.0)
    weight = 0.45 / np.maximum(1.0, (strength > 0).sum(axis=1))
    return (apart / np.maximum(distance, 1e-9) * strength).sum(axis=1) * weight
