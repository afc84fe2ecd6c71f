# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Everything that can be asked about one video, and how each kind of answer is scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from loc3r_ros.world.questions.goals import goal_queries
from loc3r_ros.world.questions.question import Question, Situation
from loc3r_ros.world.questions.regions import region_questions
from loc3r_ros.world.questions.situated import KINDS, situated_questions
from loc3r_ros.world.questions.situations import situations
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.questions.vsi import VSI_TASKS, task_generator, vsi_questions
from loc3r_ros.world.questions.vsti import VSTI_TASKS, vsti_questions

Metric = Literal['choice', 'number', 'words', 'place']

METRICS: dict[str, Metric] = {
    **dict.fromkeys([*VSI_TASKS, *VSTI_TASKS], 'choice'),
    'object_counting': 'number',
    'object_abs_distance': 'number',
    'object_size_estimation': 'number',
    'room_size_estimation': 'number',
    'camera_obj_abs_dist': 'number',
    'camera_displacement': 'number',
    **{f'situated_{kind}': 'words' for kind in KINDS},
    'region_height': 'number',
    'region_width': 'number',
    'region_distance': 'number',
    'region_tall_short': 'choice',
    'region_thin_wide': 'choice',
    'region_big_small': 'choice',
    'region_simple': 'choice',
    'region_complex': 'choice',
    'goal': 'place',
}
"""For each task how its answers are scored.

A 'choice' by its letter, a 'number' by its mean relative accuracy, 'words' by exact and refined
match, a 'place' by its distance from `Question.place`; the answer there is the thing's category.
"""


SITUATIONS = 24
"""With fewer a rare answer is often missing ('behind'), and then its kind is not asked at all."""


def catalog(
    visit: Visit, count: int, seed: int = 0, where: Sequence[Situation] | None = None
) -> list[Question]:
    """At most `count` questions of each task; the scene's seed and `seed` decide.

    What the visit does not know is not asked for: without camera poses none of VSTI-Bench, without
    boxes none about regions.

    Args:
        visit: the video.
        count: of each task.
        seed: another gives other questions.
        where: situations to ask from; SITUATIONS or `count` are drawn when not given.
    """
    if where is None:
        draw = task_generator(visit, 'situations', seed)
        where = situations(visit, draw, max(count, SITUATIONS))
    goals = goal_queries(visit, task_generator(visit, 'goal', seed), count)
    pointing = task_generator(visit, 'region', seed)
    return [
        *vsi_questions(visit, count, seed),
        *(vsti_questions(visit, count, seed) if visit.T_map_optical is not None else ()),
        *situated_questions(visit, where, count, seed),
        *(region_questions(visit, where, pointing, count) if visit.boxes is not None else ()),
        *(Question('goal', g.text, (), g.category, place=g.position) for g in goals),
    ]
