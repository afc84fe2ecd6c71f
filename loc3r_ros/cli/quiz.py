# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions with their answers, from a file, as `loc3r run --quiz` puts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loc3r_ros.answers.grading import Truth
from loc3r_ros.cli.interview import Question
from loc3r_ros.errors import InputError

if TYPE_CHECKING:
    from loc3r_ros.world.questions.question import Question as Known


def read(path: Path) -> list[Question]:
    """The questions of a file that `loc3r world record` wrote.

    Raises:
        InputError: there is none, or it holds something else, or what cannot be put in words.
    """
    from loc3r_ros.world.quiz import read_quiz

    return [_question(path, known) for known in read_quiz(path)]


def _question(path: Path, known: Known) -> Question:
    from loc3r_ros.training.loc3r_examples import asked
    from loc3r_ros.world.questions.catalog import METRICS
    from loc3r_ros.world.quiz import PLACE

    where = known.situation
    pose = None if where is None else (*where.position, where.yaw)
    if known.task == PLACE and where is not None:
        return Question(where.text, is_situation=True, truth=Truth('pose', pose=pose))
    metric = METRICS.get(known.task)
    if metric is None or metric == 'place' or known.regions:
        raise InputError(
            f'{path}: questions of the kind {known.task} cannot be asked here; leave them out'
        )
    right = (option for option in known.options if option.startswith(f'{known.answer}.'))
    truth = Truth(metric, known.answer, next(right, known.answer), pose)
    return Question(asked(known), situation='' if where is None else where.text, truth=truth)
