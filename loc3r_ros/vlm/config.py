# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The dimensions of a Loc3R-VLM network: the published size, and a tiny one of the same make."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from loc3r_ros.errors import InputError


@dataclass(frozen=True)
class SiglipShape:
    """The image tower.

    Attributes:
        image_size: side of the square input, pixels.
        patch_size: side of a patch, pixels; what is left over at the border is not seen.
        hidden_size, intermediate_size, heads: width, width within an MLP, attention heads.
        layers: those that are used: LLaVA takes the output of the last layer but one, so 26 of
            so400m's 27, and no norm after it.
    """

    image_size: int
    patch_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int


@dataclass(frozen=True)
class QwenShape:
    """The language model, in the terms of Qwen2's own configuration."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    rope_theta: float
    rms_norm_eps: float
    max_positions: int
    tie_embeddings: bool = False


@dataclass(frozen=True)
class VlmConfig:
    """What fixes every shape of the network.

    Attributes:
        pool: the patch grid is shrunk by this, sides rounded up (27 to 14), as in LLaVA-Video.
        camera_dim: width of the camera tokens, that of CUT3R's decoder.
        head_width: hidden width of the position and orientation heads.
        frames: frames that are looked at together.
        orientation_bins: bins of the heading over [-pi, pi).
        reads_poses: whether it was taught to read a known pose (`vlm.pose_token`) where there is no
            camera token.
        reads_tokens: whether it was taught to read camera tokens of CUT3R, as published.
        reasons: whether it was taught to say facts to itself before each answer.
    """

    vision: SiglipShape
    text: QwenShape
    camera_dim: int
    head_width: int
    pool: int = 2
    frames: int = 32
    orientation_bins: int = 36
    reads_poses: bool = False
    reads_tokens: bool = True
    reasons: bool = False

    def __post_init__(self) -> None:
        vision, text = self.vision, self.text
        for name, number in _numbers(self):
            if number <= 0:
                raise InputError(f'{name}={number}: use a positive number')
        _divides('vision.heads', vision.heads, vision.hidden_size)
        _divides('text.kv_heads', text.kv_heads, text.heads)
        _divides('text.heads, twice (RoPE rotates pairs)', 2 * text.heads, text.hidden_size)
        if vision.patch_size > vision.image_size:
            raise InputError(f'patches of {vision.patch_size} in images of {vision.image_size}')
        if self.frames * self.tokens_per_frame >= text.max_positions:
            raise InputError(
                f'{self.frames} frames of {self.tokens_per_frame} tokens leave no room for words '
                f'in a context of {text.max_positions}: use fewer frames'
            )

    @property
    def patches(self) -> int:
        """Patches along a side of the image, before pooling."""
        return self.vision.image_size // self.vision.patch_size

    @property
    def covered(self) -> float:
        """Share of each side of the image that patches cover, from its top left."""
        return self.patches * self.vision.patch_size / self.vision.image_size

    @property
    def grid(self) -> int:
        """Vision tokens along a side, after pooling."""
        return -(-self.patches // self.pool)

    @property
    def image_tokens(self) -> int:
        """Tokens of an image: the grid, and a newline at the end of each of its rows."""
        return self.grid * (self.grid + 1)

    @property
    def tokens_per_frame(self) -> int:
        """Tokens of a frame with its camera token."""
        return 1 + self.image_tokens

    def to_json(self) -> dict[str, Any]:
        """The fields as plain nested dicts of numbers, ready for `json.dumps`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> VlmConfig:
        """Take what `to_json` gave.

        Raises:
            InputError: a field is unknown, missing or of another type.
        """
        return _read(cls, values, 'configuration')


def _numbers(shape: Any, within: str = '') -> list[tuple[str, float]]:
    found = []
    for field in fields(shape):
        value = getattr(shape, field.name)
        if is_dataclass(value):
            found += _numbers(value, f'{field.name}.')
        elif not isinstance(value, bool):
            found.append((within + field.name, value))
    return found


def _divides(name: str, part: int, whole: int) -> None:
    if whole % part:
        raise InputError(f'{name}: {part} does not divide {whole}')


def _read(kind: Any, values: Any, name: str) -> Any:
    hints = get_type_hints(kind)
    if not isinstance(values, dict):
        raise InputError(f'{name} is {values!r:.80}, expected fields: {sorted(hints)}')
    if unknown := set(values) - set(hints):
        raise InputError(f'{name}: {sorted(unknown)} unknown; there are {sorted(hints)}')
    read = {}
    for key, value in values.items():
        if is_dataclass(hints[key]):
            value = _read(hints[key], value, key)
        elif hints[key] is float and type(value) is int:
            value = float(value)
        elif type(value) is not hints[key]:
            raise InputError(f'{name}: {key} is {value!r:.80}, expected {hints[key].__name__}')
        read[key] = value
    try:
        return kind(**read)
    except TypeError as error:
        raise InputError(f'{name}: {error}') from error


FULL = VlmConfig(
    vision=SiglipShape(
        image_size=384,
        patch_size=14,
        hidden_size=1152,
        intermediate_size=4304,
        layers=26,
        heads=16,
    ),
    text=QwenShape(
        vocab_size=152064,
        hidden_size=3584,
        intermediate_size=18944,
        layers=28,
        heads=28,
        kv_heads=4,
        rope_theta=1e6,
        rms_norm_eps=1e-6,
        max_positions=32768,
    ),
    camera_dim=768,
    head_width=3584,
)
"""LLaVA-Video-7B-Qwen2 (SigLIP so400m-patch14-384, Qwen2-7B) with Loc3R's additions."""

TINY = VlmConfig(
    vision=SiglipShape(
        image_size=128,
        patch_size=9,
        hidden_size=192,
        intermediate_size=768,
        layers=4,
        heads=6,
    ),
    text=QwenShape(
        vocab_size=2816,
        hidden_size=256,
        intermediate_size=448,
        layers=8,
        heads=8,
        kv_heads=2,
        rope_theta=1e6,
        rms_norm_eps=1e-6,
        max_positions=4096,
        tie_embeddings=True,
    ),
    camera_dim=96,
    head_width=256,
)
"""7.0 million parameters, for a CPU; camera tokens of `cut3r.config.SHIPPED`.

Fourteen patches a side with pixels left over, seven after pooling: half the full size's grid.
57 tokens a frame, 1824 a video: as there, reading a video costs far more than saying a sentence.
"""
