# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the linear and the DPT heads have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn

from loc3r_ros.cut3r import activations
from loc3r_ros.cut3r.blocks import Mlp, ModulatedBlock
from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.rope import Rope

MODULATED_BLOCKS = 2
POINT_CHANNELS = 4
COLOUR_CHANNELS = 3


class Levels(NamedTuple):
    """Patch tokens (B, N, C) of one frame, from early to late.

    Attributes:
        encoder: encoder features, C = De.
        middle, late: image decoder after half and after three quarters of its blocks, not normed.
        last: image decoder after its norm, or that modulated by the camera token.
    """

    encoder: Tensor
    middle: Tensor
    late: Tensor
    last: Tensor


class Maps(NamedTuple):
    """Dense outputs of one frame; names and meanings as published.

    Attributes:
        pts3d_in_self_view: (B, H, W, 3) points in this camera's optical frame, m.
        conf_self: (B, H, W) their confidence, >= 1.
        pts3d_in_other_view: (B, H, W, 3) points in the frame of the stream's first camera, m.
        conf: (B, H, W) their confidence, >= 1.
        rgb: (B, H, W, 3) colour reconstruction in (-1, 1).
    """

    pts3d_in_self_view: Tensor
    conf_self: Tensor
    pts3d_in_other_view: Tensor
    conf: Tensor
    rgb: Tensor


class PoseHead(nn.Module):
    """The camera token (B, D) to translation and quaternion (B, 7), before their activation."""

    def __init__(self, dim: int, mlp_ratio: int) -> None:
        super().__init__()
        self.mlp = Mlp(dim, mlp_ratio, 7)

    def forward(self, camera: Tensor) -> Tensor:
        return self.mlp(camera)


class Heads(nn.Module, ABC):
    """Pose head, modulated blocks for the world view, and three dense networks of a subclass.

    The networks map `Levels` on an (h, w) grid of patches to (B, channels, 16h, 16w).
    """

    front = False
    """Whether points of the self view behind the camera are turned about."""

    def __init__(self, config: Cut3rConfig) -> None:
        super().__init__()
        self.pose_head = PoseHead(config.dec_dim, config.mlp_ratio)
        self.final_transform = nn.ModuleList(
            ModulatedBlock(config.dec_dim, config.dec_heads, config.mlp_ratio)
            for _ in range(MODULATED_BLOCKS)
        )

    @abstractmethod
    def networks(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        """The networks of the self view, of the world view and of colour."""

    def forward(self, levels: Levels, camera: Tensor, grid: tuple[int, int], rope: Rope) -> Maps:
        """Dense maps of a frame from its tokens and its camera token (B, 1, D)."""
        world = levels.last
        for block in self.final_transform:
            world = block(world, camera, rope)
        view_net, world_net, colour_net = self.networks()
        view_map = _channels_last(view_net(levels, grid))
        world_map = _channels_last(world_net(levels._replace(last=world), grid))
        return Maps(
            activations.points(view_map[..., :3], front=self.front),
            activations.confidence(view_map[..., 3]),
            activations.points(world_map[..., :3]),
            activations.confidence(world_map[..., 3]),
            activations.colour(_channels_last(colour_net(levels, grid))),
        )


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)
