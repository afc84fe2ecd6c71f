# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How the tiny language model begins to learn.

Loc3R-VLM begins with a language model that reads; this one begins at random. With Qwen2's deviation
of 0.02, meant for widths of thousands, its layers say next to nothing at a width of 256, and once
they are made to speak up, they drown the names that words are to find their patches by.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from loc3r_ros.vlm.model.loc3r import Loc3rVlm

LOUDNESS = 8.0
"""How many times as high what is read stands over what the layers add to it."""

FINAL = 0.4
"""The last norm: words can be told apart by embeddings that loud, tied to the output layer."""


@torch.no_grad()
def begin(model: Loc3rVlm, seed: int = 0) -> None:
    """Draw the language model's layers anew, and let what it reads stand higher than they.

    Matrices have a deviation of one by the root of the width they read; those that add to the
    residual are smaller by the root of how many there are. Embeddings and camera tokens are
    `LOUDNESS` times as large, and the last norm is `FINAL`.
    """
    language: Any = model.language  # transformers' own
    draw = torch.Generator().manual_seed(seed)

    def fill(weight: Tensor, shrink: float = 1.0) -> None:
        deviation = shrink * weight.shape[1] ** -0.5
        weight.copy_(torch.randn(weight.shape, generator=draw) * deviation)

    quiet = (2 * len(language.layers)) ** -0.5
    for layer in language.layers:
        attention, mlp = layer.self_attn, layer.mlp
        for part in (attention.q_proj, attention.k_proj, attention.v_proj, mlp.gate_proj):
            fill(part.weight)
        fill(mlp.up_proj.weight)
        fill(attention.o_proj.weight, quiet)
        fill(mlp.down_proj.weight, quiet)
    projection = list(model.camera_projector.children())[-1]
    for values in (language.embed_tokens.weight, model.newline, *projection.parameters()):
        values.mul_(LOUDNESS)
    language.norm.weight.fill_(FINAL)
    for head in (model.position_head, model.orientation_head):
        next(head.parameters()).mul_(LOUDNESS)
    model.layout_head.weight.mul_(LOUDNESS)
