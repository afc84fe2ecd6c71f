# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The pose memory: what the recurrence remembers of past cameras, read by image appearance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from loc3r_ros.cut3r.blocks import DecoderBlock, Linear

BLOCKS = 2


class PoseRetriever(nn.Module):
    """Read a pose token for an image from the memory; write the camera token found back.

    The query or entry is always a single token and nothing is rotated, so the blocks take their
    one-key shortcuts: no self-attention product in `read`, no cross-attention product in `write`.
    """

    def __init__(self, enc_dim: int, dim: int, heads: int, tokens: int, mlp_ratio: int) -> None:
        super().__init__()
        self.mem = nn.Parameter(torch.zeros(1, tokens, 2 * dim))
        self.masked_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.proj_q = Linear(enc_dim, dim)
        self.write_blocks, self.read_blocks = (
            nn.ModuleList(DecoderBlock(2 * dim, heads, mlp_ratio) for _ in range(BLOCKS))
            for _ in range(2)
        )

    def read(self, image: Tensor, memory: Tensor) -> Tensor:
        """The pose token (B, 1, D) that the memory (B, M, 2D) has for an image mean (B, 1, De)."""
        key = self.proj_q(image)
        x = torch.cat([key, self.masked_token.expand(len(key), -1, -1)], -1)
        for block in self.read_blocks:
            x, _ = block(x, memory)
        return x[..., key.shape[-1] :]

    def write(self, memory: Tensor, image: Tensor, camera: Tensor) -> Tensor:
        """The memory (B, M, 2D) after an image mean (B, 1, De) with its camera token (B, 1, D)."""
        entry = torch.cat([self.proj_q(image), camera], -1)
        for block in self.write_blocks:
            memory, _ = block(memory, entry)
        return memory
