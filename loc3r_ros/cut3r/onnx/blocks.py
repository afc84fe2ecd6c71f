# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The transformer blocks as ONNX nodes, from the modules that hold their weights.

Products are in the graph's narrow dtype, all else is float32. A compiler fuses attention only where
the pattern is plain: the scale is on q before the first product, and nothing else is in between.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from loc3r_ros.cut3r import blocks
from loc3r_ros.cut3r.rope import Rope
from loc3r_ros.runtime.onnx_graph import Graph, Value

ATTENTION_SINCE = 23
"""Opset that has attention as one operator."""

_GELU_SINCE = 20


class Turn(NamedTuple):
    """A rotation of whole heads: x cos + swapped(x) sin, over (T, 1, d)."""

    cos: Value
    sin: Value


def array(x: Tensor) -> NDArray[Any]:
    return x.detach().cpu().numpy()


def turn(g: Graph, name: str, rope: Rope) -> Turn:
    """The tables of a rotation, for heads whose channels are in `halves_first` order."""
    cos, sin = (array(table).reshape(len(table), 1, -1) for table in rope)
    return Turn(
        g.shared(f'{name}.cos', np.concatenate([cos, cos], -1)),
        g.shared(f'{name}.sin', np.concatenate([-sin, sin], -1)),
    )


