# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Loc3R-VLM (arXiv 2603.18002): LLaVA-Video with camera tokens, a layout head and `<Pos>` `<Ori>`.

`model.assumptions` says what the publication leaves open and how it was filled.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.config import VlmConfig
from loc3r_ros.vlm.model import compatibility
from loc3r_ros.vlm.model.attention import extension_mask
from loc3r_ros.vlm.model.decoder import KeyValues, read
from loc3r_ros.vlm.model.heads import PlaneGaussian, WideLinear, mlp


class Loc3rVlm(nn.Module):
    """The network, in pieces that a stream of frames can call one by one; make it by `build`.

    Attributes:
        config: its dimensions.
        vision: transformers' SigLIP, without last norm and head.
        projector: image features to language width.
        language: transformers' Qwen2Model.
        lm_head: hidden states to words.
        newline: (width,) the embedding at the end of each row of image tokens.
        camera_projector: CUT3R's camera token to language width.
        layout_head, position_head: hidden state to x, y, log sigma x, log sigma y.
        orientation_head: hidden state to logits of heading bins.
    """

    def __init__(self, config: VlmConfig) -> None:
        super().__init__()
        width, hidden = config.text.hidden_size, config.head_width
        self.config = config
        self.vision = compatibility.siglip(config.vision)
        self.projector = mlp(config.vision.hidden_size, width, width)
        self.language = compatibility.qwen(config.text)
        self.lm_head = nn.Linear(width, config.text.vocab_size, bias=False)
        self.newline = nn.Parameter(torch.empty(width))
        self.camera_projector = mlp(config.camera_dim, width, width)
        self.layout_head = WideLinear(width, 4)
        self.position_head = mlp(width, hidden, 4, WideLinear)
        self.orientation_head = mlp(width, hidden, config.orientation_bins, WideLinear)

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Image tokens of frames.

        Args:
            pixels: (F, 3, S, S) of `preprocess`; cast to the model's dtype.

        Returns:
            (F, grid * (grid + 1), width): row after row, each with the newline at its end.
        """
        size = self.config.vision.image_size
        if pixels.ndim != 4 or pixels.shape[1:] != (3, size, size):
            raise InputError(f'pixels {tuple(pixels.shape)}: give (frames, 3, {size}, {size})')
        return self.pool(
            self.projector(compatibility.see(self.vision, pixels.to(self.newline.dtype)))
        )

    def pool(self, features: Tensor) -> Tensor:
        """Image tokens, as of `encode_images`, of projected patches (F, patches^2, width)."""
        side, grid = self.config.patches, self.config.grid
        plane = features.transpose(1, 2).unflatten(2, (side, side))
        rows = functional.interpolate(plane, (grid, grid), mode='bilinear').permute(0, 2, 3, 1)
        newline = self.newline.expand(*rows.shape[:2], 1, -1)
        return torch.cat((rows, newline), 2).flatten(1, 2)

    def frame_embeddings(self, image_features: Tensor, camera_tokens: Tensor | None) -> Tensor:
        """What the language model reads of frames: each camera token before its image tokens.

        Args:
            image_features: (F, G, width) of `encode_images`.
            camera_tokens: (F, camera_dim) of CUT3R; None: images alone, as LLaVA-Video.

        Returns:
            (F, 1 + G, width), or as given without camera tokens.
        """
        if camera_tokens is None:
            return image_features
        expected = (image_features.shape[0], self.config.camera_dim)
        if camera_tokens.shape != expected:
            raise InputError(f'camera tokens {tuple(camera_tokens.shape)}: give {expected}')
        projected = self.camera_projector(camera_tokens.to(image_features))
        return torch.cat((projected[:, None], image_features), 1)

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings (..., width) of token ids (...)."""
        return self.language.embed_tokens(ids)

    def decode(self, embeddings: Tensor, cache: KeyValues | None = None, start: int = 0) -> Tensor:
        """Read embeddings that follow `start` cached ones.

        Args:
            embeddings: (B, n, width).
            cache: what holds the `start` positions before; its `update(key, value, layer, ...)`
                takes (B, kv_heads, n, d) each and gives (B, kv_heads, start + n, d), which may be
                views: nothing here copies or changes them. None: nothing before, nothing kept.
            start: cached positions.

        Returns:
            (B, n, width), after the last norm.
        """
        if start and cache is None:
            raise InputError(f'{start} tokens before these, but no cache that holds them')
        text = self.config.text
        groups = text.heads // text.kv_heads
        mask = extension_mask(embeddings.shape[1], start, groups, embeddings)
        return read(self.language, embeddings, mask, cache, start)

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocabulary) of the next token."""
        return self.lm_head(hidden)

    def patch_states(self, hidden: Tensor) -> Tensor:
        """Of hidden states (..., tokens of a frame, width) those of patches: (..., grid^2, width).

        Drops the camera token, if there is one, and the newlines.
        """
        grid = self.config.grid
        image = hidden[..., -self.config.image_tokens :, :]
        return image.unflatten(-2, (grid, grid + 1))[..., :grid, :].flatten(-3, -2)

    def layout(self, hidden: Tensor) -> PlaneGaussian:
        """Where patches are, from their hidden states (..., width)."""
        return PlaneGaussian.from_outputs(self.layout_head(hidden))

    def position(self, hidden: Tensor) -> PlaneGaussian:
        """Where the agent is, from the hidden state (..., width) of `<Pos>`."""
        return PlaneGaussian.from_outputs(self.position_head(hidden))

    def orientation(self, hidden: Tensor) -> Tensor:
        """Logits (..., bins) of the agent's heading, from the hidden state of `<Ori>`."""
        return self.orientation_head(hidden)

    def tie(self) -> None:
        """Let the output layer be the embeddings, where the configuration says so."""
        if self.config.text.tie_embeddings:
            self.lm_head.weight = self.language.embed_tokens.weight


def build(
    config: VlmConfig,
    device: torch.device | str = 'cpu',
    dtype: torch.dtype = torch.float32,
) -> Loc3rVlm:
    """A network with random weights, for evaluation; seed torch before for the same ones again.

    On the meta device it has no weights, but its few constants are real, on the CPU: assign all
    weights and move it. Choose the dtype here: a later `.to(dtype)` would round RoPE's constants.
    """
    device = torch.device(device)
    with torch.device('meta'):
        model = Loc3rVlm(config).to(dtype)
    hollow = device.type == 'meta'
    if not hollow:
        model.to_empty(device=device)
    model.tie()
    constants = torch.device('cpu') if hollow else device
    compatibility.make_constants(model.vision, model.language, constants)
    if not hollow:
        _initialise(model)
    return model.eval()


@torch.no_grad()
def _initialise(model: Loc3rVlm) -> None:
    """Deviation 0.02 as Qwen2, biases 0, norms 1: the same in every version of transformers."""
    for module in model.modules():
        if isinstance(module, nn.LayerNorm | nn.RMSNorm):
            module.weight.fill_(1)
        elif isinstance(module, nn.Linear | nn.Conv2d | nn.Embedding):
            module.weight.normal_(std=0.02)
        if isinstance(bias := getattr(module, 'bias', None), Tensor):
            bias.zero_()
    model.newline.normal_(std=1 / math.sqrt(model.config.text.hidden_size))
