# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Two-dimensional rotary position embedding of tokens that lie on a grid."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Layout(NamedTuple):
    """Tokens in row-major order on a grid, after an optional pose token at (-1, -1).

    Attributes:
        tokens: how many lie on the grid; the last row may be partial.
        width: columns of the grid.
        pose_token: whether a pose token comes first.
    """

    tokens: int
    width: int
    pose_token: bool = False

    def positions(self) -> NDArray[np.int32]:
        """(T, 2) row and column of each token."""
        grid = np.stack(np.divmod(np.arange(self.tokens, dtype=np.int32), self.width), -1)
        lead = np.full((int(self.pose_token), 2), -1, dtype=np.int32)
        return np.concatenate([lead, grid.astype(np.int32)])


class Rope(NamedTuple):
    """Cosine and sine (T, 2, d/4) of the angles by row and by column; d is the width of a head."""

    cos: Tensor
    sin: Tensor


def rope_table(layout: Layout, head_dim: int, base: float, device: torch.device) -> Rope:
    """The rotation of every token of a layout, float32, kept for the layouts last seen."""
    # A tracer's stand-in tensors must not stay in the cache.
    build = _table.__wrapped__ if torch.compiler.is_compiling() else _table
    return build(layout, head_dim, base, device)


@lru_cache(maxsize=64)
def _table(layout: Layout, head_dim: int, base: float, device: torch.device) -> Rope:
    quarter = head_dim // 4
    frequency = base ** (-np.arange(quarter) / quarter)
    angle = layout.positions()[:, :, None] * frequency
    # Tables made under inference mode could not serve a later training step.
    with torch.inference_mode(False):
        return Rope(
            torch.tensor(np.cos(angle), dtype=torch.float32, device=device),
            torch.tensor(np.sin(angle), dtype=torch.float32, device=device),
        )


def rotate(x: Tensor, rope: Rope) -> Tensor:
    """Rotate queries or keys (B, heads, T, d), in float32 or better; the dtype of x is kept.

    The first half of a head turns by the row, the second by the column; within a half of length
    d/2, channel i pairs with channel i + d/4.
    """
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    u, v = wide.unflatten(-1, (2, 2, -1)).unbind(-2)
    turned = torch.stack((u * rope.cos - v * rope.sin, v * rope.cos + u * rope.sin), -2)
    return turned.flatten(-3).to(x.dtype)


def channel_pairs(dim: int, heads: int) -> Tensor:
    """Order (dim,) of the channels of q or k by which those that turn together lie side by side.

    Products of q and k do not change when the channels of both are put in one order, and those of
    a layer are by the rows of its weights.
    """
    half = torch.arange(dim // heads).view(2, 2, -1).transpose(1, 2).flatten()
    return (torch.arange(heads)[:, None] * (dim // heads) + half).flatten()
