# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From raw head outputs to points, confidences, colours and poses."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_TINY = 1e-8


def points(raw: Tensor, front: bool = False) -> Tensor:
    """Points (..., 3) whose distance is expm1 of the raw norm, along the raw direction.

    Args:
        raw: (..., 3) head output.
        front: turn points behind the camera about, as the linear head's self view does.
    """
    if front:
        raw = raw * raw[..., 2:].sign()
    distance = raw.norm(dim=-1, keepdim=True)
    return raw / distance.clamp(min=_TINY) * torch.expm1(distance)


def confidence(raw: Tensor) -> Tensor:
    """1 + exp: at least 1."""
    return 1 + raw.exp()


def colour(raw: Tensor) -> Tensor:
    """RGB in (-1, 1), the scale of the network's input."""
    return 2 * (raw.sigmoid() * (1 - 2e-6) + 1e-6 - 0.5)


def camera_pose(raw: Tensor) -> Tensor:
    """(..., 7) camera-to-world translation and unit quaternion (w, x, y, z), w >= 0."""
    t, q = raw[..., :3], functional.normalize(raw[..., 3:], dim=-1, eps=1e-12)
    length = t.norm(dim=-1, keepdim=True)
    t = t * torch.expm1(length) / length.clamp(min=_TINY)
    return torch.cat([t, torch.where(q[..., :1] < 0, -q, q)], -1)
