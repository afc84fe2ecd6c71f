# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A model in training, with parts left out, examined by the reading that it is trained with.

All texts about a video are read at once: on a GPU that is many times as fast as word by word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from loc3r_ros.evaluation.subject import Asked
from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.training.bank import SHOWN, Video, every
from loc3r_ros.training.loc3r_examples import WHERE
from loc3r_ros.training.loc3r_task import Extension, Loc3rTask, Reading
from loc3r_ros.training.tokens import TokenBank
from loc3r_ros.types import AgentPose
from loc3r_ros.vlm.agent import nowhere
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.prompt import Prompt
from loc3r_ros.vlm.situated import Situated, agent_in_map, bev_in_map
from loc3r_ros.vlm.stream import ANSWER_TOKENS

TOGETHER = 64
"""Texts that are read at once; more take memory and no less time."""


@dataclass(eq=False)
class _Said:
    """A text that grows by the words of its answer, and which of all answers that is."""

    number: int
    ids: list[int]


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
        shown = every(video.footage, SHOWN)
        config = self.model.config
        size = config.vision.image_size
        batch: dict[str, Tensor] = {
            'ids': torch.zeros(1, 1),
            'pixels': torch.stack([preprocess(image, size) for image in shown.rgb])[None],
            'seen': torch.zeros(1, len(shown.rgb), config.grid**2),
            **{
                name: values[None]
                for name, values in self.tokens.of(video.footage, seed, number, SHOWN).items()
            },
        }
        device = self.model.newline.device
        self._reading, _ = self.task.read_video({k: v.to(device) for k, v in batch.items()})
        self._T_map_bev = bev_in_map(shown.T_map_optical[0])

    def localize(self, situations: Sequence[str]) -> list[AgentPose]:
        if not self.task.parts.situation:
            told = self.answer([Asked(WHERE, situation) for situation in situations])
            return [told_in_words(words, self._T_map_bev) for words in told]
        texts = [_Said(k, self.prompt.situation(said)) for k, said in enumerate(situations)]
        places: list[AgentPose] = [nowhere('not asked')] * len(texts)
        for group in _alike(texts):
            for text, situated in zip(group, self._situated(group), strict=True):
                places[text.number] = agent_in_map(situated, self._T_map_bev)
        return places

    def answer(self, asked: Sequence[Asked]) -> list[str]:
        texts = [
            _Said(k, self.prompt.situation(situation) + self.prompt.question(question))
            for k, (question, situation) in enumerate(asked)
        ]
        starts = [len(text.ids) for text in texts]
        for group in _alike(texts):
            self._finish(group)
        words = self.task.words
        return [words.decode(t.ids[start:]) for t, start in zip(texts, starts, strict=True)]

    @torch.inference_mode()
    def _finish(self, texts: list[_Said]) -> None:
        """Say the likeliest words until all texts are at their end."""
        for _ in range(ANSWER_TOKENS):
            if not texts:
                return
            hidden, rows = self._read(texts), torch.arange(len(texts))
            last = torch.tensor([len(text.ids) - 1 for text in texts])
            spoken = self.model.logits(hidden[rows, last]).argmax(-1).tolist()
            going_on = []
            for text, token in zip(texts, spoken, strict=True):
                if token not in self.task.words.end_ids:
                    text.ids.append(token)
                    going_on.append(text)
            texts = going_on

    @torch.inference_mode()
    def _situated(self, texts: list[_Said]) -> list[Situated]:
        hidden, rows = self._read(texts), torch.arange(len(texts))
        ori = torch.tensor([len(text.ids) - 1 for text in texts])
        place = self.model.position(hidden[rows, ori - 1])
        heading = self.model.orientation(hidden[rows, ori]).softmax(-1)
        columns = (x.double().cpu().numpy() for x in (place.mean, place.sigma, heading))
        return [Situated(*row) for row in zip(*columns, strict=True)]

    def _read(self, texts: Sequence[_Said]) -> Tensor:
        """Hidden states (texts, longest, width) of texts behind the video."""
        longest, end = max(len(text.ids) for text in texts), self.task.words.end_id
        ids = torch.tensor([text.ids + [end] * (longest - len(text.ids)) for text in texts])
        return self.model.decode(
            self.model.embed(ids.to(self.model.newline.device)),
            Extension(self._reading, len(texts)),
            self._reading.length,
        )


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


def _alike(texts: Sequence[_Said]) -> list[list[_Said]]:
    """Groups of texts of like length: padding is read as well."""
    ordered = sorted(texts, key=lambda text: len(text.ids))
    return [ordered[k : k + TOGETHER] for k in range(0, len(ordered), TOGETHER)]
