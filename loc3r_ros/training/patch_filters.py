# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Filters that tell most of a patch with few numbers: its lowest frequencies, equally strong."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
CHROMA = ((-0.3, -0.3, 0.6), (0.6, -0.4, -0.2))

_SPREAD, _CONSTANT, _FALL, _CHROMA = 1.5, 3.8, 1.5, 0.26
"""Standard deviations of the components over rooms, measured once: `_SPREAD` at the lowest
frequency, falling with its power `_FALL`; `_CONSTANT` times that for the mean of a patch, and
`_CHROMA` times all of it for colours."""


def patch_filters(count: int, size: int) -> Tensor:
    """(count, 3, size, size) cosines over RGB patches in [-1, 1], whose answers vary by about 1.

    Seven tenths are of the light, lowest frequencies first, and the others of two colours.
    """
    each = 3 * count // 20
    rows = [(LUMA, 1.0, count - 2 * each), *((chroma, _CHROMA, each) for chroma in CHROMA)]
    return torch.cat([_of_one(torch.tensor(c), size, n) / spread for c, spread, n in rows])


def _of_one(weights: Tensor, size: int, count: int) -> Tensor:
    frequencies = sorted((i * i + j * j, i, j) for i in range(size) for j in range(size))[:count]
    basis = _cosines(size)
    filters = []
    for square, i, j in frequencies:
        spread = _SPREAD * (square ** (-_FALL / 2) if square else _CONSTANT)
        filters.append(weights[:, None, None] * torch.outer(basis[i], basis[j]) / spread)
    return torch.stack(filters)


def _cosines(size: int) -> Tensor:
    """(size, size) orthonormal basis of the discrete cosine transform, a row a frequency."""
    k, x = torch.arange(size)[:, None], torch.arange(size)
    basis = torch.cos(math.pi * (x + 0.5) * k / size) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    return basis
