# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The whole step as one ONNX graph: `Step.forward` in nodes, flags as tensors, no branches."""

from __future__ import annotations

from typing import Any

from loc3r_ros.cut3r.decoder import decoder_ropes
from loc3r_ros.cut3r.graph import FLAGS, Step
from loc3r_ros.cut3r.model import Cut3r, patch_grid
from loc3r_ros.cut3r.onnx.blocks import (
    Turn,
    array,
    decoder_block,
    encoder_block,
    layer_norm,
    linear,
    turn,
)
from loc3r_ros.cut3r.onnx.heads import camera_pose, dense_maps
from loc3r_ros.cut3r.rope import Layout, rope_table
from loc3r_ros.runtime.onnx_graph import Graph, Value


def add_step(g: Graph, step: Step) -> list[Value]:
    """Add all nodes of a step; returns outputs and new state in the order of its signature."""
    model, variant = step.model, step.variant
    grid = patch_grid(variant.height, variant.width)
    first, update, reset = (Value(flag, 'bool') for flag in FLAGS)
    state, memory = Value('state', 'float32'), Value('memory', 'float32')
    feature = _encoded(g, model, grid)
    mean = g.op('ReduceMean', feature, g.integers(1), keepdims=1)
    token = _selected(g, first, _learned(g, model), _read(g, model, mean, memory))
    decoded = _Decoders(g, model, grid, variant.rule == 'ttt3r').run(feature, token, state)
    tokens = layer_norm(g, 'dec_norm', decoded.image[-1], model.dec_norm)
    camera, patches = g.split(tokens, (1, grid[0] * grid[1]), axis=1)
    new_state = layer_norm(g, 'dec_norm_state', decoded.state, model.dec_norm_state)
    if decoded.scores:
        gated = _gated(g, decoded.scores, new_state, state)
        new_state = _selected(g, first, new_state, gated)
    new_memory = _write(g, model, mean, camera, memory)
    results = [
        g.reshape(camera, 1, -1),
        camera_pose(g, camera, model.downstream_head),
        patches,
    ]
    if variant.heads:
        depth = len(model.dec_blocks)
        middle, late = (
            g.split(decoded.image[at], (1, grid[0] * grid[1]), axis=1)[1]
            for at in (depth // 2, 3 * depth // 4)
        )
        results += dense_maps(
            g,
            model.downstream_head,
            [feature, middle, late, patches],
            camera,
            grid,
            _image_turn(g, model, grid),
        )
    for new, old, start in (
        (new_state, state, step.start_state),
        (new_memory, memory, step.start_memory),
    ):
        taken = _selected(g, update, new, old)
        results.append(_selected(g, reset, g.shared(f'{old.name}.start', array(start)), taken))
    return results


def _selected(g: Graph, flag: Value, yes: Value, no: Value) -> Value:
    return g.op('Where', flag, yes, no, dtype='float32')


def _learned(g: Graph, model: Cut3r) -> Value:
    return g.shared('pose_token', array(model.pose_token))


def _encoded(g: Graph, model: Cut3r, grid: tuple[int, int]) -> Value:
    """Features (1, N, De) of the image (1, H, W, 3) uint8."""
    config = model.config
    layout = Layout(grid[0] * grid[1], grid[1])
    device = model.pose_token.device
    rope = rope_table(layout, config.enc_dim // config.enc_heads, config.rope_base, device)
    by = turn(g, 'rope.encoder', rope)
    with g.scope('image'):
        wide = g.transpose(g.cast(Value('image', 'uint8'), 'float32'), 0, 3, 1, 2)
        unit = g.op('Div', wide, g.number(255.0))
        x = g.op('Div', g.op('Sub', unit, g.number(0.5)), g.number(0.5))
    with g.scope('patch_embed'):
        embed = model.patch_embed.proj
        values = [g.constant(n, array(p).astype(g.narrow)) for n, p in embed.named_parameters()]
        x = g.op('Conv', g.cast(x, g.narrow), *values, strides=list(embed.stride))
        x = g.transpose(g.reshape(x, 1, config.enc_dim, -1), 0, 2, 1)
        x = g.cast(x, 'float32')
    for index, block in enumerate(model.enc_blocks):
        with g.scope(f'enc_blocks.{index}'):
            x = encoder_block(g, x, block, by)  # type: ignore[arg-type]
    return layer_norm(g, 'enc_norm', x, model.enc_norm)


def _image_turn(g: Graph, model: Cut3r, grid: tuple[int, int]) -> Turn:
    c = model.config
    layout = Layout(grid[0] * grid[1], grid[1])
    rope = rope_table(layout, c.dec_dim // c.dec_heads, c.rope_base, model.pose_token.device)
    return turn(g, 'rope.heads', rope)


class _Decoders:
    """Both decoders, side by side."""

    def __init__(self, g: Graph, model: Cut3r, grid: tuple[int, int], align: bool) -> None:
        self._g, self._model, self._align = g, model, align
        ropes = decoder_ropes(model.config, grid, model.pose_token.device)
        self._turns = {
            name: turn(g, f'rope.{name}', rope) for name, rope in ropes._asdict().items()
        }
        self.image: list[Value] = []
        self.scores: list[Value] = []
        self.state = Value('', '')

    def run(self, feature: Value, token: Value, state: Value) -> _Decoders:
        g, model, by = self._g, self._model, self._turns
        embedded = g.cast(linear(g, 'decoder_embed', feature, model.decoder_embed), 'float32')
        image = g.op('Concat', token, embedded, axis=1)
        self.image.append(image)
        pairs: Any = zip(model.dec_blocks, model.dec_blocks_state, strict=True)
        for index, (image_block, state_block) in enumerate(pairs):
            with g.scope(f'dec_blocks_state.{index}'):
                updated = decoder_block(
                    g, state, image, state_block, by['state'], by['image_in_state'], self._align
                )
            with g.scope(f'dec_blocks.{index}'):
                image, _ = decoder_block(
                    g, image, state, image_block, by['image'], by['state_in_image']
                )
            state = updated.update
            self.image.append(image)
            if updated.score is not None:
                self.scores.append(updated.score)
        self.state = state
        return self


def _gated(g: Graph, scores: list[Value], new: Value, old: Value) -> Value:
    """TTT3R's gate on the new state (1, S, D)."""
    with g.scope('gate'):
        mean = g.op('Div', g.op('Sum', *scores), g.number(float(len(scores))))
        beta = g.op('Unsqueeze', g.op('Sigmoid', mean), g.integers(-1))
        kept = g.op('Mul', g.op('Sub', g.number(1.0), beta), old)
        return g.op('Add', g.op('Mul', beta, new), kept)


def _read(g: Graph, model: Cut3r, mean: Value, memory: Value) -> Value:
    """The pose token (1, 1, D) that the memory has for a mean feature (1, 1, De)."""
    retriever = model.pose_retriever
    with g.scope('pose_retriever'):
        key = g.cast(linear(g, 'proj_q', mean, retriever.proj_q), 'float32')
        x = g.op('Concat', key, g.constant('masked_token', array(retriever.masked_token)), axis=-1)
        for index, block in enumerate(retriever.read_blocks):
            with g.scope(f'read_blocks.{index}'):
                x, _ = decoder_block(g, x, memory, block, single='x')  # type: ignore[arg-type]
        dim = model.config.dec_dim
        return g.split(x, (dim, dim))[1]


def _write(g: Graph, model: Cut3r, mean: Value, camera: Value, memory: Value) -> Value:
    """The memory (1, M, 2D) after a frame with its camera token (1, 1, D)."""
    retriever = model.pose_retriever
    with g.scope('pose_retriever'):
        key = g.cast(linear(g, 'proj_q', mean, retriever.proj_q), 'float32')
        entry = g.op('Concat', key, camera, axis=-1)
        for index, block in enumerate(retriever.write_blocks):
            with g.scope(f'write_blocks.{index}'):
                memory, _ = decoder_block(g, memory, entry, block, single='y')  # type: ignore[arg-type]
        return memory
