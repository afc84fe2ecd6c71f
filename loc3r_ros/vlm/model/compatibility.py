# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""transformers' classes in the form used here: all that differs between its versions.

Works with transformers 4.51 to 5.x.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import Qwen2Config, Qwen2Model, SiglipVisionConfig, SiglipVisionModel
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm, Qwen2RotaryEmbedding

from loc3r_ros.vlm.config import QwenShape, SiglipShape


def siglip(shape: SiglipShape) -> nn.Module:
    """The image transformer: `embeddings` and `encoder`, no last norm and no pooling head.

    Its keys are the same in all versions: in 4.x SiglipVisionModel holds it one level deeper.
    """
    config = cast(Any, SiglipVisionConfig)(  # which arguments are declared varies
        image_size=shape.image_size,
        patch_size=shape.patch_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        vision_use_head=False,
        attn_implementation='sdpa',
    )
    tower = SiglipVisionModel(config)
    tower = getattr(tower, 'vision_model', tower)
    tower.post_layernorm = nn.Identity()  # LLaVA takes what an inner layer gives, not normed
    return tower


def see(vision: nn.Module, pixels: Tensor) -> Tensor:
    """Features (F, patches^2, hidden) of images (F, 3, S, S)."""
    # Where bfloat16 is trained on a CPU the fused kernel takes twice the time backwards.
    narrow = pixels.device.type == 'cpu' and torch.is_autocast_enabled('cpu')
    plain = narrow and torch.is_grad_enabled()
    cast(Any, vision.config)._attn_implementation = 'eager' if plain else 'sdpa'
    return vision(pixels).last_hidden_state


def qwen(shape: QwenShape) -> Qwen2Model:
    """The language model without its output layer."""
    config = cast(Any, Qwen2Config)(  # which arguments are declared varies
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.max_positions,
        rms_norm_eps=shape.rms_norm_eps,
        rope_theta=shape.rope_theta,
        use_sliding_window=False,
        attn_implementation='sdpa',
    )
    model = Qwen2Model(config)
    _use_torch_norms(model, shape.rms_norm_eps)
    return model


def make_constants(vision: nn.Module, language: Qwen2Model, device: torch.device) -> None:
    """Compute the buffers that no checkpoint holds, after building on the meta device.

    The frequencies of RoPE stay in float32 in a model of any dtype: bfloat16 would shift far
    tokens by whole positions.
    """
    embeddings = cast(Any, vision.embeddings)
    embeddings.position_ids = torch.arange(embeddings.num_positions, device=device)[None]
    with torch.device(device):
        language.rotary_emb = Qwen2RotaryEmbedding(config=language.config)


def _use_torch_norms(language: nn.Module, eps: float) -> None:
    """Put torch's RMSNorm in place of the written-out one.

    One kernel and not six; and float64 stays float64, where the other rounds to float32.
    """
    for parent in list(language.modules()):
        for name, child in parent.named_children():
            if isinstance(child, Qwen2RMSNorm):
                setattr(parent, name, nn.RMSNorm(child.weight.shape[0], eps))
