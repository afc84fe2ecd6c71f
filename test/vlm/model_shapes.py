# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The smallest network in which nothing is square or divides by chance."""

from loc3r_ros.vlm.config import QwenShape, SiglipShape, VlmConfig

SMALL = VlmConfig(
    vision=SiglipShape(
        image_size=71,
        patch_size=14,
        hidden_size=32,
        intermediate_size=48,
        layers=2,
        heads=2,
    ),
    text=QwenShape(
        vocab_size=80,
        hidden_size=48,
        intermediate_size=64,
        layers=3,
        heads=6,
        kv_heads=2,
        rope_theta=1e4,
        rms_norm_eps=1e-6,
        max_positions=256,
    ),
    camera_dim=20,
    head_width=24,
    frames=4,
)
"""Five patches a side (and a pixel left over), three after pooling: 3 x 4 + 1 tokens a frame."""
