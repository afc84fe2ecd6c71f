# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A few questions about a recorded drive, with their answers: what `loc3r run --quiz` asks."""

from __future__ import annotations

from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.world.questions.catalog import SITUATIONS as DRAWN
from loc3r_ros.world.questions.catalog import catalog
from loc3r_ros.world.questions.question import Question
from loc3r_ros.world.questions.situations import situations
from loc3r_ros.world.questions.storage import question_from_json, question_to_json
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.questions.vsi import task_generator

NAME = 'questions.jsonl'
"""Of the file, in the folder of the bag."""

PLACE = 'situation'
"""Task of a question that only asks where somebody is."""

QUESTIONS, PLACES = 5, 3

_KINDS = (
    ('object_counting',),
    ('object_rel_direction_hard', 'object_rel_direction_medium', 'object_rel_direction_easy'),
    ('situated_others', 'situated_which', 'situated_what', 'situated_is'),
    ('object_abs_distance',),
    ('obj_appearance_order',),
    ('object_rel_distance',),
    ('object_size_estimation',),
    ('room_size_estimation',),
)
"""Kinds of questions by what is asked first; of each, the tasks in the order of preference."""


def make_quiz(visit: Visit, seed: int = 0) -> list[Question]:
    """Five questions of different kinds, then three situations, as far as the drive has shown them.

    The scene's seed and `seed` decide.
    """
    where = situations(visit, task_generator(visit, 'quiz', seed), DRAWN)
    first: dict[str, Question] = {}
    for question in catalog(visit, 4, seed, where):
        first.setdefault(question.task, question)
    kinds = ([first[task] for task in kind if task in first] for kind in _KINDS)
    asked = [found[0] for found in kinds if found]
    places = [Question(PLACE, 'Where am I?', (), '', situation=s) for s in where]
    return [*asked[:QUESTIONS], *places[:PLACES]]


def write_quiz(questions: list[Question], path: Path) -> None:
    """Write one question a line."""
    path.write_text(''.join(f'{question_to_json(q)}\n' for q in questions), encoding='utf-8')


def read_quiz(path: Path) -> list[Question]:
    """The questions of a file.

    Raises:
        InputError: it cannot be read, or a line is no question.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f'{path}: no questions there ({error}); `loc3r world record` writes {NAME} into the '
            'folder of its bag'
        ) from error
    return [question_from_json(line) for line in lines if line.strip()]
