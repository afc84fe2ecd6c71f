# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The rays of an image, cut into square tiles, so that each tile meets only what it may show."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from loc3r_ros.camera import PinholeCamera

TILE = 16
"""Pixels along the side of a tile."""

CENTRES = TILE * TILE
RAYS = CENTRES + (TILE + 1) ** 2
"""Rays of a tile: through the pixel centres, then through the pixel corners.

A pixel's depth and instance are those of its centre. Its colour is half that of the centre and
half that of its four corners, which it shares with its neighbours (quincunx sampling): smooth
edges for two rays a pixel.
"""


class Screen:
    """Rays of one camera on one device.

    Attributes:
        rays: (tiles, 3, RAYS) float32, directions (x/z, y/z, 1) in the optical frame.
        low, high: (tiles, 2) bounds of the directions in each tile.
        pixel: angle that a pixel covers at the image centre, rad.
    """

    def __init__(self, camera: PinholeCamera, device: torch.device) -> None:
        self.rows, self.columns = -(-camera.height // TILE), -(-camera.width // TILE)
        self._size = camera.height, camera.width
        centre = _grid(camera, TILE, 0.0, self.rows, self.columns)
        corner = _grid(camera, TILE + 1, -0.5, self.rows, self.columns)
        xy = np.concatenate([centre, corner], 1)
        rays = np.concatenate([xy, np.ones((*xy.shape[:2], 1))], 2).transpose(0, 2, 1)
        self.rays = torch.as_tensor(rays.copy(), dtype=torch.float32, device=device)
        self.low = torch.as_tensor(xy.min(1), dtype=torch.float32, device=device)
        self.high = torch.as_tensor(xy.max(1), dtype=torch.float32, device=device)
        self.pixel = 1.0 / camera.fx

    def image(self, values: Tensor) -> Tensor:
        """(B, H, W, ...) of the values at pixel centres (B * tiles, CENTRES, ...)."""
        rest = values.shape[2:]
        grid = values.reshape(-1, self.rows, self.columns, TILE, TILE, *rest).transpose(2, 3)
        whole = grid.reshape(-1, self.rows * TILE, self.columns * TILE, *rest)
        return whole[:, : self._size[0], : self._size[1]].contiguous()

    def mix(self, colours: Tensor) -> Tensor:
        """Pixel colours (tiles, CENTRES, 3) of ray colours (tiles, RAYS, 3)."""
        k = colours[:, CENTRES:].reshape(-1, TILE + 1, TILE + 1, 3)
        corners = k[:, :-1, :-1] + k[:, :-1, 1:] + k[:, 1:, :-1] + k[:, 1:, 1:]
        return 0.5 * colours[:, :CENTRES] + 0.125 * corners.reshape(-1, CENTRES, 3)


def plain_corners(centre: Tensor, corner: Tensor) -> Tensor:
    """(M, corners) bool: a corner shows the same solid as all pixels of its tile that touch it.

    Args:
        centre: (M, CENTRES) solid at the pixel centres of M tiles.
        corner: (M, (TILE + 1)^2) solid at the corners.
    """
    grid = corner.reshape(-1, TILE + 1, TILE + 1)
    plain = torch.ones_like(grid, dtype=torch.bool)
    for pixels in _around_corners(centre.reshape(-1, TILE, TILE)):
        plain &= pixels == grid
    return plain.flatten(1)


def fill_corners(colours: Tensor, plain: Tensor) -> Tensor:
    """Ray colours (M, RAYS, 3) with each plain corner the mean of the pixels that touch it."""
    pixels = colours[:, :CENTRES].reshape(-1, TILE, TILE, 3)
    mean = 0.25 * sum(_around_corners(pixels), torch.zeros_like(pixels[:, :1, :1]))
    corners = torch.where(plain[..., None], mean.flatten(1, 2), colours[:, CENTRES:])
    return torch.cat([colours[:, :CENTRES], corners], 1)


def _around_corners(pixels: Tensor) -> list[Tensor]:
    """Four (M, TILE + 1, TILE + 1, ...): the pixels around each corner; those at the rim repeat."""
    rows = torch.cat([pixels[:, :1], pixels], 1), torch.cat([pixels, pixels[:, -1:]], 1)
    return [
        torch.cat(pair, 2) for row in rows for pair in ((row[:, :, :1], row), (row, row[:, :, -1:]))
    ]


@lru_cache(maxsize=8)
def screen_of(camera: PinholeCamera, device: torch.device) -> Screen:
    """The screen of a camera, kept for the next frame."""
    return Screen(camera, device)


def _grid(camera: PinholeCamera, side: int, shift: float, rows: int, columns: int) -> np.ndarray:
    """(tiles, side * side, 2) normalised coordinates of a grid of points over each tile."""
    step = np.arange(side)
    v = (TILE * np.arange(rows)[:, None] + step + shift)[:, None, :, None]
    u = (TILE * np.arange(columns)[:, None] + step + shift)[None, :, None, :]
    uv = np.stack(np.broadcast_arrays(u, v), -1).reshape(-1, 2)
    # Padding beyond the image repeats its edge: distortion polynomials run wild out there.
    uv = np.minimum(uv, np.array([camera.width, camera.height]) + shift)
    return camera.normalise(uv).reshape(rows * columns, side * side, 2)
