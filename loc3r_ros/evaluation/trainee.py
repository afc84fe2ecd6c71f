# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A model in training, with parts left out, examined by the reading that it is trained with.

Texts of one length are read at once, so that a GPU has something to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from loc3r_ros.evaluation.subject import Asked
from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.training.bank import SHOWN, Video, some
from loc3r_ros.training.loc3r_examples import WHERE
from loc3r_ros.training.loc3r_task import Extension, Loc3rTask, Reading
from loc3r_ros.training.tokens import TokenBank
from loc3r_ros.training.variety import frames_of
from loc3r_ros.types import AgentPose
from loc3r_ros.vlm.agent import nowhere
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.options import Choice
from loc3r_ros.vlm.prompt import Prompt
from loc3r_ros.vlm.situated import Situated, agent_in_map, bev_in_map
from loc3r_ros.vlm.stream import ANSWER_TOKENS

Result = TypeVar('Result')


class _Growing:
    """Keys and values of texts that go on, behind those of the video."""

    def __init__(self, reading: Reading, texts: int) -> None:
        self._video = Extension(reading, texts)
        self._texts: dict[int, tuple[Tensor, Tensor]] = {}

    def update(self, key: Tensor, value: Tensor, layer: int, /) -> tuple[Tensor, Tensor]:
        if layer in self._texts:
            before = self._texts[layer]
            key, value = torch.cat((before[0], key), 2), torch.cat((before[1], value), 2)
        self._texts[layer] = key, value
        return self._video.update(key, value, layer)


class Trainee:
    """A `Subject` made of a training task's model.

    Places that its heads were not trained for are asked for in words.

    Args:
        task: its model, and what is left out.
        tokens: its camera tokens.
    """

    _reading: Reading
    _T_map_bev: Array

    def __init__(self, task: Loc3rTask, tokens: TokenBank) -> None:
        self.task = task
        self.tokens = tokens
        self.model = task.model
        self.prompt = Prompt(task.words)

    @torch.inference_mode()
    def watch(self, video: Video, seed: int, number: int) -> None:
        footage = video.footage
        frames = frames_of(len(footage.rgb), SHOWN)
        shown = some(footage, frames)
        config = self.model.config
        size = config.vision.image_size
        batch: dict[str, Tensor] = {
            'pixels': torch.stack([preprocess(image, size) for image in shown.rgb])[None],
            'seen': torch.zeros(1, len(shown.rgb), config.grid**2),
            **{
                name: values[None]
                for name, values in self.tokens.of(footage, shown, seed, number, frames).items()
            },
        }
        device = self.model.newline.device
        self._reading, _ = self.task.read_video({k: v.to(device) for k, v in batch.items()})
        self._T_map_bev = bev_in_map(shown.T_map_optical[0])

    def localize(self, situations: Sequence[str]) -> list[AgentPose]:
        if not self.task.parts.situation:
            told = self.answer([Asked(WHERE, situation) for situation in situations])
            return [told_in_words(words, self._T_map_bev) for words in told]
        texts = [self.prompt.situation(said) for said in situations]
        places = self._by_length(texts, self._situated)
        return [agent_in_map(situated, self._T_map_bev) for situated in places]

    def answer(self, asked: Sequence[Asked]) -> list[str]:
        reasons = self.task.examples.reasons
        choices = [Choice.of(question) if reasons else None for question, _ in asked]
        texts = [
            self.prompt.situation(situation)
            + self.prompt.question(choice.question if choice else question)
            for choice, (question, situation) in zip(choices, asked, strict=True)
        ]
        said = [self._concluded(ids) for ids in self._by_length(texts, self._spoken)]
        answers = zip(choices, said, strict=True)
        return [choice.letter(words) if choice else words for choice, words in answers]

    def _concluded(self, ids: list[int]) -> str:
        """The words of an answer, without the facts before it."""
        therefore = self.prompt.therefore
        if self.task.examples.reasons and therefore in ids:
            ids = ids[ids.index(therefore) + 1 :]
        return self.task.words.decode(ids)

    def _by_length(
        self, texts: Sequence[list[int]], read: Callable[[Tensor], list[Result]]
    ) -> list[Result]:
        """Results in the order of the texts, which are read with those of the same length."""
        numbers = sorted(range(len(texts)), key=lambda k: len(texts[k]))
        found: dict[int, Result] = {}
        for _, group in groupby(numbers, key=lambda k: len(texts[k])):
            alike = list(group)
            ids = torch.tensor([texts[k] for k in alike], device=self.model.newline.device)
            found |= zip(alike, read(ids), strict=True)
        return [found[k] for k in range(len(texts))]

    @torch.inference_mode()
    def _spoken(self, ids: Tensor) -> list[list[int]]:
        """The likeliest words after each of the texts (texts, n), without what ends them."""
        cache, length = _Growing(self._reading, len(ids)), self._reading.length
        spoken: list[list[int]] = [[] for _ in ids]
        under_way = set(range(len(ids)))
        for _ in range(ANSWER_TOKENS):
            hidden = self.model.decode(self.model.embed(ids), cache, length)
            length += ids.shape[1]
            ids = self.model.logits(hidden[:, -1]).argmax(-1, keepdim=True)
            for k, token in enumerate(ids[:, 0].tolist()):
                if token in self.task.words.end_ids:
                    under_way.discard(k)
                elif k in under_way:
                    spoken[k].append(token)
            if not under_way:
                break
        return spoken

    @torch.inference_mode()
    def _situated(self, ids: Tensor) -> list[Situated]:
        cache = _Growing(self._reading, len(ids))
        hidden = self.model.decode(self.model.embed(ids), cache, self._reading.length)
        place = self.model.position(hidden[:, -2])
        heading = self.model.orientation(hidden[:, -1]).softmax(-1)
        columns = (x.double().cpu().numpy() for x in (place.mean, place.sigma, heading))
        return [Situated(*row) for row in zip(*columns, strict=True)]


def told_in_words(words: str, T_map_bev: Array) -> AgentPose:
    """The place of an answer to `WHERE`: metres and degrees in the BEV frame.

    Such a model states no uncertainty: the covariance is not known (NaN).
    """
    numbers = [float(number) for number in re.findall(r'-?\d+(?:\.\d+)?', words)]
    if len(numbers) != 3:
        return nowhere(f'{words!r} is not x, y and degrees')
    x, y, degrees = numbers
    T_bev_agent = pose(exp_so3((0.0, 0.0, np.radians(degrees))), (x, y, 0.0))
    return AgentPose(True, T_map_bev @ T_bev_agent, np.full((6, 6), np.nan))
