# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Dimensions of a checkpoint, from the shapes in it and from the text that its training stored.

The text is a Python expression such as `Model(Config(enc_depth=24, head_type='dpt', ...))`. It is
searched for `name=value` by pattern and never evaluated. What shapes tell is taken from them and
the text must agree; the text is needed for the numbers of attention heads, which no shape shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loc3r_ros.cut3r.config import FULL_DPT_512, FULL_LINEAR_224, Cut3rConfig, HeadType
from loc3r_ros.errors import CheckpointError, InputError

Shapes = Mapping[str, tuple[int, ...]]

_ASSIGNMENT = re.compile(r"""\b(\w+)\s*=\s*(\([^()]*\)|'[^']*'|"[^"]*"|[\w.+-]+)""")

_READ_FROM_SHAPES = {
    'enc_embed_dim': 'enc_dim',
    'enc_depth': 'enc_depth',
    'dec_embed_dim': 'dec_dim',
    'dec_depth': 'dec_depth',
    'state_size': 'state_tokens',
    'local_mem_size': 'memory_tokens',
    'ray_enc_depth': 'ray_depth',
    'head_type': 'head',
}
"""Names in the text, and the fields of `Cut3rConfig` that the shapes give."""

_SUPPORTED = {
    'output_mode': 'pts3d+pose',
    'depth_mode': '(exp,-inf,inf)',
    'pose_mode': '(exp,-inf,inf)',
    'conf_mode': '(exp,1,inf)',
    'rgb_head': 'True',
    'pose_head': 'True',
    'depth_head': 'False',
    'pose_conf_head': 'False',
    'state_pe': '2d',
    'mlp_ratio': '4',
    'patch_size': '16',
}
"""What this implementation does; where the text says something else, the weights are refused."""


def parse(text: str) -> dict[str, str]:
    """Every `name=value` of the text, values stripped of quotes and spaces."""
    return {name: re.sub(r"""['"\s]""", '', value) for name, value in _ASSIGNMENT.findall(text)}


def config_of(shapes: Shapes, text: str | None) -> Cut3rConfig:
    """Dimensions of weights.

    Args:
        shapes: of every tensor, by its key.
        text: what the training stored as `args.model`; None serves for the published sizes.

    Raises:
        CheckpointError: not CUT3R weights, the text does not fit them, or it asks for what is not
            implemented.
    """
    dims = _dims_of(shapes)
    head: HeadType = 'dpt' if any('dpt_self' in key for key in shapes) else 'linear'
    published = FULL_DPT_512 if head == 'dpt' else FULL_LINEAR_224
    if text is None:
        if any(getattr(published, name) != value for name, value in dims.items()):
            raise CheckpointError(
                f'these weights have other dimensions than the published ones ({dims}) and come '
                'without `args`, so that their numbers of attention heads are unknown; '
                'load a file that has them'
            )
        return published
    given = parse(text)
    _check(given, {**dims, 'head': head})
    size = _integers(given, 'img_size') or (published.image_size,)
    rope = re.fullmatch(r'RoPE(\d+)', given.get('pos_embed', 'RoPE100'))
    if rope is None:
        raise CheckpointError(f'pos_embed={given["pos_embed"]} is not supported; only RoPE is')
    try:
        return replace(
            published,
            image_size=max(size),
            square_crop=max(size) == FULL_LINEAR_224.image_size,
            **dims,
            enc_heads=_integer(given, 'enc_num_heads', published.enc_heads),
            dec_heads=_integer(given, 'dec_num_heads', published.dec_heads),
            state_heads=_integer(given, 'state_dec_num_heads', published.state_heads),
            rope_base=float(rope.group(1)),
        )
    except InputError as error:
        raise CheckpointError(f'the arguments in the checkpoint do not fit: {error}') from error


def check_dims(config: Cut3rConfig, shapes: Shapes) -> None:
    """Compare a stored configuration with the shapes beside it.

    Raises:
        CheckpointError: they disagree.
    """
    for name, value in _dims_of(shapes).items():
        if getattr(config, name) != value:
            raise CheckpointError(
                f'the stored configuration says {name}={getattr(config, name)}, the weights {value}'
            )


def _dims_of(shapes: Shapes) -> dict[str, Any]:
    """The fields that shapes tell."""
    try:
        return {
            'enc_dim': shapes['patch_embed.proj.weight'][0],
            'enc_depth': _depth(shapes, 'enc_blocks'),
            'dec_dim': shapes['decoder_embed.weight'][0],
            'dec_depth': _depth(shapes, 'dec_blocks'),
            'state_tokens': shapes['register_tokens.weight'][0],
            'memory_tokens': shapes['pose_retriever.mem'][1],
            'ray_depth': _depth(shapes, 'enc_blocks_ray_map'),
        }
    except (KeyError, IndexError) as error:
        raise CheckpointError(
            f'these are not CUT3R weights: {error} is missing among {len(shapes)} tensors '
            f'({", ".join(sorted(shapes)[:3])}, ...)'
        ) from error


def _depth(shapes: Shapes, name: str) -> int:
    # Counted, not read off the largest index, which a crafted key could make enormous.
    return len({m.group() for key in shapes if (m := re.match(rf'{name}\.\d+\.', key))})


def _check(given: Mapping[str, str], found: Mapping[str, object]) -> None:
    for name, field in _READ_FROM_SHAPES.items():
        if name in given and given[name] != str(found[field]):
            raise CheckpointError(
                f'the arguments say {name}={given[name]}, the weights {found[field]}: '
                'the file was put together from two models'
            )
    for name, allowed in _SUPPORTED.items():
        if name in given and given[name] != allowed:
            raise CheckpointError(
                f'{name}={given[name]} is not supported; only {allowed}, as in the published models'
            )


def _integers(given: Mapping[str, str], name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r'\d+', given.get(name, '')))


def _integer(given: Mapping[str, str], name: str, default: int) -> int:
    if name not in given:
        return default
    if not given[name].isdecimal():
        raise CheckpointError(f'the arguments say {name}={given[name]}; expected an integer')
    return int(given[name])