def halves_first(dim: int, heads: int) -> NDArray[np.int64]:
    """Order of the channels of q and k by which two rotations of half a head become one.

    Rows turn the first half of a head and columns the second, each channel i of a quarter with the
    one a quarter on. With the first quarters of both halves first, channel i goes with i + d/2
    throughout. Products of q and k do not change when both are reordered.
    """
    head = np.arange(dim // heads).reshape(2, 2, -1).swapaxes(0, 1).ravel()
    return (np.arange(heads)[:, None] * (dim // heads) + head).ravel()


def product(g: Graph, x: Value, weight: NDArray[Any], bias: NDArray[Any]) -> Value:
    """A linear map, narrow."""
    w = g.constant('weight', weight.T.astype(g.narrow))
    b = g.constant('bias', bias.astype(g.narrow))
    return g.op('Add', g.op('MatMul', g.cast(x, g.narrow), w), b)


def linear(g: Graph, name: str, x: Value, module: nn.Linear) -> Value:
    with g.scope(name):
        return product(g, x, array(module.weight), array(module.bias))


def layer_norm(g: Graph, name: str, x: Value, module: nn.LayerNorm) -> Value:
    """In float32."""
    with g.scope(name):
        weight = g.constant('weight', array(module.weight))
        bias = g.constant('bias', array(module.bias))
        wide = g.cast(x, 'float32')
        return g.op('LayerNormalization', wide, weight, bias, axis=-1, epsilon=module.eps)


def gelu(g: Graph, x: Value) -> Value:
    if g.opset >= _GELU_SINCE:
        return g.op('Gelu', x)
    inner = g.op('Erf', g.op('Mul', x, g.number(math.sqrt(0.5), x.dtype)))
    half = g.op('Mul', x, g.number(0.5, x.dtype))
    return g.op('Mul', half, g.op('Add', inner, g.number(1.0, x.dtype)))


def mlp(g: Graph, name: str, x: Value, module: blocks.Mlp) -> Value:
    with g.scope(name):
        return linear(g, 'fc2', gelu(g, linear(g, 'fc1', x, module.fc1)), module.fc2)


def add(g: Graph, x: Value, update: Value) -> Value:
    """The residual sum, in float32."""
    return g.op('Add', x, g.cast(update, 'float32'))


def rotated(g: Graph, x: Value, by: Turn | None, half_rounding: bool = False) -> Value:
    """Heads (1, T, heads, d) turned in float32; the dtype of x is kept."""
    if by is None:
        return x
    dtype = 'float16' if half_rounding else x.dtype
    wide = g.cast(g.cast(x, dtype), 'float32')
    first, second = g.ops('Split', wide, outputs=2, axis=-1, num_outputs=2)
    swapped = g.op('Concat', second, first, axis=-1)
    sum_ = g.op('Add', g.op('Mul', wide, by.cos), g.op('Mul', swapped, by.sin))
    return g.cast(g.cast(sum_, dtype), x.dtype)


def attend(g: Graph, q: Value, k: Value, v: Value, head_dim: int) -> Value:
    """Attention of heads (1, T, heads, d), merged to (1, T, C)."""
    q, v = g.transpose(q, 0, 2, 1, 3), g.transpose(v, 0, 2, 1, 3)
    if g.opset >= ATTENTION_SINCE:
        out = g.op('Attention', q, g.transpose(k, 0, 2, 1, 3), v, scale=head_dim**-0.5)
    else:
        scaled = g.op('Mul', q, g.number(head_dim**-0.5, q.dtype))
        scores = g.op('MatMul', scaled, g.transpose(k, 0, 2, 3, 1))
        out = g.op('MatMul', g.op('Softmax', scores, axis=-1), v)
    return g.reshape(g.transpose(out, 0, 2, 1, 3), 1, 0, -1)


def self_attention(
    g: Graph, x: Value, module: blocks.SelfAttention, by: Turn | None, single: bool = False
) -> Value:
    """`single`: x is one token, whose attention to itself is its value."""
    dim, heads = module.proj.in_features, module.heads
    weight, bias = array(module.qkv.weight), array(module.qkv.bias)
    with g.scope('attn'):
        if single:
            with g.scope('v'):
                value = product(g, x, weight[2 * dim :], bias[2 * dim :])
            return linear(g, 'proj', value, module.proj)
        order = halves_first(dim, heads)
        order = np.concatenate([order, dim + order, np.arange(2 * dim, 3 * dim)])
        with g.scope('qkv'):
            packed = product(g, x, weight[order], bias[order])
        qk, v = g.split(packed, (2 * dim, dim))
        qk = g.reshape(qk, 1, 0, 2 * heads, dim // heads)
        q, k = g.split(rotated(g, qk, by, module.half_rounding), (heads, heads), axis=2)
        out = attend(g, q, k, g.reshape(v, 1, 0, heads, dim // heads), dim // heads)
        return linear(g, 'proj', out, module.proj)


class Cross(NamedTuple):
    """What a cross-attention gives: the update of x, and each x token's score (1, T) if asked."""

    update: Value
    score: Value | None = None


def cross_attention(
    g: Graph,
    x: Value,
    y: Value,
    module: blocks.CrossAttention,
    by_x: Turn | None,
    by_y: Turn | None,
    align: bool = False,
    single: bool = False,
) -> Cross:
    """`single`: y is one token, which every x token gets whole."""
    dim, heads = module.proj.in_features, module.heads
    head_dim, order = dim // heads, halves_first(dim, heads)
    with g.scope('cross_attn'):
        if single:
            value = linear(g, 'projv', y, module.projv)
            return Cross(linear(g, 'proj', value, module.proj))
        with g.scope('projq'):
            q = product(g, x, array(module.projq.weight)[order], array(module.projq.bias)[order])
        with g.scope('projkv'):
            to_k, to_v = module.projk, module.projv
            weight = np.concatenate([array(to_k.weight)[order], array(to_v.weight)])
            bias = np.concatenate([array(to_k.bias)[order], array(to_v.bias)])
            k, v = g.split(product(g, y, weight, bias), (dim, dim))
        q, k, v = (g.reshape(part, 1, 0, heads, head_dim) for part in (q, k, v))
        q, k = rotated(g, q, by_x), rotated(g, k, by_y)
        update = linear(g, 'proj', attend(g, q, k, v, head_dim), module.proj)
        return Cross(update, _score(g, q, k, head_dim) if align else None)


def _score(g: Graph, q: Value, k: Value, head_dim: int) -> Value:
    """Mean over heads and y tokens of q.k / sqrt(d), by way of the mean key; in float32."""
    q, k = g.cast(q, 'float32'), g.cast(k, 'float32')
    mean = g.op('ReduceMean', k, g.integers(1), keepdims=1)
    dots = g.op('ReduceSum', g.op('Mul', q, mean), g.integers(3), keepdims=0)
    over_heads = g.op('ReduceMean', dots, g.integers(2), keepdims=0)
    return g.op('Mul', over_heads, g.number(head_dim**-0.5))


def encoder_block(g: Graph, x: Value, module: blocks.EncoderBlock, by: Turn) -> Value:
    x = add(g, x, self_attention(g, layer_norm(g, 'norm1', x, module.norm1), module.attn, by))
    return add(g, x, mlp(g, 'mlp', layer_norm(g, 'norm2', x, module.norm2), module.mlp))


def decoder_block(
    g: Graph,
    x: Value,
    y: Value,
    module: blocks.DecoderBlock,
    by_x: Turn | None = None,
    by_y: Turn | None = None,
    align: bool = False,
    single: str = '',
) -> Cross:
    """The new x as `update`, and its score; `single`: which of `x` and `y` is one token."""
    normed = layer_norm(g, 'norm1', x, module.norm1)
    x = add(g, x, self_attention(g, normed, module.attn, by_x, single == 'x'))
    normed, other = (
        layer_norm(g, 'norm2', x, module.norm2),
        layer_norm(g, 'norm_y', y, module.norm_y),
    )
    cross = cross_attention(g, normed, other, module.cross_attn, by_x, by_y, align, single == 'y')
    x = add(g, x, cross.update)
    x = add(g, x, mlp(g, 'mlp', layer_norm(g, 'norm3', x, module.norm3), module.mlp))
    return Cross(x, cross.score)
