# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Examples for Loc3R-VLM: a video, where its parts lie, and many questions about it at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from loc3r_ros.geometry import Array, invert, transform
from loc3r_ros.training.bank import SHOWN, Bank, Video, some
from loc3r_ros.training.grounding import NOTHING, NOWHERE, Named, Place
from loc3r_ros.training.layout import cell_places
from loc3r_ros.training.pointing import pointing
from loc3r_ros.training.reasoning import reason
from loc3r_ros.training.standpoint import UNKNOWN, Standpoint, standpoints
from loc3r_ros.training.surveying import survey
from loc3r_ros.training.task import HELD_OUT_ROOMS, Batch
from loc3r_ros.training.tokens import TokenBank
from loc3r_ros.training.told import blurred, tell
from loc3r_ros.training.variety import frames_of, tinted
from loc3r_ros.vlm.config import VlmConfig
from loc3r_ros.vlm.goal_words import beside, goal_of
from loc3r_ros.vlm.model.assumptions import IGNORED_LABEL
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.prompt import Prompt
from loc3r_ros.vlm.situated import bev_in_map
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights.folder import look
from loc3r_ros.vlm.weights.words import read_words
from loc3r_ros.world.questions.question import Card, Question
from loc3r_ros.world.questions.vsti import VSTI_TASKS
from loc3r_ros.world.splits import TRAIN, VALIDATION
from loc3r_ros.world.video import Footage

FRAMES = 4.0
"""Makes shares of a video about as large as directions."""

KNOWN = len(UNKNOWN) + 1
"""What a name may tell of an answer: where its thing is for whoever asks, see `Around`, and how
many quarters of the video are over when it is first seen."""

POSED = 0.75
"""Share of videos whose poses are told, where `either` is: a small encoder's tokens say less."""


@dataclass(frozen=True)
class Text:
    """What follows a video: a situation, perhaps a question, its answer.

    Attributes:
        ids: its tokens.
        labels: the same where they are to be learnt, else `IGNORED_LABEL`.
        pos: place of `<Pos>` in it; `<Ori>` follows.
        position: (x, y) of whoever speaks, in `map`, m; None: nobody knows.
        yaw: which way they look, in `map`, rad; None: nobody knows.
        task: kind of the question; empty if there is none.
        named, things: for each token the number of the name that ends there, and where that thing
            is in the BEV frame, m, of `Named.mark`.
        facts: for each token what its name tells of an answer, see `KNOWN`.
    """

    ids: list[int]
    labels: list[int]
    pos: int
    position: tuple[float, float] | None = None
    yaw: float | None = None
    task: str = ''
    named: list[int] = field(default_factory=list)
    things: list[Place] = field(default_factory=list)
    facts: list[tuple[float, ...]] = field(default_factory=list)


def text_of(
    prompt: Prompt,
    said: str,
    question: str,
    answer: str,
    position: tuple[float, float] | None = None,
    yaw: float | None = None,
    facts: str | None = None,
) -> Text:
    """Tokens of what follows a video; an empty question ends it after `<Ori>`.

    `facts` are said before the answer; None: the answer alone, as published.
    """
    ids = prompt.situation(said)
    pos = len(ids) - 2
    labels = [IGNORED_LABEL] * len(ids)
    if question:
        asked = prompt.question(question)
        reasons = [] if facts is None else [*prompt.words.encode(facts), prompt.therefore]
        told = [*reasons, *prompt.words.encode(answer), prompt.words.end_id]
        ids = [*ids, *asked, *told]
        labels = [*labels, *[IGNORED_LABEL] * len(asked), *told]
    return Text(ids, labels, pos, position, yaw)


