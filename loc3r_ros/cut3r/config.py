# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The dimensions of a CUT3R network: the two published ones, and any other by its fields."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from loc3r_ros.errors import InputError

PATCH = 16
"""Side of an image patch, pixels."""

NORM_EPS = 1e-6

HeadType = Literal['linear', 'dpt']


@dataclass(frozen=True)
class Cut3rConfig:
    """What fixes every shape and every constant of the network.

    Attributes:
        head: `linear` (224 checkpoint) or `dpt` (512 checkpoint).
        image_size: side that input images are resized to, pixels: the short side with
            `square_crop`, else the long one.
        square_crop: crop to a square, as the 224 checkpoint wants; else keep the aspect and floor
            each side to a multiple of 16.
        enc_dim, enc_depth, enc_heads: image encoder.
        dec_dim, dec_depth, dec_heads: image decoder; the state decoder shares all but its heads.
        state_heads: heads of the state decoder.
        state_tokens: tokens of the persistent state.
        memory_tokens: tokens of the pose memory, each 2 * dec_dim wide.
        ray_depth, ray_heads: ray-map encoder.
        mlp_ratio: hidden over outer width of every MLP.
        rope_base: base of the rotary position embedding.
        half_rounding: round q and k of the image encoder to IEEE half around RoPE. The published
            weights were trained and are run that way, so it is the default; without it the
            encoder is plain float32 (2e-4 relative difference in the tokens).
        restart_every: images after which poses are better told from a fresh state; 0: never, as
            published.
        take_every: least time between images that change the state, s; 0: each does, as published.
    """

    head: HeadType
    image_size: int
    square_crop: bool
    enc_dim: int = 1024
    enc_depth: int = 24
    enc_heads: int = 16
    dec_dim: int = 768
    dec_depth: int = 12
    dec_heads: int = 12
    state_heads: int = 16
    state_tokens: int = 768
    memory_tokens: int = 256
    ray_depth: int = 2
    ray_heads: int = 16
    mlp_ratio: int = 4
    rope_base: float = 100.0
    half_rounding: bool = True
    restart_every: int = 0
    take_every: float = 0.0

    def __post_init__(self) -> None:
        if self.head not in ('linear', 'dpt'):
            raise InputError(f'head {self.head!r} is unknown; use linear or dpt')
        if self.image_size < PATCH or (self.square_crop and self.image_size % PATCH):
            raise InputError(f'image_size {self.image_size}: use a multiple of {PATCH}, e.g. 224')
        if self.restart_every < 0 or self.restart_every == 1:
            raise InputError(f'restart_every={self.restart_every}: use 2 or more, or 0 for never')
        if not 0 <= self.take_every < math.inf:
            raise InputError(f'take_every={self.take_every}: use seconds, or 0 for every image')
        for name, dim, heads in (
            ('enc_heads', self.enc_dim, self.enc_heads),
            ('dec_heads', self.dec_dim, self.dec_heads),
            ('state_heads', self.dec_dim, self.state_heads),
            ('ray_heads', self.enc_dim, self.ray_heads),
        ):
            if heads < 1 or dim % (4 * heads):
                raise InputError(
                    f'{name}={heads} does not fit a width of {dim}: the width of a head must be a '
                    'multiple of 4, for rows and columns of rotated pairs'
                )

    @property
    def state_width(self) -> int:
        """Columns of the grid that the state tokens are laid on: the even number above sqrt."""
        root = math.isqrt(self.state_tokens)
        return root + root % 2

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Cut3rConfig:
        """Read what `to_json` wrote.

        Raises:
            InputError: the text is not JSON, a field is unknown or of another type.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            kinds = {f.name: str(f.type).replace('HeadType', 'str') for f in fields(cls)}
            for name, value in values.items():
                if type(value).__name__ != kinds[name]:
                    raise TypeError(f'{name} is {value!r}, expected {kinds[name]}')
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f'not a CUT3R configuration: {error!r} in {text[:200]!r}') from error


FULL_LINEAR_224 = Cut3rConfig('linear', image_size=224, square_crop=True)
"""`cut3r_224_linear_4.pth`."""

FULL_DPT_512 = Cut3rConfig('dpt', image_size=512, square_crop=False)
"""`cut3r_512_dpt_4_64.pth`."""


def tiny(head: HeadType) -> Cut3rConfig:
    """A network of the same make that runs in milliseconds on one core: tests, benchmarks."""
    return Cut3rConfig(
        head,
        image_size=64,
        square_crop=head == 'linear',
        enc_dim=64,
        enc_depth=3,
        enc_heads=4,
        dec_dim=96,
        dec_depth=4,
        dec_heads=4,
        state_heads=6,
        state_tokens=27,
        memory_tokens=12,
    )


SHIPPED = Cut3rConfig(
    'linear',
    image_size=128,
    square_crop=True,
    enc_dim=128,
    enc_depth=5,
    enc_heads=4,
    dec_dim=96,
    dec_depth=4,
    dec_heads=4,
    state_heads=4,
    state_tokens=64,
    memory_tokens=24,
    ray_depth=1,
    ray_heads=4,
    mlp_ratio=2,
    half_rounding=False,
    restart_every=8,
    take_every=0.25,
)
"""The weights in the package: 4.7 million parameters, 64 patches a frame, real time on one core.

The 64 state tokens lie on the same 8 x 8 grid as the patches, so that what was seen at a place of
the last image is found at the same place of the state. It was trained on clips of up to 16 frames,
0.1 to 1.2 s apart, and after some dozens its poses stand still. On four drives at 10 Hz, in
validation rooms, its ATE is 7.0 % of the way where every image is taken up, 3.7 % where one in
0.25 s is, and 4.2 % with one in 0.35 s (by hand). Lives of 6, 8 and 12 such images left 3.6, 3.1
and 4.5 % with the weights 1,300 steps before.
"""
