# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A CUT3R network before it has learnt anything: it can compare what it sees with what it saw.

CUT3R as published begins with an encoder and decoders that were trained to match images before
(DUSt3R, and CroCo before that). From weights at random, 16,000 pairs of frames did not teach this
network to tell motion from standing still. Begun like here, a tenth of them does:

* patches are told by their lowest frequencies;
* the state lies on a grid like the image does, each token knows its place, and keeps what is seen
  there;
* in the first block, each patch of the next image finds what looks like it near its place, and is
  told how far away that is;
* further blocks tell the camera token the mean of it.

All of it is learnt on; nothing is fixed. It also sees a wall in front of it and stands still.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from loc3r_ros.cut3r.blocks import CrossAttention, DecoderBlock, EncoderBlock
from loc3r_ros.cut3r.config import PATCH, Cut3rConfig
from loc3r_ros.cut3r.heads.common import POINT_CHANNELS
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.rope import Layout
from loc3r_ros.training.patch_filters import patch_filters

DEPTH = 2.0
"""Of that wall, m."""

TOKEN_DEVIATION = 0.02

NEARNESS = 2.5
"""Bias of queries and keys that look at the same place; a place further, a fifth as much."""

LIKENESS = 1.2
"""Gain of queries and keys that look for the same content."""

CODES = 16
"""Channels, the last of the decoders, that tell places and not contents."""

_CODE, _DISPLACEMENT = 2.5, 4.0
"""Gains of a place's code, and of the difference of two."""

_ALONG = 0.2
"""Of what all other layers add at first, so that they do not drown this."""

_WRITTEN = 0.5
"""Share of an image token that a layer of the state's decoder writes."""

_Z = 2
"""Channel of the point maps that is z, before its exponential."""

_LAST_OF_POINTS = {
    'linear': ('proj.fc2', 'cross_proj.fc2'),
    'dpt': ('dpt_self.head.4', 'dpt_cross.head.4'),
}


def begin(config: Cut3rConfig, seed: int) -> Cut3r:
    """A network to train from scratch.

    Products are Glorot's, since the layers are too narrow for a fixed deviation; what leads out is
    small, so that the first steps do not have to unlearn poses and points that chance chose.
    """
    torch.manual_seed(seed)
    model = Cut3r(config)
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight.flatten(1))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for token in (
        model.pose_token,
        model.masked_img_token,
        model.masked_ray_map_token,
        model.register_tokens.weight,
        model.pose_retriever.mem,
        model.pose_retriever.masked_token,
    ):
        nn.init.normal_(token, std=TOKEN_DEVIATION)
    with torch.no_grad():
        _Matching(model).begin()
        _begin_heads(model)
    return model


