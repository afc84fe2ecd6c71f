# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Pose and dense heads as ONNX nodes, float32 throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import nn

from loc3r_ros.cut3r.blocks import ModulatedBlock, ModulatedNorm
from loc3r_ros.cut3r.config import PATCH
from loc3r_ros.cut3r.heads import DptHeads, Heads
from loc3r_ros.cut3r.heads.dpt import DptNet, Fusion, ResidualConvUnit
from loc3r_ros.cut3r.onnx.blocks import Turn, add, array, layer_norm, linear, mlp, self_attention
from loc3r_ros.runtime.onnx_graph import Graph, Value

_TINY = 1e-8


@contextmanager
def wide_products(g: Graph) -> Iterator[None]:
    """Within it, products are float32 whatever the graph's precision."""
    narrow, g.narrow = g.narrow, 'float32'
    yield
    g.narrow = narrow


def camera_pose(g: Graph, camera: Value, heads: Heads) -> Value:
    """(1, 7) translation and quaternion of the camera token (1, 1, D)."""
    with g.scope('pose_head'), wide_products(g):
        raw = g.reshape(mlp(g, 'mlp', camera, heads.pose_head.mlp), 1, 7)
        t, q = g.split(raw, (3, 4))
        norm = g.op('Max', _norm(g, q), g.number(1e-12))
        q = g.op('Div', q, norm)
        w, _ = g.split(q, (1, 3))
        is_negative = g.op('Less', w, g.number(0.0), dtype='bool')
        q = g.op('Where', is_negative, g.op('Neg', q), q, dtype='float32')
        return g.op('Concat', _stretched(g, t), q, axis=-1)


def dense_maps(
    g: Graph,
    heads: Heads,
    levels: list[Value],
    camera: Value,
    grid: tuple[int, int],
    turn: Turn,
) -> list[Value]:
    """The maps in the order of `Maps`, from the levels in the order of `Levels`."""
    with g.scope('heads'), wide_products(g):
        world = levels[-1]
        for index, block in enumerate(heads.final_transform):
            with g.scope(f'final_transform.{index}'):
                world = _modulated_block(g, world, camera, block, turn)  # type: ignore[arg-type]
        view_net, world_net, colour_net = heads.networks()
        net: Callable[..., Value] = _dpt if isinstance(heads, DptHeads) else _patches
        with g.scope('self'):
            view = _points(g, net(g, view_net, levels, grid), heads.front)
        with g.scope('cross'):
            other = _points(g, net(g, world_net, [*levels[:-1], world], grid), False)
        with g.scope('rgb'):
            colour = net(g, colour_net, levels, grid)
            unit = g.op('Mul', g.op('Sigmoid', colour), g.number(2 * (1 - 2e-6)))
            colour = g.op('Add', unit, g.number(2e-6 - 1))
        return [*view, *other, colour]


def _norm(g: Graph, x: Value) -> Value:
    return g.op('ReduceL2', x, g.integers(-1), keepdims=1)


def _stretched(g: Graph, x: Value) -> Value:
    """Vectors (..., 3) whose length becomes expm1 of it."""
    length = _norm(g, x)
    grown = g.op('Sub', g.op('Exp', length), g.number(1.0))
    return g.op('Mul', g.op('Div', x, g.op('Max', length, g.number(_TINY))), grown)


def _points(g: Graph, raw: Value, front: bool) -> list[Value]:
    """Points (1, H, W, 3) and confidence (1, H, W)."""
    xyz, certainty = g.split(raw, (3, 1))
    if front:
        _, z = g.split(xyz, (2, 1))
        xyz = g.op('Mul', xyz, g.op('Sign', z))
    certainty = g.op('Squeeze', certainty, g.integers(-1))
    return [_stretched(g, xyz), g.op('Add', g.op('Exp', certainty), g.number(1.0))]


def _modulated_norm(g: Graph, x: Value, camera: Value, module: ModulatedNorm) -> Value:
    active = g.op('Mul', camera, g.op('Sigmoid', camera))
    projection: Any = module.mlp[1]
    packed = linear(g, 'mlp', active, projection)
    shift, scale = g.ops('Split', packed, outputs=2, axis=-1, num_outputs=2)
    normed = layer_norm(g, 'norm', x, module.norm)
    return g.op('Add', g.op('Mul', normed, g.op('Add', scale, g.number(1.0))), shift)


