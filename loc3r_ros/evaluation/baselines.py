# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What one scores without looking: the most frequent answer, and chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from math import nan

import numpy as np

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.video_tasks import parse_number


def frequent_answers(
    question_types: Sequence[str], answers: Sequence[str], numbers: Collection[str] = ()
) -> dict[str, str]:
    """The one answer to give to every question of a type, learnt from training answers.

    Args:
        question_types: (N,) of the training questions.
        answers: (N,) their true answers.
        numbers: types that are answered by a number; these get the median, the others the most
            frequent answer, of equally frequent ones the first in the alphabet.

    Raises:
        InputError: the lengths differ, or the answer of a number's type is none.
    """
    if len(question_types) != len(answers):
        raise InputError(
            f'{len(question_types)} question types for {len(answers)} answers; give one each'
        )
    answers_of: dict[str, list[str]] = {}
    for kind, answer in zip(question_types, answers, strict=True):
        answers_of.setdefault(kind, []).append(answer)
    return {
        kind: _median(kind, known) if kind in numbers else _most_frequent(known)
        for kind, known in answers_of.items()
    }


def chance_of_choice(options: Sequence[Sequence[str]]) -> float:
    """Mean accuracy of a letter drawn blindly from each question's options; NaN of no questions.

    A number has no chance level: the published tables leave it blank, too.

    Raises:
        InputError: a question has no options.
    """
    if not all(options):
        raise InputError('a question without options is no choice; leave it out')
    return float(np.mean([1 / len(given) for given in options])) if options else nan


def _most_frequent(answers: Sequence[str]) -> str:
    counts = Counter(answers)
    return min(counts, key=lambda answer: (-counts[answer], answer))


def _median(kind: str, answers: Sequence[str]) -> str:
    values = []
    for answer in answers:
        value = parse_number(answer)
        if value is None:
            raise InputError(f'answer {answer!r} of {kind} is not a number')
        values.append(value)
    return repr(float(np.median(values)))
