# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What image tokens are to know: where their part of the image lies, and what it shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import Array, invert, transform

SAMPLES = 6
"""Points along a side of a cell that its place is the median of."""


def cell_places(
    depth: NDArray[np.float32],
    camera: PinholeCamera,
    T_map_optical: Array,
    T_map_bev: Array,
    grid: int,
    covered: float = 1.0,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Places of the cells of a square grid that is laid over a whole image.

    Args:
        depth: (H, W) m along the optical axis; NaN = none.
        camera: of the image.
        T_map_optical: (4, 4).
        T_map_bev: (4, 4) of the frame that places are told in.
        grid: cells along a side.
        covered: share of each side that the grid covers, from the image's top left; patches leave
            a few pixels over.

    Returns:
        (grid * grid, 2) x and y, m, the median of each cell's points; and whether it has any.
    """
    steps = (np.arange(grid * SAMPLES) + 0.5) / (grid * SAMPLES) * covered
    rows, columns = (steps * camera.height).astype(int), (steps * camera.width).astype(int)
    u, v = np.meshgrid(columns, rows)
    rays = camera.normalise(np.stack([u, v], -1).reshape(-1, 2).astype(np.float64))
    z = depth[v, u].reshape(-1, 1).astype(np.float64)
    points = np.concatenate([rays * z, z], 1)
    flat = transform(invert(T_map_bev) @ T_map_optical, points)[:, :2]
    cells = flat.reshape(grid, SAMPLES, grid, SAMPLES, 2).swapaxes(1, 2)
    cells = cells.reshape(grid * grid, SAMPLES**2, 2)
    seen = np.isfinite(cells[..., 0]).any(1)
    places = np.full((grid * grid, 2), np.nan, np.float32)
    places[seen] = np.nanmedian(cells[seen], 1)
    return places, seen


def cell_middles(image: NDArray[np.int32], grid: int, covered: float = 1.0) -> NDArray[np.int32]:
    """(grid * grid,) what an image (H, W) holds at the middle of each cell of such a grid."""
    height, width = image.shape
    steps = (np.arange(grid) + 0.5) / grid * covered
    rows, columns = (steps * height).astype(int), (steps * width).astype(int)
    return image[rows[:, None], columns].ravel()
