# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The two decoders that run side by side: image tokens and state tokens read each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.rope import Layout, Rope, rope_table


class DecoderRopes(NamedTuple):
    """The rotations of both token sets, in each decoder's head width."""

    image: Rope
    state: Rope
    image_in_state: Rope
    state_in_image: Rope


def decoder_ropes(config: Cut3rConfig, grid: tuple[int, int], device: torch.device) -> DecoderRopes:
    """Tables for an (h, w) grid of patches led by the pose token, and for the state."""
    h, w = grid
    image, state = Layout(h * w, w, True), Layout(config.state_tokens, config.state_width)
    image_dim = config.dec_dim // config.dec_heads
    state_dim = config.dec_dim // config.state_heads
    return DecoderRopes(
        *(
            rope_table(layout, dim, config.rope_base, device)
            for layout, dim in (
                (image, image_dim),
                (state, state_dim),
                (image, state_dim),
                (state, image_dim),
            )
        )
    )


class Decoded(NamedTuple):
    """What leaves the decoders; nothing is normed yet.

    Attributes:
        middle, late: image tokens (B, 1+N, D) after half and three quarters of the blocks.
        image: image tokens after all blocks.
        state: state tokens (B, S, D) after all blocks.
        score: with `align`, (B, S): mean over layers, heads and image tokens of q.k / sqrt(d) in
            the state decoder's cross-attention.
    """

    middle: Tensor
    late: Tensor
    image: Tensor
    state: Tensor
    score: Tensor | None


def decode(
    image_blocks: Sequence[nn.Module] | nn.ModuleList,
    state_blocks: Sequence[nn.Module] | nn.ModuleList,
    image: Tensor,
    state: Tensor,
    ropes: DecoderRopes,
    align: bool = False,
) -> Decoded:
    """Run both decoders; at each layer both read the other's previous layer."""
    depth = len(image_blocks)
    outputs, scores = [image], []
    for image_block, state_block in zip(image_blocks, state_blocks, strict=True):
        updated, score = state_block(state, image, ropes.state, ropes.image_in_state, align)
        image, _ = image_block(image, state, ropes.image, ropes.state_in_image)
        state = updated
        outputs.append(image)
        if score is not None:
            scores.append(score)
    mean = torch.stack(scores).mean(0) if scores else None
    return Decoded(outputs[depth // 2], outputs[3 * depth // 4], image, state, mean)
