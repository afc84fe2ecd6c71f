# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The forward pass of Qwen2 (arXiv 2407.10671) over the modules of transformers' Qwen2Model.

transformers' own pass builds masks, repeats cached keys under them, and does so much bookkeeping
that one token of the tiny size takes a quarter longer. Its arguments also change from version to
version, where its modules do not. The numbers are the same; a test compares them.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from loc3r_ros.vlm.model.attention import attend


class KeyValues(Protocol):
    """What holds keys and values of the tokens before; transformers' caches do, too."""

    def update(self, key: Tensor, value: Tensor, layer: int, /) -> tuple[Tensor, Tensor]:
        """Take new ones (B, kv_heads, n, d) of a layer, give all (B, kv_heads, length, d)."""


def read(
    language: Any, embeddings: Tensor, mask: Tensor | None, cache: KeyValues | None, start: int
) -> Tensor:
    """Hidden states (B, n, width) after the last norm, of tokens at positions from `start` on."""
    positions = torch.arange(start, start + embeddings.shape[1], device=embeddings.device)
    cos, sin = language.rotary_emb(embeddings, positions[None])
    half = sin.shape[-1] // 2
    signed_sin = torch.cat((-sin[..., :half], sin[..., half:]), -1)

    def advance(x: Tensor, layer: Any, number: int) -> Tensor:
        query, key, value = _project(layer.self_attn, layer.input_layernorm(x))
        query, key = rotate(query, cos, signed_sin), rotate(key, cos, signed_sin)
        if cache is not None:
            key, value = cache.update(key, value, number)
        x = x + layer.self_attn.o_proj(attend(query, key, value, mask))
        return x + layer.mlp(layer.post_attention_layernorm(x))

    x = embeddings
    # The switch is transformers': `gradient_checkpointing_enable()`.
    again = language.gradient_checkpointing and torch.is_grad_enabled()
    for number, layer in enumerate(language.layers):
        if again:
            x = checkpoint(advance, x, layer, number, use_reentrant=False)
        else:
            x = advance(x, layer, number)
    return language.norm(x)


def rotate(x: Tensor, cos: Tensor, signed_sin: Tensor) -> Tensor:
    """RoPE in halves: pairs are (i, i + d / 2).

    Args:
        x: (B, heads, n, d).
        cos: (1, n, d).
        signed_sin: (1, n, d), its first half negative.
    """
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), signed_sin)


def _project(attention: Any, x: Tensor) -> list[Tensor]:
    """Queries, keys and values, each (B, its heads, n, d)."""
    projections: tuple[nn.Module, ...] = (attention.q_proj, attention.k_proj, attention.v_proj)
    return [p(x).unflatten(-1, (-1, attention.head_dim)).transpose(1, 2) for p in projections]
