# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Grouped-query attention of new tokens over a cached prefix, without copying the prefix.

torch's kernels that take a mask want keys and values repeated for each query head: at full size
that would copy 100 MB a layer and question. Here the query heads that share a key head are laid
behind one another as more rows of queries instead; the sums are the same.
"""

from __future__ import annotations

import torch
from torch import Tensor
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


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax-weighted values, products scaled by 1 / sqrt(d).

    Args:
        query: (B, heads, n, d).
        key, value: (B, kv_heads, length, d), cached and new; may be views into a cache.
        mask: of `extension_mask`; None: one new token, or causal over new ones only.

    Returns:
        (B, n, heads * d).
    """
    heads, n = query.shape[1:3]
    groups = heads // key.shape[1]
    causal = n > 1 and mask is None
    if causal and not _in_parts(query):
        out = _causal(query, key, value, groups)
    else:
        rows = query.unflatten(1, (-1, groups)).flatten(2, 3)
        if _in_parts(query):
            mask = _triangle(n, 0, query).repeat(groups, 1) if causal else mask
            out = _parts(rows, key, value, mask)
        else:
            out = functional.scaled_dot_product_attention(rows, key, value, attn_mask=mask)
        out = out.unflatten(2, (groups, n)).flatten(1, 2)
    return out.transpose(1, 2).flatten(2)


def _in_parts(query: Tensor) -> bool:
    """Where bfloat16 is trained on a CPU: there the fused kernel takes twice the time."""
    return query.requires_grad and query.device.type == 'cpu' and torch.is_autocast_enabled('cpu')


def _parts(rows: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    scores = rows * rows.shape[-1] ** -0.5 @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    return scores.softmax(-1) @ value


def _triangle(new: int, start: int, like: Tensor) -> Tensor:
    """(new, start + new), -inf where a token comes after the one that looks."""
    return like.new_full((new, start + new), -torch.inf).triu(start + 1)


def _causal(query: Tensor, key: Tensor, value: Tensor, groups: int) -> Tensor:
    """All tokens are new: here each query head needs its own keys, or a kernel that shares them."""
    shared = query.is_cuda and query.dtype in (torch.float16, torch.bfloat16)
    if not shared:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    return functional.scaled_dot_product_attention(
        query, key, value, is_causal=True, enable_gqa=shared
    )
