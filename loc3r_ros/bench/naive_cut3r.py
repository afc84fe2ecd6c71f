# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R written straight down, as the published code runs it: what speed is measured against.

float32, all heads, attention as two products with a softmax between them, also over a single key.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from loc3r_ros.cut3r.blocks import CrossAttention, SelfAttention
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.rope import Rope, rotate


def naive(model: Cut3r) -> Cut3r:
    """A model on the weights of another, with every attention written straight down."""
    with torch.device('meta'):
        copy = Cut3r(model.config)
    copy.load_state_dict(model.state_dict(), assign=True)
    for module in list(copy.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, SelfAttention):
                setattr(module, name, NaiveSelfAttention(child))
            elif isinstance(child, CrossAttention):
                setattr(module, name, NaiveCrossAttention(child))
    return copy.eval()


def _attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1)
    return (weights @ v).transpose(1, 2).flatten(2)


class NaiveSelfAttention(nn.Module):
    """As `SelfAttention`."""

    def __init__(self, plain: SelfAttention) -> None:
        super().__init__()
        self.plain = plain

    def forward(self, x: Tensor, rope: Rope | None) -> Tensor:
        packed = self.plain.qkv(x).unflatten(-1, (3, self.plain.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = packed
        if rope is not None and self.plain.half_rounding:
            q, k = rotate(q.half(), rope).float(), rotate(k.half(), rope).float()
        elif rope is not None:
            q, k = rotate(q, rope), rotate(k, rope)
        return self.plain.proj(_attended(q, k, v))


class NaiveCrossAttention(nn.Module):
    """As `CrossAttention`, by the rule `cut3r`."""

    def __init__(self, plain: CrossAttention) -> None:
        super().__init__()
        self.plain = plain

    def forward(
        self, x: Tensor, y: Tensor, rope_x: Rope | None, rope_y: Rope | None, align: bool = False
    ) -> tuple[Tensor, None]:
        plain = self.plain
        q, k, v = (
            part.unflatten(-1, (plain.heads, -1)).transpose(1, 2)
            for part in (plain.projq(x), plain.projk(y), plain.projv(y))
        )
        if rope_x is not None and rope_y is not None:
            q, k = rotate(q, rope_x), rotate(k, rope_y)
        return plain.proj(_attended(q, k, v)), None
