# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""VSI-Bench and VSTI-Bench: how an answer is read and scored, and how scores are averaged.

VSI-Bench: Yang et al., arXiv 2412.14171. VSTI-Bench: VLM-3R, arXiv 2505.20279. The arithmetic is
that of the published evaluators, down to the rounding of their thresholds, so that figures compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loc3r_ros.errors import InputError

MRA_THRESHOLDS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
"""Confidence thresholds of the mean relative accuracy.

In floating point 1 - 0.8 is a little less than 0.2, so an answer that is off by exactly 20 % misses
that threshold (4 for 5 scores 0.6, not 0.7). The published evaluator has it so; it is kept.
"""


@dataclass(frozen=True)
class Summary:
    """Mean scores in [0, 1].

    Attributes:
        per_type: mean over the questions of each raw question type that occurs.
        per_task: mean over the types of each task; NaN for a task without a question.
        overall: unweighted mean over the tasks; NaN when a task has no question, since a mean over
            fewer tasks is another figure.
    """

    per_type: dict[str, float]
    per_task: dict[str, float]
    overall: float


@dataclass(frozen=True)
class VideoBenchmark:
    """The tasks of a benchmark and how each is scored.

    Attributes:
        tasks: raw question types of every task.
        numbers: raw question types that are answered by a number; the others are a choice.
    """

    name: str
    tasks: Mapping[str, tuple[str, ...]]
    numbers: frozenset[str]

    @property
    def types(self) -> tuple[str, ...]:
        """The raw question types."""
        return tuple(kind for kinds in self.tasks.values() for kind in kinds)

    def score(self, question_type: str, prediction: str, truth: str) -> float:
        """Score in [0, 1] of what a model said.

        Args:
            question_type: one of `types`.
            prediction: the model's text.
            truth: letter of the right option, or the number.

        Raises:
            InputError: unknown type, or a true number that is no positive number.
        """
        self._check(question_type)
        if question_type not in self.numbers:
            return choice_accuracy(prediction, truth)
        number = parse_number(truth)
        if number is None:
            raise InputError(f'true answer {truth!r} of {question_type} is not a number')
        return mean_relative_accuracy(parse_number(prediction), number)

    def summarize(self, question_types: ArrayLike, scores: ArrayLike) -> Summary:
        """Average scores (N,) of questions of the given raw types (N,).

        Raises:
            InputError: unknown type, or the lengths differ.
        """
        types, values = np.asarray(question_types), np.asarray(scores, dtype=np.float64)
        if types.shape != values.shape or values.ndim != 1:
            raise InputError(
                f'{types.shape} question types for {values.shape} scores; give one each'
            )
        for kind in set(types.tolist()):
            self._check(kind)
        of_type = {kind: values[types == kind] for kind in self.types}
        per_type = {kind: _mean(scores) for kind, scores in of_type.items() if scores.size}
        per_task = {
            task: _mean([per_type[kind] for kind in kinds if kind in per_type])
            for task, kinds in self.tasks.items()
        }
        return Summary(per_type, per_task, _mean(list(per_task.values())))

    def _check(self, question_type: str) -> None:
        if question_type not in self.types:
            raise InputError(
                f'{question_type!r} is no question type of {self.name}; '
                f'it has {", ".join(self.types)}'
            )


VSI_BENCH = VideoBenchmark(
    'VSI-Bench',
    {
        'object_counting': ('object_counting',),
        'object_abs_distance': ('object_abs_distance',),
        'object_size_estimation': ('object_size_estimation',),
        'room_size_estimation': ('room_size_estimation',),
        'object_rel_distance': ('object_rel_distance',),
        'object_rel_direction': tuple(
            f'object_rel_direction_{level}' for level in ('easy', 'medium', 'hard')
        ),
        'route_planning': ('route_planning',),
        'obj_appearance_order': ('obj_appearance_order',),
    },
    frozenset(
        {
            'object_counting',
            'object_abs_distance',
            'object_size_estimation',
            'room_size_estimation',
        }
    ),
)

VSTI_BENCH = VideoBenchmark(
    'VSTI-Bench',
    {
        'camera_obj_abs_dist': ('camera_obj_abs_dist',),
        'camera_displacement': ('camera_displacement',),
        'camera_movement_direction': ('camera_movement_direction',),
        'obj_obj_relative_pos': tuple(
            f'obj_obj_relative_pos_{axis}' for axis in ('nf', 'lr', 'ud')
        ),
        'camera_obj_rel_dist': tuple(f'camera_obj_rel_dist_v{level}' for level in (1, 2, 3)),
    },
    frozenset({'camera_obj_abs_dist', 'camera_displacement'}),
)
"""The published script averages the raw types instead: the mean of `Summary.per_type`."""


def parse_answer(text: str) -> str:
    """The part of a model's text that counts: up to the first space, without final full stops."""
    return text.strip().split(' ')[0].rstrip('.').strip()


def parse_number(text: str) -> float | None:
    """The number that a text begins with, or None."""
    try:
        return float(parse_answer(text))
    except ValueError:
        return None


def choice_accuracy(prediction: str, truth: str) -> float:
    """1 if the text names the right letter, in either case; else 0."""
    return float(parse_answer(prediction).lower() == truth.lower())


def mean_relative_accuracy(prediction: float | None, truth: float) -> float:
    """Share of the ten thresholds c with |p - t| / t <= 1 - c; 0 for None.

    Raises:
        InputError: the truth is not a positive number, so that no error is relative to it.
    """
    if not 0 < truth < np.inf:
        raise InputError(f'relative accuracy needs a positive true number, got {truth}')
    if prediction is None:
        return 0.0
    return float(np.mean(abs(prediction - truth) / truth <= 1 - MRA_THRESHOLDS))


def _mean(values: ArrayLike) -> float:
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()) if array.size else nan
