# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Grouped-query attention of new tokens over a cached prefix, without copying the prefix.

transformers repeats keys and values for each query head as soon as there is a mask: at full size
that would copy 400 MB a layer and question. Here the query heads that share a key head are laid
behind one another as more rows of queries instead; the sums are the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_ALIGNMENT = 8
"""Elements that a row of a mask starts at a multiple of: CUDA kernels copy it otherwise."""


def extension_mask(new: int, start: int, groups: int, like: Tensor) -> Tensor | None:
    """What `new` tokens after `start` cached ones may look at: these, and one another backwards.

    Args:
        new, start: tokens.
        groups: query heads per key head.
        like: gives dtype and device.

    Returns:
        (1, 1, groups * new, start + new), 0 or -inf, to be added; None for one token, which looks
        at everything, and without a prefix, where `attend` is causal by itself.
    """
    if new == 1 or start == 0:
        return None
    length = start + new
    padded = -(-length // _ALIGNMENT) * _ALIGNMENT
    mask = like.new_full((new, padded), -torch.inf).triu(start + 1)
    return mask.repeat(groups, 1)[None, None, :, :length]


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention in the form that transformers' attention interface asks for.

    Args:
        module: the layer; unused.
        query: (B, heads, new, d).
        key, value: (B, kv_heads, length, d), cached and new.
        attention_mask: of `extension_mask`; None: one new token, or causal over new ones only.
        scaling: of the products.
        dropout: of the weights.

    Returns:
        (B, new, heads, d), and None for the weights, which are not kept.
    """
    batch, heads, new, d = query.shape
    groups = heads // key.shape[1]
    if new > 1 and attention_mask is None:
        return _causal(query, key, value, scaling, dropout), None
    rows = query.unflatten(1, (-1, groups)).flatten(2, 3)
    out = functional.scaled_dot_product_attention(
        rows, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling
    )
    return out.view(batch, heads, new, d).transpose(1, 2).contiguous(), None


def _causal(query: Tensor, key: Tensor, value: Tensor, scaling: float, dropout: float) -> Tensor:
    """All tokens are new: here each query head needs its own keys, or a kernel that shares them."""
    shared = query.is_cuda and query.dtype in (torch.float16, torch.bfloat16)
    if not shared:
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    out = functional.scaled_dot_product_attention(
        query,
        key,
        value,
        is_causal=True,
        dropout_p=dropout,
        scale=scaling,
        enable_gqa=shared,
    )
    return out.transpose(1, 2).contiguous()
