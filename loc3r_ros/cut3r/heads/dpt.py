# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The dense prediction transformer heads of the 512 checkpoint (Ranftl et al., ICCV 2021)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.heads.common import COLOUR_CHANNELS, POINT_CHANNELS, Heads, Levels

WIDTHS = (96, 192, 384, 768)
FEATURES = 256
LAST = 128


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)


class ResidualConvUnit(nn.Module):
    """Two 3x3 convolutions, each after a ReLU, and the input added."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.conv2 = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(functional.relu(self.conv1(functional.relu(x)))) + x


class Fusion(nn.Module):
    """Join a level to what came from the coarser ones, at twice the resolution.

    The coarsest level has nothing to join: its `resConfUnit1` lies in the checkpoint, unused.
    """

    def __init__(self) -> None:
        super().__init__()
        self.resConfUnit1 = ResidualConvUnit()
        self.resConfUnit2 = ResidualConvUnit()
        self.out_conv = nn.Conv2d(FEATURES, FEATURES, 1)

    def forward(self, level: Tensor, coarser: Tensor | None) -> Tensor:
        x = level if coarser is None else coarser + self.resConfUnit1(level)
        return self.out_conv(_double(self.resConfUnit2(x)))


class Scratch(nn.Module):
    """The convolutional part, under the key names of the checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1_rn, self.layer2_rn, self.layer3_rn, self.layer4_rn = (
            nn.Conv2d(width, FEATURES, 3, padding=1, bias=False) for width in WIDTHS
        )
        # The same four modules once more: the checkpoint lists them under both names.
        self.layer_rn = nn.ModuleList(
            (self.layer1_rn, self.layer2_rn, self.layer3_rn, self.layer4_rn)
        )
        self.refinenet1, self.refinenet2, self.refinenet3, self.refinenet4 = (
            Fusion() for _ in WIDTHS
        )

    def forward(self, levels: list[Tensor]) -> Tensor:
        first, second, third, fourth = (
            layer(x) for layer, x in zip(self.layer_rn, levels, strict=True)
        )
        # Twice a halved odd grid is a row or column too large.
        x = self.refinenet4(fourth, None)[..., : third.shape[-2], : third.shape[-1]]
        x = self.refinenet3(third, x)
        x = self.refinenet2(second, x)
        return self.refinenet1(first, x)


class DptNet(nn.Module):
    """Four levels of tokens to a map at the resolution of the image."""

    def __init__(self, enc_dim: int, dec_dim: int, channels: int) -> None:
        super().__init__()
        w1, w2, w3, w4 = WIDTHS
        self.act_postprocess = nn.ModuleList(
            (
                nn.Sequential(nn.Conv2d(enc_dim, w1, 1), nn.ConvTranspose2d(w1, w1, 4, 4)),
                nn.Sequential(nn.Conv2d(dec_dim, w2, 1), nn.ConvTranspose2d(w2, w2, 2, 2)),
                nn.Sequential(nn.Conv2d(dec_dim, w3, 1)),
                nn.Sequential(nn.Conv2d(dec_dim, w4, 1), nn.Conv2d(w4, w4, 3, 2, padding=1)),
            )
        )
        self.scratch = Scratch()
        self.head = nn.Sequential(
            nn.Conv2d(FEATURES, LAST, 3, padding=1),
            nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True),
            nn.Conv2d(LAST, LAST, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(LAST, channels, 1),
        )

    def forward(self, levels: Levels, grid: tuple[int, int]) -> Tensor:
        maps = [
            resample(tokens.transpose(1, 2).unflatten(-1, grid))
            for resample, tokens in zip(self.act_postprocess, levels, strict=True)
        ]
        return self.head(self.scratch(maps))


class DptHeads(Heads):
    """Three separate DPT networks."""

    def __init__(self, config: Cut3rConfig) -> None:
        super().__init__(config)
        dims = config.enc_dim, config.dec_dim
        self.dpt_self = DptNet(*dims, POINT_CHANNELS)
        self.dpt_cross = DptNet(*dims, POINT_CHANNELS)
        self.dpt_rgb = DptNet(*dims, COLOUR_CHANNELS)

    def networks(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        return self.dpt_self, self.dpt_cross, self.dpt_rgb
