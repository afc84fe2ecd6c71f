# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The image tower learns to name what each patch shows, in the model's own words.

Loc3R-VLM begins with a tower that knows words (SigLIP) and a projector between the two (LLaVA's).
The tiny size has neither; this is where it gets them. Without it the answers would have to teach
the tower what a chair looks like, a few letters at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from loc3r_ros.training.bank import Bank
from loc3r_ros.training.task import HELD_OUT_ROOMS, Batch, Task
from loc3r_ros.training.told import NO_WORD, tell, told_tokens
from loc3r_ros.training.variety import TINT
from loc3r_ros.vlm.config import VlmConfig
from loc3r_ros.vlm.model import compatibility
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights.save import save
from loc3r_ros.world.splits import TRAIN, VALIDATION

REMEMBERED = 1600
"""Videos that a process keeps as they are needed, 3 MB each, all of a CPU's plan: to read one takes
as long as to learn from ten of its images."""


@dataclass(frozen=True)
class NamingExamples:
    """Single images with the name and the point of each patch's middle.

    Attributes:
        bank: of the videos they are frames of.
        config: of the model.
        rooms, videos: that are trained on.
        frames: of a video in an example: few, since they show the same.
        seed: of the run.
    """

    bank: Bank
    config: VlmConfig
    rooms: int
    videos: int = 2
    frames: int = 4
    seed: int = 0

    def at(self, step: int, slot: int) -> Batch:
        rng = np.random.default_rng((self.seed, step, slot))
        room = TRAIN.start + int(rng.integers(self.rooms))
        example = self._example(rng, room, int(rng.integers(self.videos)))
        shape = self.config.vision
        covered = self.config.patches * shape.patch_size
        return varied(example, rng, self.config.patches, covered)

    def held_out(self, slot: int) -> Batch:
        rng = np.random.default_rng((0x4E1D, slot))
        return self._example(rng, VALIDATION.start + slot % HELD_OUT_ROOMS, slot % 2)

    def collate(self, examples: list[Batch]) -> Batch:
        return {name: torch.cat([e[name] for e in examples]) for name in examples[0]}

    def _example(self, rng: np.random.Generator, seed: int, number: int) -> Batch:
        whole = _stills(self.bank, self.config, seed, number)
        chosen = rng.choice(len(whole['names']), self.frames, replace=False)
        shown = {name: torch.from_numpy(values[chosen]) for name, values in whole.items()}
        pixels = shown['pixels'].float() / 127.5 - 1
        return {**shown, 'pixels': pixels.half()}


def varied(example: Batch, rng: np.random.Generator, side: int, covered: int) -> Batch:
    """Under light of another colour, and half of the time left for right.

    Args:
        example: its pixels are changed.
        rng: decides.
        side: patches along a side.
        covered: pixels along a side that patches cover, from the left; what is over stays.
    """
    gain = torch.from_numpy(rng.uniform(1 - TINT, 1 + TINT, 3)).half()[:, None, None]
    pixels = ((example['pixels'] + 1) * gain - 1).clamp(-1, 1)
    if rng.random() < 0.5:
        return {**example, 'pixels': pixels}
    pixels[..., :covered] = pixels[..., :covered].flip(-1)
    grids = {name: example[name].unflatten(1, (side, side)) for name in ('names', 'points')}
    told = {name: grid.flip(2).flatten(1, 2) for name, grid in grids.items()}
    return {'pixels': pixels, **told, 'points': told['points'] * torch.tensor([-1.0, 1.0, 1.0])}


@lru_cache(REMEMBERED)
def _stills(bank: Bank, config: VlmConfig, seed: int, number: int) -> dict[str, NDArray[Any]]:
    """All frames of a video as the tower takes them, in bytes, and as it is to tell them."""
    video = bank.video(seed, number)
    pixels = [preprocess(image, config.vision.image_size) for image in video.footage.rgb]
    return {
        'pixels': ((torch.stack(pixels) + 1) * 127.5).round().byte().numpy(),
        **tell(video.footage, video.names, config),
    }


def name(model: Loc3rVlm, projected: Tensor, names: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy of naming what projected patches show, and the share of right names.

    They choose among the words that are right for any of them: all others cost as much to tell
    apart as the rest of the tower, and are never near. Seven patches in ten show a wall or a floor;
    a name that a quarter as many patches show counts twice as much.

    Args:
        model: whose last norm and output layer read them.
        projected: (..., width).
        names: int64 (..., WORDS) the words of each, of `told.tell`.

    Returns:
        The weighted mean over patches, and the mean over names of the share that is right.
    """
    shown = (names != NO_WORD).any(-1)
    names = names[shown]
    words = names[names != NO_WORD].unique()
    rows = model.lm_head.weight[words]
    logits = functional.linear(model.language.norm(projected[shown]), rows).float()
    own = (names[:, None] == words[:, None]).any(-1)
    told = (logits.log_softmax(-1) * own).sum(-1) / own.sum(-1)
    right = own.gather(-1, logits.argmax(-1, keepdim=True))[:, 0].float()
    kinds, kind, count = names.unique(dim=0, return_inverse=True, return_counts=True)
    weight = count[kind] ** -0.5
    each = right.new_zeros(len(kinds)).index_add(0, kind, right) / count
    return -(told * weight).sum() / weight.sum(), each.mean()


class NamingTask(Task):
    """Trains the tower and the projector: a projected patch should be what it would be told as.

    Besides, normed, it should be nearer to its name's words than to others: that a chair is not
    told as half a chair and half a table.
    """

    def __init__(self, model: Loc3rVlm, examples: NamingExamples) -> None:
        super().__init__()
        self.model = model.train()
        self.examples = examples
        self.label = f'naming {examples}'
        model.requires_grad_(False)
        for part in (model.vision, model.projector):
            part.requires_grad_(True)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        seen = compatibility.see(self.model.vision, batch['pixels'].float())
        projected = self.model.projector(seen)
        naming, right = name(self.model, projected, batch['names'])
        told = told_tokens(self.model, batch['names'], batch['points'])
        off = functional.mse_loss(projected.float(), told.float()) / told.float().var()
        return {'total': naming + off, 'naming': naming, 'off': off, 'right': right}

    def export(self, folder: Path, about: Mapping[str, str]) -> None:
        save(self.model, Words.tiny(), folder, training=f'{self.label}; {dict(about)}')
