# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Small random checkpoints in the layouts that are published, written without the loader's help."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from loc3r_ros.vlm.config import QwenShape, SiglipShape, VlmConfig
from loc3r_ros.vlm.model.loc3r import Loc3rVlm, build
from loc3r_ros.vlm.tokenizer import Words

CONFIG = VlmConfig(
    vision=SiglipShape(
        image_size=56, patch_size=14, hidden_size=32, intermediate_size=48, layers=2, heads=2
    ),
    text=QwenShape(
        vocab_size=3072,
        hidden_size=64,
        intermediate_size=96,
        layers=2,
        heads=4,
        kv_heads=2,
        rope_theta=1e6,
        rms_norm_eps=1e-6,
        max_positions=512,
    ),
    camera_dim=24,
    head_width=40,
)
TOWER = 'tiny-tower'

OWN_NAMES = {
    'camera_projector': 'model.f_cam',
    'layout_head': 'model.bev_proj',
    'position_head': 'model.head_pos.net',
    'orientation_head': 'model.head_ori.net',
}
"""Names that Loc3R's parts might have in the published weights."""


@cache
def network() -> Loc3rVlm:
    torch.manual_seed(5)
    model = build(CONFIG)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape)
    return model


@torch.no_grad()
def outputs(model: Loc3rVlm) -> Tensor:
    """Logits of a small video and words with all heads, as one vector, in float32."""
    generator = torch.Generator().manual_seed(1)
    size = CONFIG.vision.image_size
    pixels = torch.randn(2, 3, size, size, generator=generator)
    camera = torch.randn(2, CONFIG.camera_dim, generator=generator)
    frames = model.frame_embeddings(model.encode_images(pixels), camera).flatten(0, 1)
    words = model.embed(torch.arange(100, 107))
    hidden = model.decode(torch.cat((frames, words))[None])[0]
    parts = (model.logits(hidden), model.layout_head(hidden), model.position_head(hidden))
    return torch.cat([p.flatten().float() for p in (*parts, model.orientation(hidden))])


def llava_tensors(model: Loc3rVlm, names: Mapping[str, str] = OWN_NAMES) -> dict[str, Tensor]:
    """A model's weights under LLaVA's names; Loc3R's parts by `names`, or left out."""
    tensors = {}
    for key, value in model.state_dict().items():
        part, _, rest = key.partition('.')
        if part == 'vision':
            tensors[f'model.vision_tower.vision_tower.vision_model.{rest}'] = value
        elif part == 'projector':
            tensors[f'model.mm_projector.{rest}'] = value
        elif part == 'newline':
            tensors['model.image_newline'] = value
        elif part == 'language':
            tensors[f'model.{rest}'] = value
        elif part == 'lm_head':
            tensors[key] = value
        elif part in names:
            tensors[f'{names[part]}.{rest}'] = value
    norm = 'model.vision_tower.vision_tower.vision_model.post_layernorm'
    return tensors | {f'{norm}.weight': torch.ones(32), f'{norm}.bias': torch.zeros(32)}


def llava_config(config: VlmConfig = CONFIG) -> dict[str, object]:
    text = config.text
    return {
        'architectures': ['LlavaQwenForCausalLM'],
        'model_type': 'llava_qwen',
        'hidden_size': text.hidden_size,
        'intermediate_size': text.intermediate_size,
        'max_position_embeddings': text.max_positions,
        'mm_hidden_size': config.vision.hidden_size,
        'mm_newline_position': 'grid',
        'mm_projector_type': 'mlp2x_gelu',
        'mm_spatial_pool_mode': 'bilinear',
        'mm_spatial_pool_stride': None,
        'mm_vision_select_layer': -2,
        'mm_vision_tower': f'google/{TOWER}',
        'num_attention_heads': text.heads,
        'num_hidden_layers': text.layers,
        'num_key_value_heads': text.kv_heads,
        'rms_norm_eps': 1e-06,
        'rope_scaling': None,
        'rope_theta': 1000000.0,
        'tie_word_embeddings': False,
        'torch_dtype': 'bfloat16',
        'vocab_size': text.vocab_size,
    }


def write_llava(folder: Path, tensors: Mapping[str, Tensor], shards: int = 3) -> Path:
    """Sharded safetensors with index, configuration, tokenizer, and the tower's dimensions."""
    vision = CONFIG.vision
    write_json(folder / 'config.json', llava_config())
    tower = {
        'image_size': vision.image_size,
        'patch_size': vision.patch_size,
        'hidden_size': vision.hidden_size,
        'intermediate_size': vision.intermediate_size,
        'num_hidden_layers': vision.layers + 1,
        'num_attention_heads': vision.heads,
    }
    write_json(folder / TOWER / 'config.json', {'model_type': 'siglip', 'vision_config': tower})
    (folder / 'tokenizer.json').write_text(Words.tiny().to_json(), encoding='utf-8')
    weight_map = {}
    keys = list(tensors)
    for n in range(shards):
        name = f'model-{n + 1:05}-of-{shards:05}.safetensors'
        part = {key: tensors[key].contiguous() for key in keys[n::shards]}
        save_file(part, folder / name, metadata={'format': 'pt'})
        weight_map |= dict.fromkeys(part, name)
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {'metadata': {'total_size': total}, 'weight_map': weight_map}
    write_json(folder / 'model.safetensors.index.json', index)
    return folder


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding='utf-8')
