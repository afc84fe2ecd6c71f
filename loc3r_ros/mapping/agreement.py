# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How far two occupancy grids agree, forgiving an offset of a cell."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.types import OccupancyGrid

_OCCUPIED = 65  # of 100, as Nav2's map_server counts a cell as occupied
_FREE = 19


@dataclass(frozen=True)
class Agreement:
    """A grid beside a reference. "Near" is within the tolerance, diagonals included.

    Attributes:
        iou_occupied: tp / (tp + fp + fn). fp are occupied cells with no occupied cell of the
            reference near; fn are the reference's with none of the grid's near; tp is the mean of
            how many of either are matched. It is the plain IoU at tolerance 0. A cell that one
            grid does not know counts as not occupied there.
        precision: share of the grid's occupied cells that are matched; NaN where it has none.
        recall: share of the reference's occupied cells that are matched; NaN where it has none.
        false_free: share of the grid's free cells that the reference has occupied, with no occupied
            cell of the grid near: an obstacle that the grid does not have. NaN where none is free.
        false_free_strict: the same without tolerance: also where the obstacle is one cell off.
        occupied, free: the grid's cells of each kind.
        reference_occupied, reference_free: the reference's.

    """

    iou_occupied: float
    precision: float
    recall: float
    false_free: float
    false_free_strict: float
    occupied: int
    free: int
    reference_occupied: int
    reference_free: int


def compare(grid: OccupancyGrid, reference: OccupancyGrid, tolerance_cells: int = 1) -> Agreement:
    """Compare two grids of any origins and sizes; what lies outside a grid is unknown to it.

    Raises:
        InputError: where the resolutions differ, the origins are not whole cells apart, or the
            tolerance is negative.

    """
    if tolerance_cells < 0:
        raise InputError(f'tolerance_cells={tolerance_cells}: allowed is 0 or more')
    if not np.isclose(grid.resolution, reference.resolution, rtol=1e-6):
        raise InputError(
            f'resolutions {grid.resolution:g} and {reference.resolution:g} m differ: compare maps '
            'of one resolution'
        )
    ours, theirs = _on_one_lattice(grid, reference, margin=tolerance_cells)
    occupied, reference_occupied = ours >= _OCCUPIED, theirs >= _OCCUPIED
    free = (ours >= 0) & (ours <= _FREE)
    near_ours, near_theirs = (_grow(m, tolerance_cells) for m in (occupied, reference_occupied))
    n, m = _count(occupied), _count(reference_occupied)
    n_matched = _count(occupied & near_theirs)
    m_matched = _count(reference_occupied & near_ours)
    tp = (n_matched + m_matched) / 2
    wrong = free & reference_occupied
    n_free = _count(free)
    return Agreement(
        iou_occupied=_share(tp, tp + (n - n_matched) + (m - m_matched)),
        precision=_share(n_matched, n),
        recall=_share(m_matched, m),
        false_free=_share(_count(wrong & ~near_ours), n_free),
        false_free_strict=_share(_count(wrong), n_free),
        occupied=n,
        free=n_free,
        reference_occupied=m,
        reference_free=_count((theirs >= 0) & (theirs <= _FREE)),
    )


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float('nan')


def _grow(mask: NDArray[np.bool_], cells: int) -> NDArray[np.bool_]:
    if not cells:
        return mask
    square = np.ones((2 * cells + 1, 2 * cells + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), square) > 0


def _on_one_lattice(
    a: OccupancyGrid, b: OccupancyGrid, margin: int
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Both data arrays on the smallest rectangle that holds both, and a margin of unknown."""
    apart = (np.array(b.origin) - a.origin) / a.resolution
    offset = np.rint(apart).astype(int)
    if np.abs(apart - offset).max() > 0.01:
        raise InputError(
            f'origins {a.origin} and {b.origin} are {apart.tolist()} cells apart: allowed are '
            'whole cells'
        )
    corners = np.array([(0, 0), offset[::-1]])
    ends = corners + np.array([a.data.shape, b.data.shape])
    low = corners.min(0) - margin
    shape = ends.max(0) + margin - low
    out = []
    for data, (row, column) in zip((a.data, b.data), corners - low, strict=True):
        canvas = np.full(shape, -1, np.int8)
        canvas[row : row + data.shape[0], column : column + data.shape[1]] = data
        out.append(canvas)
    return out[0], out[1]
