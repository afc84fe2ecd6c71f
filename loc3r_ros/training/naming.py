# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The image tower learns to name what each patch shows, and to find it, in the model's own words.

Loc3R-VLM begins with a tower that knows words (SigLIP) and a projector between the two (LLaVA's).
The tiny size has neither; this is where it gets them. Without it the answers would have to teach
the tower what a chair looks like, a few letters at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.training.bank import Bank
from loc3r_ros.training.layout import cell_middles
from loc3r_ros.training.task import HELD_OUT_ROOMS, Batch, Task
from loc3r_ros.vlm.config import VlmConfig
from loc3r_ros.vlm.model import compatibility
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights.save import save
from loc3r_ros.world.splits import TRAIN, VALIDATION

WORDS = 2
"""A name has at most so many words that count ('coffee table')."""


@dataclass(frozen=True)
class NamingExamples:
    """Single images with the name and the distance of each patch's middle.

    Attributes:
        bank: of the videos they are frames of.
        config: of the model.
        rooms, videos: that are trained on.
        frames: of a video in an example.
        seed: of the run.
    """

    bank: Bank
    config: VlmConfig
    rooms: int
    videos: int = 2
    frames: int = 16
    seed: int = 0

    def at(self, step: int, slot: int) -> Batch:
        rng = np.random.default_rng((self.seed, step, slot))
        room = TRAIN.start + int(rng.integers(self.rooms))
        return self._example(rng, room, int(rng.integers(self.videos)))

    def held_out(self, slot: int) -> Batch:
        rng = np.random.default_rng((0x4E1D, slot))
        return self._example(rng, VALIDATION.start + slot % HELD_OUT_ROOMS, slot % 2)

    def collate(self, examples: list[Batch]) -> Batch:
        return {name: torch.cat([e[name] for e in examples]) for name in examples[0]}

    def _example(self, rng: np.random.Generator, seed: int, number: int) -> Batch:
        video = self.bank.video(seed, number)
        footage, vision = video.footage, self.config.vision
        side = self.config.patches
        covered = side * vision.patch_size / vision.image_size
        ids = np.array([name_ids(self._words, name) for name in video.names])
        pixels, names, cells, logs = [], [], [], []
        for k in rng.choice(len(footage.rgb), self.frames, replace=False):
            pixels.append(preprocess(footage.rgb[k], vision.image_size))
            instance, depth = footage.instance[k], footage.depth[k]
            names.append(ids[cell_middles(instance, side, covered)])
            cells.append(ids[cell_middles(instance, self.config.grid, covered)])
            millimetres = np.nan_to_num(1000 * depth).astype(np.int32)
            logs.append(np.log(cell_middles(millimetres, side, covered).clip(min=1) / 1000))
        return {
            'pixels': torch.stack(pixels).half(),
            'names': torch.from_numpy(np.stack(names)),
            'cells': torch.from_numpy(np.stack(cells))[None],  # of one video together
            'log_depth': torch.from_numpy(np.stack(logs)).float(),
        }

    @cached_property
    def _words(self) -> Words:
        return Words.tiny()


def name_ids(words: Words, name: str) -> list[int]:
    """Its words as they stand within a sentence; `nothing` (-1) fills up."""
    found = [words.encode(f' {word}')[0] for word in name.split()][:WORDS]
    return found + [-1] * (WORDS - len(found))


def name(model: Loc3rVlm, projected: Tensor, names: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy of naming what projected patches show, and the share of right names.

    They choose among the words that are right for any of them: all others cost as much to tell
    apart as the rest of the tower, and are never near.

    Args:
        model: whose last norm and output layer read them.
        projected: (..., width).
        names: int64 (..., WORDS) the words of each; -1: none.
    """
    shown = (names >= 0).any(-1)
    words = names[names >= 0].unique()
    rows = model.lm_head.weight[words]
    logits = functional.linear(model.language.norm(projected[shown]), rows).float()
    right = (names[shown][:, None] == words[:, None]).any(-1)
    told = (logits.log_softmax(-1) * right).sum(-1) / right.sum(-1)
    return -told.mean(), right.gather(-1, logits.argmax(-1, keepdim=True)).float().mean()


class NamingTask(Task):
    """Trains the tower, the projector and the words' embeddings.

    A projected patch, normed, should be near the embeddings of its name's words. Among all image
    tokens of a video those that show a thing should be nearest to its name: that is how a language
    model looks a word up, by attention, where naming alone says nothing of other patches. Besides,
    the tower is asked for the logarithm of the distance.
    """

    def __init__(self, model: Loc3rVlm, examples: NamingExamples) -> None:
        super().__init__()
        self.model = model.train()
        self.examples = examples
        self.label = f'naming {examples}'
        self.depth = nn.Linear(model.config.vision.hidden_size, 1)
        for module in (model.language.layers, model.camera_projector, model.layout_head):
            module.requires_grad_(False)
        for module in (model.position_head, model.orientation_head):
            module.requires_grad_(False)
        model.newline.requires_grad_(False)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        seen = compatibility.see(self.model.vision, batch['pixels'].float())
        projected = self.model.projector(seen)
        naming, right = name(self.model, projected, batch['names'])
        there = batch['log_depth'] > np.log(0.01)
        depth = functional.l1_loss(
            self.depth(seen)[..., 0].float()[there], batch['log_depth'][there]
        )
        finding, found = self._find(projected, batch['cells'])
        return {
            'total': naming + depth + finding,
            'naming': naming,
            'depth': depth,
            'finding': finding,
            'right': right,
            'found': found,
        }

    def _find(self, projected: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of looking words up among the image tokens of a video, and what attention they give.

        Args:
            projected: (videos * F, patches^2, width).
            cells: (videos, F, grid^2, WORDS) words of the names; -1: none.

        Returns:
            Mean negative logarithm of the share of attention that goes to the right tokens, over
            all words of each video; and the mean of that share.
        """
        width = projected.shape[-1]
        pooled = self.model.pool(projected).flatten(1, 2).float()
        tokens = functional.rms_norm(pooled, (width,)).unflatten(0, (len(cells), -1)).flatten(1, 2)
        losses = []
        for near, shown in zip(tokens, cells.flatten(1, 2), strict=True):
            words = shown.unique()
            words = words[words >= 0]
            asked = functional.rms_norm(self.model.embed(words).float(), (width,))
            attention = (asked @ near.T / width**0.5).log_softmax(-1)
            right = (shown == words[:, None, None]).any(-1)
            losses.append(-attention.masked_fill(~right, -torch.inf).logsumexp(-1))
        loss = torch.cat(losses)
        return loss.mean(), (-loss.detach()).exp().mean()

    def export(self, folder: Path, about: Mapping[str, str]) -> None:
        save(self.model, Words.tiny(), folder, training=f'{self.label}; {dict(about)}')
