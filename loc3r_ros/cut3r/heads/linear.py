# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The linear heads of the 224 checkpoint: one MLP a patch."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.cut3r.blocks import Mlp
from loc3r_ros.cut3r.config import PATCH, Cut3rConfig
from loc3r_ros.cut3r.heads.common import COLOUR_CHANNELS, POINT_CHANNELS, Heads, Levels


class PatchMlp(Mlp):
    """Each token of the last level to the pixels of its patch."""

    def __init__(self, dim: int, ratio: int, channels: int) -> None:
        super().__init__(dim, ratio, channels * PATCH * PATCH)

    def forward(self, levels: Levels, grid: tuple[int, int]) -> Tensor:  # type: ignore[override]
        x = super().forward(levels.last).transpose(1, 2).unflatten(-1, grid)
        return functional.pixel_shuffle(x, PATCH)


class LinearHeads(Heads):
    """Heads that see the last level only."""

    front = True

    def __init__(self, config: Cut3rConfig) -> None:
        super().__init__(config)
        dims = config.dec_dim, config.mlp_ratio
        self.proj = PatchMlp(*dims, POINT_CHANNELS)
        self.cross_proj = PatchMlp(*dims, POINT_CHANNELS)
        self.rgb_proj = PatchMlp(*dims, COLOUR_CHANNELS)

    def networks(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        return self.proj, self.cross_proj, self.rgb_proj
