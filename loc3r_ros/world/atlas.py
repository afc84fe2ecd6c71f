# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Textures with their mip levels in one tensor, and trilinear lookup for many points at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class Atlas:
    """Holds textures whose sides are powers of two.

    Args:
        textures: (h, w, 3) uint8 each.
        device: where lookups run.
    """

    def __init__(self, textures: list[np.ndarray], device: torch.device) -> None:
        texels, table = [], []
        base = 0
        depth = max(max(image.shape[:2]) for image in textures).bit_length()
        for image in textures:
            rows = []
            for level in _pyramid(image, depth):
                h, w = level.shape[:2]
                rows.append((base, w, h))
                texels.append(level.reshape(-1, 3))
                base += h * w
            table.append(rows)
        self._texels = torch.as_tensor(np.concatenate(texels), device=device)
        # (textures * levels, 3): first texel, width, height
        self._table = torch.as_tensor(np.array(table), device=device).reshape(-1, 3)
        self._depth = depth

    def sample(self, texture: Tensor, uv: Tensor, level: Tensor) -> Tensor:
        """Colours (N, 3) in 0..1, sRGB.

        Args:
            texture: (N,) int64.
            uv: (N, 2), in widths and heights of the texture.
            level: (N,) mip level, log2 of the footprint in texels.
        """
        level = level.clamp(0.0, self._depth - 1.001)
        fine = level.floor()
        row = texture * self._depth + fine.to(torch.int64)
        a, b = self._bilinear(row, uv), self._bilinear(row + 1, uv)
        return torch.lerp(a, b, (level - fine)[:, None]) * (1.0 / 255.0)

    def _bilinear(self, row: Tensor, uv: Tensor) -> Tensor:
        base, w, h = self._table.index_select(0, row).unbind(1)
        x, y = uv[:, 0] * w - 0.5, uv[:, 1] * h - 0.5
        left, top = x.floor(), y.floor()
        fx, fy = (x - left)[:, None], (y - top)[:, None]
        # w and h are powers of two: & wraps, for negative numbers too.
        x0, y0 = left.to(torch.int64), top.to(torch.int64)
        x0, x1 = x0 & (w - 1), (x0 + 1) & (w - 1)
        y0, y1 = base + (y0 & (h - 1)) * w, base + ((y0 + 1) & (h - 1)) * w
        upper = torch.lerp(self._take(y0 + x0), self._take(y0 + x1), fx)
        lower = torch.lerp(self._take(y1 + x0), self._take(y1 + x1), fx)
        return torch.lerp(upper, lower, fy)

    def _take(self, index: Tensor) -> Tensor:
        return self._texels.index_select(0, index).to(torch.float32)


def _pyramid(image: np.ndarray, depth: int) -> list[np.ndarray]:
    """`depth` levels, each half of the one before; a side of one texel stays."""
    levels = [image]
    for _ in range(depth - 1):
        fine = levels[-1].astype(np.float32)
        for axis in (0, 1):
            if fine.shape[axis] > 1:
                fine = 0.5 * (
                    fine.take(range(0, fine.shape[axis], 2), axis)
                    + fine.take(range(1, fine.shape[axis], 2), axis)
                )
        levels.append(np.round(fine).astype(np.uint8))
    return levels
