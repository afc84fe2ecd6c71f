# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A CUT3R network before it has learnt anything: it sees a wall in front of it and stands still."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import nn

from loc3r_ros.cut3r.blocks import CrossAttention
from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.heads.common import POINT_CHANNELS
from loc3r_ros.cut3r.model import Cut3r

DEPTH = 2.0
"""Of that wall, m."""

TOKEN_DEVIATION = 0.02

NEARNESS = 3.0
"""Bias of queries and keys that look at the same place; a place further, a seventh as much."""

_Z = 2
"""Channel of the point maps that is z, before its exponential."""

_LAST_OF_POINTS = {
    'linear': ('proj.fc2', 'cross_proj.fc2'),
    'dpt': ('dpt_self.head.4', 'dpt_cross.head.4'),
}


def begin(config: Cut3rConfig, seed: int) -> Cut3r:
    """A network to train from scratch.

    Products are Glorot's, since the layers are too narrow for a fixed deviation; what leads out is
    small, so that the first steps do not have to unlearn poses and points that chance chose.
    """
    torch.manual_seed(seed)
    model = Cut3r(config)
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight.flatten(1))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for token in (
        model.pose_token,
        model.masked_img_token,
        model.masked_ray_map_token,
        model.register_tokens.weight,
        model.pose_retriever.mem,
        model.pose_retriever.masked_token,
    ):
        nn.init.normal_(token, std=TOKEN_DEVIATION)
    for block in (*model.dec_blocks, *model.dec_blocks_state):
        _look_at_the_same_place(cast(CrossAttention, block.cross_attn))
    _begin_heads(model)
    return model


@torch.no_grad()
def _look_at_the_same_place(attention: CrossAttention) -> None:
    """Half of the heads attend to tokens of the other stream by their place, not their content.

    Two constant vectors that are rotated by their positions agree the more the nearer these are.
    Image and state are laid on like grids: what is seen at a place is kept at that place, and the
    next image meets it there. With attention at random, the state would begin as one mean of all
    patches, of which no motion can be told.
    """
    half = attention.projq.out_features // attention.heads * (attention.heads // 2)
    attention.projq.bias[:half] = NEARNESS
    attention.projk.bias[:half] = NEARNESS


@torch.no_grad()
def _begin_heads(model: Cut3r) -> None:
    head = dict(model.downstream_head.named_parameters())
    head['pose_head.mlp.fc2.weight'].mul_(0.1)
    # A quaternion with a real part of one: no rotation.
    head['pose_head.mlp.fc2.bias'][3] = 1.0
    for name, weight in head.items():
        if name.endswith(('norm1.mlp.1.weight', 'norm2.mlp.1.weight')):
            weight.zero_()
    for last in _LAST_OF_POINTS[model.config.head]:
        head[f'{last}.weight'].mul_(0.3)
        head[f'{last}.bias'].unflatten(0, (POINT_CHANNELS, -1))[_Z] = math.log1p(DEPTH)
