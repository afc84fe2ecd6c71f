# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Small networks with random weights, and checkpoints in the published layout."""

from __future__ import annotations

import torch

from loc3r_ros.cut3r import Cut3r, Cut3rConfig


def random_model(config: Cut3rConfig, seed: int = 0) -> Cut3r:
    """Weights of the size that a trained network has, norms near one, nothing left at zero."""
    generator = torch.Generator().manual_seed(seed)
    model = Cut3r(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1 and name.endswith('weight'):
                parameter.copy_(1 + 0.1 * noise)
            elif parameter.dim() > 1 and name.endswith('weight'):
                parameter.copy_(noise / parameter[0].numel() ** 0.5)
            else:
                parameter.copy_(0.1 * noise)
    return model.eval()


def arguments(config: Cut3rConfig, **changed: str) -> str:
    """The text that the training code stores as `args.model`."""
    values = {
        'freeze': "'encoder'",
        'state_size': config.state_tokens,
        'state_pe': "'2d'",
        'pos_embed': "'RoPE100'",
        'rgb_head': True,
        'pose_head': True,
        'patch_embed_cls': "'ManyAR_PatchEmbed'",
        'img_size': f'({config.image_size}, {config.image_size})',
        'head_type': f"'{config.head}'",
        'output_mode': "'pts3d+pose'",
        'depth_mode': "('exp', -inf, inf)",
        'conf_mode': "('exp', 1, inf)",
        'pose_mode': "('exp', -inf, inf)",
        'enc_embed_dim': config.enc_dim,
        'enc_depth': config.enc_depth,
        'enc_num_heads': config.enc_heads,
        'dec_embed_dim': config.dec_dim,
        'dec_depth': config.dec_depth,
        'dec_num_heads': config.dec_heads,
        'state_dec_num_heads': config.state_heads,
        **changed,
    }
    inside = ', '.join(f'{name}={value}' for name, value in values.items())
    return f'ARCroco3DStereo(ARCroco3DStereoConfig({inside}))'