def _modulated_block(
    g: Graph, x: Value, camera: Value, module: ModulatedBlock, turn: Turn
) -> Value:
    with g.scope('norm1'):
        normed = _modulated_norm(g, x, camera, module.norm1)
    x = add(g, x, self_attention(g, normed, module.attn, turn))
    with g.scope('norm2'):
        normed = _modulated_norm(g, x, camera, module.norm2)
    return add(g, x, mlp(g, 'mlp', normed, module.mlp))


def _patches(g: Graph, net: Any, levels: list[Value], grid: tuple[int, int]) -> Value:
    """The linear head: (1, H, W, channels), every token its patch."""
    h, w = grid
    channels = net.fc2.out_features // PATCH**2
    cells = g.reshape(mlp(g, 'mlp', levels[-1], net), h, w, channels, PATCH, PATCH)
    return g.reshape(g.transpose(cells, 0, 3, 1, 4, 2), 1, h * PATCH, w * PATCH, channels)


def _conv(g: Graph, name: str, x: Value, module: nn.Conv2d | nn.ConvTranspose2d) -> Value:
    kind = 'ConvTranspose' if isinstance(module, nn.ConvTranspose2d) else 'Conv'
    pads = [int(p) for p in module.padding]
    with g.scope(name):
        values = [g.constant('weight', array(module.weight))]
        if module.bias is not None:
            values.append(g.constant('bias', array(module.bias)))
        return g.op(kind, x, *values, strides=list(module.stride), pads=pads * 2)


def _double(g: Graph, x: Value) -> Value:
    scales = g.shared('twice', np.array([1, 1, 2, 2], np.float32))
    none = Value('', '')
    return g.op(
        'Resize',
        x,
        none,
        scales,
        mode='linear',
        coordinate_transformation_mode='align_corners',
    )


def _unit(g: Graph, name: str, x: Value, module: ResidualConvUnit) -> Value:
    with g.scope(name):
        inner = _conv(g, 'conv1', g.op('Relu', x), module.conv1)
        return g.op('Add', _conv(g, 'conv2', g.op('Relu', inner), module.conv2), x)


def _fusion(g: Graph, name: str, level: Value, coarser: Value | None, module: Fusion) -> Value:
    with g.scope(name):
        x = level
        if coarser is not None:
            x = g.op('Add', coarser, _unit(g, 'resConfUnit1', level, module.resConfUnit1))
        x = _double(g, _unit(g, 'resConfUnit2', x, module.resConfUnit2))
        return _conv(g, 'out_conv', x, module.out_conv)


def _dpt(g: Graph, net: DptNet, levels: list[Value], grid: tuple[int, int]) -> Value:
    """The DPT head: (1, H, W, channels)."""
    h, w = grid
    maps = []
    for index, (tokens, stage) in enumerate(zip(levels, net.act_postprocess, strict=True)):
        x = g.reshape(g.transpose(tokens, 0, 2, 1), 1, -1, h, w)
        modules: Any = stage
        for step, module in enumerate(modules):
            x = _conv(g, f'act_postprocess.{index}.{step}', x, module)
        maps.append(_conv(g, f'layer{index + 1}_rn', x, net.scratch.layer_rn[index]))  # type: ignore[arg-type]
    s = net.scratch
    x = _fusion(g, 'refinenet4', maps[3], None, s.refinenet4)
    # Twice a halved odd grid is a row or column too large.
    x = g.op('Slice', x, g.integers(0, 0), g.integers(h, w), g.integers(2, 3))
    x = _fusion(g, 'refinenet3', maps[2], x, s.refinenet3)
    x = _fusion(g, 'refinenet2', maps[1], x, s.refinenet2)
    x = _fusion(g, 'refinenet1', maps[0], x, s.refinenet1)
    first, _, second, _, last = net.head
    x = _double(g, _conv(g, 'head.0', x, first))  # type: ignore[arg-type]
    x = g.op('Relu', _conv(g, 'head.2', x, second))  # type: ignore[arg-type]
    return g.transpose(_conv(g, 'head.4', x, last), 0, 2, 3, 1)  # type: ignore[arg-type]