@dataclass(frozen=True)
class Loc3rExamples:
    """Videos of training rooms with some of their questions and situations.

    Attributes:
        bank: where videos are kept.
        tokens: camera tokens of each, by the encoder that will be used with the model.
        config: of the model.
        rooms: how many seeds are trained on.
        videos: of each room.
        questions, situations: that a video is asked at once.
        pointings: the simplest of situations and questions that are made up for it, of things that
            are seen once.
        strides: one in so many of the frames is shown, by turns from step to step; of held-out
            videos as by the last.
        seed: of the run.
        reasons: facts are said before each answer, and questions are put without their options,
            as they are then asked (`vlm.options`).
        told: images come as names and points of patches (`training.told`) in place of pixels.
        coordinates_as_text: places are told in words in place of by the heads.
        words: folder of the model, for its tokenizer; None: the tiny model's.
    """

    bank: Bank
    tokens: TokenBank
    config: VlmConfig
    rooms: int
    videos: int = 2
    questions: int = 16
    situations: int = 8
    pointings: int = 0
    strides: tuple[int, ...] = (SHOWN,)
    seed: int = 0
    reasons: bool = False
    told: bool = False
    coordinates_as_text: bool = False
    words: Path | None = field(default=None, repr=False)

    def at(self, step: int, slot: int) -> Batch:
        rng = np.random.default_rng((self.seed, step, slot))
        room = TRAIN.start + int(rng.integers(self.rooms))
        number = int(rng.integers(self.videos))
        stride = self.strides[step % len(self.strides)]
        return self._example(rng, room, number, stride, varied=True)

    def held_out(self, slot: int) -> Batch:
        rng = np.random.default_rng((0x4E1D, slot))
        room = VALIDATION.start + slot % HELD_OUT_ROOMS
        return self._example(rng, room, slot // HELD_OUT_ROOMS % self.videos, self.strides[-1])

    def collate(self, examples: list[Batch]) -> Batch:
        """Texts of all are made equally long; 'length' tells how long each was.

        The texts of each video come from the shortest to the longest.
        """
        length = max((len(text.ids) for e in examples for text in e['texts']), default=0)
        fills: dict[str, Any] = {
            'ids': self.prompt.words.end_id,
            'labels': IGNORED_LABEL,
            'named': NOTHING,
            'things': NOWHERE,
            'facts': (*UNKNOWN, nan),
        }
        texts = {
            name: torch.tensor(
                [
                    [
                        (v := getattr(text, name)) + [fill] * (length - len(v))
                        for text in example['texts']
                    ]
                    for example in examples
                ]
            )
            for name, fill in fills.items()
        }
        pos = torch.tensor([[text.pos for text in e['texts']] for e in examples])
        lengths = torch.tensor([[len(text.ids) for text in e['texts']] for e in examples])
        names = [name for name in examples[0] if name != 'texts']
        stacked = {name: torch.stack([e[name] for e in examples]) for name in names}
        return {**stacked, **texts, 'pos': pos, 'length': lengths}

    @cached_property
    def prompt(self) -> Prompt:
        """In the model's words."""
        return Prompt(read_words(look(self.words)) if self.words else Words.tiny())

    def _example(
        self, rng: Generator, seed: int, number: int, stride: int, varied: bool = False
    ) -> Batch:
        video = self.bank.video(seed, number)
        footage, posed = video.footage, bool(rng.random() < POSED)
        frames = frames_of(len(footage.rgb), stride, rng if varied else None)
        shown = some(footage, frames)
        T_map_bev = bev_in_map(shown.T_map_optical[0])
        named = Named(shown, video.names, T_map_bev)
        # Those that name a frame by its number are about all that may be shown.
        asks_frames = SHOWN * len(frames) >= len(footage.rgb)
        texts = self._texts(rng, video, T_map_bev, named, asks_frames)
        position, heading = _truth(texts, T_map_bev)
        places, seen = zip(
            *(
                cell_places(
                    depth, shown.camera, T, T_map_bev, self.config.grid, self.config.covered
                )
                for depth, T in zip(shown.depth, shown.T_map_optical, strict=True)
            ),
            strict=True,
        )
        return {
            **self._images(shown, video.names, rng if varied else None),
            **self.tokens.of(footage, shown, seed, number, frames, posed),
            'places': torch.from_numpy(np.stack(places)),
            'seen': torch.from_numpy(np.stack(seen)),
            'cells': named.cells(self.config.grid, self.config.covered),
            'texts': texts,
            'position': position,
            'heading': heading,
            'situated': torch.tensor([text.position is not None for text in texts]),
            'headed': torch.tensor([text.yaw is not None for text in texts]),
        }

    def _images(self, shown: Footage, names: Sequence[str], rng: Generator | None) -> Batch:
        if self.told:
            told = {k: torch.from_numpy(v) for k, v in tell(shown, names, self.config).items()}
            return told if rng is None else blurred(told, rng)
        seen = shown if rng is None else tinted(shown, rng)
        pixels = [preprocess(image, self.config.vision.image_size) for image in seen.rgb]
        return {'pixels': torch.stack(pixels).half()}

    def _texts(
        self, rng: Generator, video: Video, T_map_bev: Array, named: Named, asks_frames: bool
    ) -> list[Text]:
        known = [
            question
            for question in video.questions
            if not question.regions  # the model cannot be pointed at
            and (asks_frames or question.task not in VSTI_TASKS)
        ]
        texts = [self._asked(rng, q, named, T_map_bev) for q in _evenly(rng, known, self.questions)]
        # A room that is clear about little is asked the same again: batches are of one shape.
        situations = _some(rng, video.situations, self.situations)
        for situation in situations:
            said = _one(rng, situation.wordings)
            texts.append(self._placed(said, ('', ''), situation.position, situation.yaw, T_map_bev))
        for _ in range(self.pointings):
            if (simple := pointing(rng, named.places)) is not None:
                put = survey(rng, named.places, simple.said, simple.position, simple.yaw)
                at, yaw = in_map(simple.position, simple.yaw, T_map_bev)
                texts.append(self._placed(simple.said, put, at, yaw, T_map_bev))
        pseudo = text_of(self.prompt, '', '', '')
        wanted = self.questions + self.situations + self.pointings
        texts += [pseudo] * (wanted - len(texts))
        texts = [self._marked(text, named, T_map_bev) for text in texts]
        return sorted(texts, key=lambda text: len(text.ids))

    def _placed(
        self,
        said: str,
        put: tuple[str, str],
        position: tuple[float, float],
        yaw: float | None,
        T_map_bev: Array,
    ) -> Text:
        """Who stands there, says so and asks this; or asks where, if that is told in words."""
        if self.coordinates_as_text and yaw is not None:
            put = (WHERE, coordinates(position, yaw, T_map_bev))
        return text_of(self.prompt, said, *put, position, yaw, '' if self.reasons else None)

    def _marked(self, text: Text, named: Named, T_map_bev: Array) -> Text:
        numbers, things = named.mark(self.prompt.words, text.ids)
        at = [k for k, number in enumerate(numbers) if number != NOTHING]
        stands = standpoints(text.task, [things[k] for k in at])
        if text.position is not None and text.yaw is not None:
            asker = _standpoint(text.position, text.yaw, T_map_bev)
            stands = [asker if k > text.pos else None for k in at]
        facts: list[tuple[float, ...]] = [(*UNKNOWN, nan)] * len(numbers)
        for k, stand in zip(at, stands, strict=True):
            around = stand.around(things[k]) if stand else UNKNOWN
            facts[k] = (*around, FRAMES * named.first.get(named.names[numbers[k]], nan))
        return replace(text, named=numbers, things=things, facts=facts)

    def _asked(self, rng: Generator, question: Question, named: Named, T_map_bev: Array) -> Text:
        if question.place is not None:
            said = beside(goal_of(question.text) or question.answer)
            return text_of(self.prompt, said, '', '', question.place[:2])
        situation = question.situation
        said, position, yaw, asker = '', None, None, None
        if situation is not None:
            said, position, yaw = _one(rng, situation.wordings), situation.position, situation.yaw
            asker = _standpoint(position, yaw, T_map_bev)
        put, facts = (asked(question), question.answer), None
        if self.reasons:
            right = chosen(question) if question.options else question.answer
            facts = reason(question, right, named.names, named.places, asker)
            put = question.text, right
        text = text_of(self.prompt, said, *put, position, yaw, facts)
        return replace(text, task=question.task)


WHERE = 'Where am I?'
"""Asked where places are told in words."""


def coordinates(position: tuple[float, float], yaw: float, T_map_bev: Array) -> str:
    """A pose in `map` in words: metres and degrees in the BEV frame."""
    (x, y), heading = in_bev(position, yaw, T_map_bev)
    return f'{x:.1f} {y:.1f} {np.degrees(heading):.0f}'


def asked(question: Question) -> str:
    """A question as it is put: with its options, if it has any."""
    if not question.options:
        return question.text
    return f'{question.text} Options: {", ".join(question.options)}.'


def chosen(question: Question) -> str:
    """The option that is right, without its letter."""
    marked = f'{question.answer}. '
    return next(o.removeprefix(marked) for o in question.options if o.startswith(marked))


def in_bev(position: tuple[float, float], yaw: float, T_map_bev: Array) -> tuple[Array, float]:
    """A pose in `map` told in the BEV frame: (2,) m, and heading, rad in [-pi, pi)."""
    at = transform(invert(T_map_bev), np.array([*position, 0.0]))[:2]
    turn = float(np.arctan2(T_map_bev[1, 0], T_map_bev[0, 0]))
    return at, (yaw - turn + np.pi) % (2 * np.pi) - np.pi


def _standpoint(position: tuple[float, float], yaw: float, T_map_bev: Array) -> Standpoint:
    (x, y), heading = in_bev(position, yaw, T_map_bev)
    return Standpoint((float(x), float(y)), heading)


def in_map(
    position: tuple[float, float], yaw: float | None, T_map_bev: Array
) -> tuple[tuple[float, float], float | None]:
    """A pose in the BEV frame told in `map`."""
    x, y, _ = transform(T_map_bev, np.array([*position, 0.0])).tolist()
    turn = float(np.arctan2(T_map_bev[1, 0], T_map_bev[0, 0]))
    return (x, y), None if yaw is None else yaw + turn


def _truth(texts: Sequence[Text], T_map_bev: Array) -> tuple[Tensor, Tensor]:
    poses = [in_bev(t.position or (0.0, 0.0), t.yaw or 0.0, T_map_bev) for t in texts]
    return (
        torch.tensor(np.array([at for at, _ in poses]), dtype=torch.float32),
        torch.tensor([heading for _, heading in poses], dtype=torch.float32),
    )


def _evenly(rng: Generator, questions: Sequence[Question], count: int) -> list[Question]:
    """Questions of all tasks in turn: there are more of some than of others."""
    by_task: dict[str, list[Question]] = defaultdict(list)
    for k in rng.permutation(len(questions)):
        by_task[questions[k].task].append(questions[k])
    piles = [by_task[name] for name in rng.permutation(sorted(by_task))] if by_task else []
    rounds = max(map(len, piles), default=0)
    dealt = [pile[k] for k in range(rounds) for pile in piles if k < len(pile)]
    return dealt[:count]


def _some(rng: Generator, cards: Sequence[Card], count: int) -> list[Card]:
    return [cards[k] for k in rng.permutation(len(cards))[:count]]


def _one(rng: Generator, wordings: Sequence[str]) -> str:
    return wordings[int(rng.integers(len(wordings)))]