class _Matching:
    """Contents in the first channels of the decoders, codes of places in the last.

    Attributes:
        contents: channels of contents.
        codes: channels of codes, as many as one head carries.
    """

    def __init__(self, model: Cut3r) -> None:
        self.model = model
        config = model.config
        self.codes = min(CODES, config.dec_dim // config.dec_heads)
        self.contents = min(config.enc_dim, config.dec_dim - CODES)
        self.first_code = config.dec_dim - CODES

    def begin(self) -> None:
        model = self.model
        self._see()
        self._place()
        for block in model.dec_blocks_state:
            self._write(cast(DecoderBlock, block).cross_attn)
        for number, block in enumerate(model.dec_blocks):
            self._read(cast(DecoderBlock, block), first=number == 0)

    def _see(self) -> None:
        """Contents are frequencies of a patch, and reach the decoders as they are."""
        model, n = self.model, self.contents
        kernel = model.patch_embed.proj.weight
        kernel.mul_(_ALONG)
        kernel[:n] = patch_filters(n, PATCH)
        model.decoder_embed.weight.zero_()
        model.decoder_embed.weight[:n, :n] = torch.eye(n)
        for block in (*model.enc_blocks, *model.dec_blocks, *model.dec_blocks_state):
            sides = cast(EncoderBlock | DecoderBlock, block)
            for out in (sides.attn.proj, sides.mlp.fc2):
                out.weight.mul_(_ALONG)

    def _place(self) -> None:
        """Each token of the state knows where it lies."""
        model, codes = self.model, self.codes
        embed = model.decoder_embed_state.weight
        embed[:, :codes] = 0
        embed[self.first_code :] = 0
        embed[self.first_code : self.first_code + codes, :codes] = torch.eye(codes)
        layout = Layout(model.config.state_tokens, model.config.state_width)
        model.register_tokens.weight[:, :codes] = _CODE * _place_codes(layout)[:, :codes]

    def _write(self, attention: CrossAttention) -> None:
        """A token of the state keeps the content that is seen at its place."""
        for product in (attention.projq, attention.projk):
            product.weight.mul_(_ALONG)
            product.bias.fill_(NEARNESS)
        n = self.contents
        for product in (attention.projv, attention.proj):
            product.weight.zero_()
            product.weight[:n, :n] = torch.eye(n)
        attention.proj.weight.mul_(_WRITTEN)

    def _read(self, block: DecoderBlock, *, first: bool) -> None:
        """Half of the heads look at the same place of the state, and half for likeness nearby."""
        attention = block.cross_attn
        heads, width = attention.heads, attention.projq.out_features // attention.heads
        turning, still = _channels(width)
        for head in range(heads):
            rows = torch.arange(head * width, (head + 1) * width)
            alike = head >= heads // 2
            for product in (attention.projq, attention.projk):
                product.weight[rows] *= 0 if alike else _ALONG
                product.bias[rows[turning] if alike else rows] = NEARNESS
                if alike:
                    # What hardly turns from place to place may tell contents.
                    product.weight[rows[still], : len(still)] = LIKENESS * torch.eye(len(still))
        attention.projv.weight.mul_(_WRITTEN)
        attention.proj.weight.mul_(_WRITTEN)
        # Nothing but differences of codes comes into the channels of codes.
        for out in (attention.proj, block.attn.proj, block.mlp.fc2):
            out.weight[self.first_code :] = 0
        if first:
            self._tell_apart(attention, heads // 2 - 1, -_DISPLACEMENT)
            self._tell_apart(attention, heads // 2, _DISPLACEMENT)
        else:
            self._average(block)

    def _tell_apart(self, attention: CrossAttention, head: int, gain: float) -> None:
        """A head adds the codes of where it looks."""
        start, n = head * attention.projv.out_features // attention.heads, self.codes
        code = slice(self.first_code, self.first_code + n)
        attention.projv.weight[start : start + n] = 0
        attention.projv.weight[start : start + n, code] = torch.eye(n)
        attention.proj.weight[:, start : start + n] = 0
        attention.proj.weight[code, start : start + n] = gain * torch.eye(n)

    def _average(self, block: DecoderBlock) -> None:
        """The first head of self-attention gives every token the mean of all codes."""
        attention, n = block.attn, self.codes
        dim = attention.proj.in_features
        code = slice(self.first_code, self.first_code + n)
        for part in range(3):
            attention.qkv.weight[part * dim : part * dim + dim // attention.heads] = 0
        attention.qkv.weight[2 * dim : 2 * dim + n, code] = torch.eye(n)
        attention.proj.weight[:, : dim // attention.heads] = 0
        attention.proj.weight[code, :n] = torch.eye(n)


def _channels(width: int) -> tuple[Tensor, Tensor]:
    """Those of a head that turn fast with the place (see `rope.rotate`), and those that do not."""
    frequency = torch.arange(width) % (width // 4)
    still = frequency >= width // 8
    return torch.nonzero(~still).flatten(), torch.nonzero(still).flatten()


def _place_codes(layout: Layout) -> Tensor:
    """(T, CODES) of the places of a grid: ramps, of which a difference tells a way, and waves."""
    places = torch.from_numpy(layout.positions()).float()
    y, x = (2 * places / places.amax(0).clamp(min=1) - 1).unbind(-1)
    codes = [1.5 * x, 1.5 * y]
    for halves in (1, 2, 3):
        for t in (x, y):
            codes += [torch.sin(math.pi * halves * t / 2), torch.cos(math.pi * halves * t / 2)]
    return torch.stack([*codes, 1.5 * x * y, torch.zeros_like(x)], -1)


def _begin_heads(model: Cut3r) -> None:
    head = dict(model.downstream_head.named_parameters())
    head['pose_head.mlp.fc2.weight'].mul_(0.1)
    # A quaternion with a real part of one: no rotation.
    head['pose_head.mlp.fc2.bias'][3] = 1.0
    for name, weight in head.items():
        if name.endswith(('norm1.mlp.1.weight', 'norm2.mlp.1.weight')):
            weight.zero_()
    for last in _LAST_OF_POINTS[model.config.head]:
        head[f'{last}.weight'].mul_(0.3)
        head[f'{last}.bias'].unflatten(0, (POINT_CHANNELS, -1))[_Z] = math.log1p(DEPTH)
