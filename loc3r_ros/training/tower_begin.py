# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How the tiny image tower begins: patches are told by their frequencies, and ask their neighbours.

Loc3R-VLM begins with SigLIP, which has seen billions of images. A transformer that begins at random
must first find out that patches lie beside one another; one that begins like a convolution gets as
far in a fraction of the images.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from loc3r_ros.training.patch_filters import patch_filters
from loc3r_ros.vlm.model.loc3r import Loc3rVlm

REACH = (1, 1, 2, 3)
"""How many patches away the heads of each layer look; the last holds for all further ones."""

SHARPNESS = 0.9
"""Gain of queries and keys: of a head's attention a fifth goes where it is to look in the first
layer, two fifths there and to the patches around; where it looks farther a third as much."""

_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))


@torch.no_grad()
def begin(model: Loc3rVlm, seed: int = 0) -> None:
    """Draw tower and projector anew.

    Matrices have a deviation of one by the root of what they read; those that add to the residual
    are smaller by the root of how many there are. The last channels, as many as a head has, tell a
    patch's place in waves along either side, of one half turn and more; the first four heads of a
    layer look from there to the right, left, down and up. Patches are told by their frequencies
    (`patch_filters`) as far as these go.
    """
    shape, side = model.config.vision, model.config.patches
    tower: Any = model.vision
    draw = torch.Generator().manual_seed(seed)
    for part in (model.vision, model.projector):
        for module in part.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                fan = module.weight[0].numel()
                weight = torch.randn(module.weight.shape, generator=draw)
                module.weight.copy_(weight * fan**-0.5)
    layers = list(tower.encoder.layers)
    for layer in layers:
        for out in (layer.self_attn.out_proj, layer.mlp.fc2):
            out.weight.mul_((2 * len(layers)) ** -0.5)
    width = shape.hidden_size // shape.heads
    codes = _codes(side, width)
    kernel = tower.embeddings.patch_embedding.weight
    # Seven tenths are of the light, which has no more frequencies than a patch has pixels.
    told = min(len(kernel) - width, 10 * shape.patch_size**2 // 7)
    filters = patch_filters(told, shape.patch_size)
    kernel[: len(filters)] = filters
    kernel[-width:] = 0
    tower.embeddings.position_embedding.weight.zero_()
    tower.embeddings.position_embedding.weight[:, -width:] = codes
    for number, layer in enumerate(layers):
        reach = REACH[min(number, len(REACH) - 1)]
        for head, (across, down) in zip(range(shape.heads), _SIDES, strict=False):
            rows = slice(head * width, (head + 1) * width)
            for product, turn in (
                (layer.self_attn.q_proj, _turn(width, side, across * reach, down * reach)),
                (layer.self_attn.k_proj, torch.eye(width)),
            ):
                product.weight[rows] = 0
                product.weight[rows, -width:] = SHARPNESS * turn


def _waves(width: int, side: int) -> Tensor:
    """(width // 4,) numbers of half turns over a side, radians a patch."""
    return math.pi * torch.arange(1, width // 4 + 1) / side


def _codes(side: int, width: int) -> Tensor:
    """(side^2, width) of the places of patches: cosines and sines of x, then of y."""
    at = torch.arange(side).float()
    y, x = torch.meshgrid(at, at, indexing='ij')
    phases = torch.stack([x.flatten(), y.flatten()], 1)[..., None] * _waves(width, side)
    codes = torch.stack([phases.cos(), phases.sin()], -1).flatten(1)
    return nn.functional.pad(codes, (0, width - codes.shape[1]))


def _turn(width: int, side: int, across: int, down: int) -> Tensor:
    """(width, width) that makes the code of a place that of the place so many patches away."""
    waves = _waves(width, side)
    angles = torch.cat([across * waves, down * waves])
    turn = torch.zeros(width, width)
    for k, angle in enumerate(angles.tolist()):
        cos, sin = math.cos(angle), math.sin(angle)
        turn[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = torch.tensor([[cos, -sin], [sin, cos]])
    return turn
