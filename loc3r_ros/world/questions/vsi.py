# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""All eight tasks of VSI-Bench about one video."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from zlib import crc32

import numpy as np

from loc3r_ros.world.questions import measures
from loc3r_ros.world.questions.directions import LEVELS, relative_direction
from loc3r_ros.world.questions.nearest import relative_distance
from loc3r_ros.world.questions.order import appearance_order
from loc3r_ros.world.questions.question import Question
from loc3r_ros.world.questions.routes import route_planning
from loc3r_ros.world.questions.visit import Visit

VSI_TASKS: dict[str, Callable[[Visit, np.random.Generator, int], list[Question]]] = {
    'object_counting': measures.counting,
    'object_abs_distance': measures.absolute_distance,
    'object_size_estimation': measures.object_size,
    'room_size_estimation': measures.room_size,
    'object_rel_distance': relative_distance,
    **{
        f'object_rel_direction_{level}': partial(relative_direction, level=level)
        for level in LEVELS
    },
    'obj_appearance_order': appearance_order,
    'route_planning': route_planning,
}
"""By the type's name in the benchmark."""


def vsi_questions(visit: Visit, count: int, seed: int = 0) -> list[Question]:
    """At most `count` questions of each type; fewer where the room is clear about no more.

    The scene's seed and `seed` decide. Within each type, letters and the answers behind them come
    up evenly; 12 of a type, or a multiple, have exactly even letters.
    """
    return [
        question
        for task, make in VSI_TASKS.items()
        for question in make(visit, task_generator(visit, task, seed), count)
    ]


def task_generator(visit: Visit, task: str, seed: int) -> np.random.Generator:
    """A source of its own for each task, so that a change to one moves no other."""
    return np.random.default_rng((visit.scene.seed, crc32(task.encode()), seed))
