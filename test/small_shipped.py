# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What lies in `loc3r_ros/tiny`, of networks that run in milliseconds and know nothing."""

from __future__ import annotations

from pathlib import Path

import torch

from loc3r_ros.cut3r import Cut3r, tiny
from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
from loc3r_ros.vlm.config import QwenShape, SiglipShape, VlmConfig
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights import save

ENCODER = tiny('linear')

LANGUAGE = VlmConfig(
    vision=SiglipShape(
        image_size=28, patch_size=14, hidden_size=16, intermediate_size=32, layers=1, heads=2
    ),
    text=QwenShape(
        vocab_size=2816,
        hidden_size=32,
        intermediate_size=64,
        layers=1,
        heads=4,
        kv_heads=2,
        rope_theta=1e4,
        rms_norm_eps=1e-6,
        max_positions=2048,
    ),
    camera_dim=ENCODER.dec_dim,
    head_width=16,
    pool=1,
    frames=8,
    reads_poses=True,
)


def write_shipped(folder: Path) -> Path:
    """Write both; returns the folder."""
    torch.manual_seed(0)
    state = Cut3r(ENCODER).state_dict()
    tensors = {name: (0.1 * torch.randn_like(value)).half() for name, value in state.items()}
    write_checkpoint(Checkpoint(ENCODER, tensors), folder / 'cut3r.safetensors')
    save(build(LANGUAGE).half(), Words.tiny(), folder / 'vlm', training='none: random numbers')
    return folder
