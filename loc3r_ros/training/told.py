# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Images in words and numbers: for each patch the name of what it shows, and where that is.

The language model learns to read and to reckon from these, as if its tower saw perfectly, while the
tower learns to give the same (`naming`); then each takes the other as it is. Loc3R-VLM begins with
SigLIP and Qwen2, each of which was taught alone, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from loc3r_ros.training.layout import cell_middles
from loc3r_ros.training.task import Batch
from loc3r_ros.vlm.config import VlmConfig
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.world.video import Footage

WORDS = 2
"""A name has at most so many words that count ('coffee table')."""

NO_WORD = -1

FAR_M = 3.0
"""A distance that counts as much as a name."""

BLIND, BLUR = 0.1, 0.15
"""What a tower misses: so many patches tell no name, and distances are off by a factor whose
logarithm has this deviation."""


def name_ids(words: Words, name: str) -> list[int]:
    """Its words as they stand within a sentence; `NO_WORD` fills up."""
    found = [words.encode(f' {word}')[0] for word in name.split()][:WORDS]
    return found + [NO_WORD] * (WORDS - len(found))


def tell(
    footage: Footage, names: Sequence[str], config: VlmConfig
) -> dict[str, NDArray[np.generic]]:
    """What the middle of each patch shows.

    Args:
        footage: of F frames.
        names: category by instance number; 0, which is nothing, has none.
        config: of the model, for its N patches.

    Returns:
        'names', int64 (F, N, WORDS) ids of the tiny tokenizer; 'points', float32 (F, N, 3) in the
        camera's optical frame, m, 0 where there is no depth.
    """
    side, covered = config.patches, config.covered
    ids = np.array([name_ids(_words(), name) for name in names])
    shown = np.stack([cell_middles(image, side, covered) for image in footage.instance])
    height, width = footage.depth.shape[1:]
    pixels = np.arange(height * width, dtype=np.int32).reshape(height, width)
    v, u = np.divmod(cell_middles(pixels, side, covered), width)
    z = np.nan_to_num(footage.depth[:, v, u])[..., None]
    rays = footage.camera.normalise(np.stack([u, v], -1).astype(np.float64))
    points = np.concatenate([rays * z, z], -1).astype(np.float32)
    return {'names': ids[shown], 'points': points}


def blurred(told: Batch, rng: Generator) -> Batch:
    """As a tower sees that has learnt from a few hundred rooms."""
    names, points = told['names'].clone(), told['points']
    names[torch.from_numpy(rng.random(names.shape[:2]) < BLIND)] = NO_WORD
    factor = np.exp(BLUR * rng.standard_normal(points.shape[:2])).astype(np.float32)
    return {'names': names, 'points': points * torch.from_numpy(factor)[..., None]}


def told_tokens(model: Loc3rVlm, names: Tensor, points: Tensor) -> Tensor:
    """(..., width) that a projected patch should be: the mean of its words, and its point besides.

    Args:
        model: for its embeddings.
        names: int64 (..., WORDS).
        points: (..., 3) m.
    """
    rows = model.embed(names.clamp(min=0)) * (names != NO_WORD)[..., None]
    named = rows.sum(-2) / (names != NO_WORD).sum(-1, keepdim=True).clamp(min=1)
    z = points[..., 2:]
    numbers = torch.cat([points / FAR_M, torch.where(z > 0, z.clamp(min=0.1).log(), 0)], -1)
    loud = model.language.embed_tokens.weight.square().mean().sqrt()
    return named + loud * functional.linear(numbers, _directions(named.shape[-1]).to(named))


@lru_cache
def _directions(width: int) -> Tensor:
    """(width, 4) in which a point is told, each as long as `width` numbers of deviation 1."""
    draw = torch.Generator().manual_seed(width)
    return torch.linalg.qr(torch.randn(width, 4, generator=draw))[0] * width**0.5


@lru_cache(1)
def _words() -> Words:
    return Words.tiny()
