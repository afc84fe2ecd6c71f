# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The original layout of LLaVA (model type `llava_qwen`), and Loc3R's weights made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.vlm.config import FULL, QwenShape, SiglipShape, VlmConfig
from loc3r_ros.vlm.weights.plan import Plan
from loc3r_ros.vlm.weights.roles import Part, Shapes, assign

LLAVA = 'llava_qwen'
"""`model_type` in config.json."""

TOWER = 'model.vision_tower.vision_tower.'
"""Before every key of the image tower."""

_NAMES = (
    (
        re.compile(rf'{re.escape(TOWER)}(?:vision_model\.)?((?:embeddings|encoder)\..+)'),
        r'vision.\1',
    ),
    (re.compile(r'model\.mm_projector\.(.+)'), r'projector.\1'),
    (re.compile(r'model\.image_newline'), 'newline'),
    (re.compile(r'model\.((?:embed_tokens|layers|norm)\..+)'), r'language.\1'),
    (re.compile(r'(lm_head\.weight)'), r'\1'),
)
_UNUSED = (
    (
        re.compile(rf'{re.escape(TOWER)}(?:vision_model\.)?(?:post_layernorm|head)\.'),
        'the image tower is read before its last norm and head',
    ),
    (re.compile(rf'{re.escape(TOWER)}(?:text_model\.|logit_)'), 'of SigLIP only images are used'),
    (re.compile(r'model\.spatial_tower\.'), 'CUT3R has its own file'),
)
_LAYER = re.compile(r'vision\.encoder\.layers\.(\d+)\.')

_EXPECTED = {
    'mm_projector_type': 'mlp2x_gelu',
    'mm_spatial_pool_mode': 'bilinear',
    'mm_newline_position': 'grid',
}

_SO400M = 'siglip-so400m-patch14-384'


def plan_llava(
    values: Mapping[str, Any], shapes: Shapes, tower: Mapping[str, Any] | None = None
) -> Plan:
    """Read LLaVA-Video-7B-Qwen2, or Loc3R-VLM made from it.

    Args:
        values: of config.json.
        shapes: by key, of the files.
        tower: config.json of the image tower, where it lies beside; so400m's is known.

    Raises:
        CheckpointError: another kind of LLaVA than the one built here, or parts of Loc3R that
            cannot be told apart.
    """
    _check_kind(values)
    vision, text = _vision(values, tower), _text(values)
    sources, others, unused = _known(shapes, vision.layers)
    own = {key: shapes[key] for key in others}
    parts = assign(own, text.hidden_size, FULL.orientation_bins)
    for role, part in parts.items():
        for ours, theirs in zip(_layers_of(role), part.layers, strict=True):
            for kind in ('weight', 'bias'):
                sources[f'{ours}.{kind}'] = f'{theirs}.{kind}'
                del own[f'{theirs}.{kind}']
    return Plan(
        layout='Loc3R-VLM as published' if parts else 'LLaVA-Video',
        config=_config(vision, text, values, parts),
        sources=sources,
        unexpected=tuple(own),
        unused=unused,
        training='as published',
    )


def tower_name(values: Mapping[str, Any]) -> str:
    """Last part of the name of the image tower in config.json; empty if it has none."""
    return str(values.get('mm_vision_tower') or '').rstrip('/').rpartition('/')[2]


def _known(shapes: Shapes, vision_layers: int) -> tuple[dict[str, str], list[str], dict[str, str]]:
    sources, others, unused = {}, [], {}
    for key in shapes:
        reason = next((why for pattern, why in _UNUSED if pattern.match(key)), '')
        ours = next((p.sub(new, key) for p, new in _NAMES if p.fullmatch(key)), '')
        layer = _LAYER.match(ours)
        if layer and int(layer[1]) >= vision_layers:
            reason = f'the image tower is read after layer {vision_layers}'
        if reason:
            unused[key] = reason
        elif ours:
            sources[ours] = key
        else:
            others.append(key)
    return sources, others, unused


def _layers_of(role: str) -> tuple[str, ...]:
    """The model's own names: one linear layer, or two with a GELU between."""
    return (role,) if role == 'layout_head' else (f'{role}.0', f'{role}.2')


def _config(
    vision: SiglipShape, text: QwenShape, values: Mapping[str, Any], parts: Mapping[str, Part]
) -> VlmConfig:
    camera = parts.get('camera_projector')
    head = parts.get('position_head') or parts.get('orientation_head')
    try:
        return VlmConfig(
            vision=vision,
            text=text,
            camera_dim=camera.widths[0] if camera else FULL.camera_dim,
            head_width=head.widths[1] if head else text.hidden_size,
            pool=values.get('mm_spatial_pool_stride') or FULL.pool,
        )
    except InputError as error:
        raise CheckpointError(f'config.json: {error}') from error


def _check_kind(values: Mapping[str, Any]) -> None:
    for name, expected in _EXPECTED.items():
        found = values.get(name, expected)
        if found != expected:
            raise CheckpointError(
                f'config.json: {name} is {found!r}; only {expected!r} is built here, as in '
                'LLaVA-Video-7B-Qwen2'
            )


def _text(values: Mapping[str, Any]) -> QwenShape:
    rope = values.get('rope_parameters') or values  # transformers 5 writes it one level deeper
    return QwenShape(
        vocab_size=_number(values, 'vocab_size'),
        hidden_size=_number(values, 'hidden_size'),
        intermediate_size=_number(values, 'intermediate_size'),
        layers=_number(values, 'num_hidden_layers'),
        heads=_number(values, 'num_attention_heads'),
        kv_heads=_number(values, 'num_key_value_heads'),
        rope_theta=float(_number(rope, 'rope_theta')),
        rms_norm_eps=float(_number(values, 'rms_norm_eps')),
        max_positions=_number(values, 'max_position_embeddings'),
        tie_embeddings=values.get('tie_word_embeddings') is True,
    )


def _vision(values: Mapping[str, Any], tower: Mapping[str, Any] | None) -> SiglipShape:
    if tower is None:
        if tower_name(values) != _SO400M:
            raise CheckpointError(
                f'config.json: mm_vision_tower is {values.get("mm_vision_tower")!r}, whose '
                f'dimensions are not known here; place its config.json in {tower_name(values)}/ '
                f'beside the weights, or use a model with google/{_SO400M}'
            )
        return FULL.vision
    shape = tower.get('vision_config', tower)
    # LLaVA counts from the end, and what goes into the first layer is counted too.
    used = _number(shape, 'num_hidden_layers') + 1 + values.get('mm_vision_select_layer', -2)
    return SiglipShape(
        image_size=_number(shape, 'image_size'),
        patch_size=_number(shape, 'patch_size'),
        hidden_size=_number(shape, 'hidden_size'),
        intermediate_size=_number(shape, 'intermediate_size'),
        layers=used,
        heads=_number(shape, 'num_attention_heads'),
    )


def _number(values: Mapping[str, Any], name: str) -> Any:
    number = values.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise CheckpointError(f'config.json: {name} is {number!r}, expected a number')
    return number
