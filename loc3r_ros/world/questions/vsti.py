# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The five task groups of VSTI-Bench about one video whose camera poses are known.

Names, thresholds and the way to name frames are those of VLM-3R (Fan et al., arXiv 2505.20279).
Its evaluator also lists `camera_obj_dist_change`: no rule for it is published, no group of the
benchmark counts it, and a change that may be negative has no relative accuracy. It is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from loc3r_ros.world.questions.camera_distances import OPTIONS, camera_distance, nearest_to_camera
from loc3r_ros.world.questions.egomotion import displacement, movement_direction
from loc3r_ros.world.questions.question import Question
from loc3r_ros.world.questions.relative_positions import WORDS, relative_position
from loc3r_ros.world.questions.views import Views
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.questions.vsi import task_generator

VSTI_TASKS: dict[str, Callable[[Views, np.random.Generator, int], list[Question]]] = {
    'camera_obj_abs_dist': camera_distance,
    'camera_displacement': displacement,
    'camera_movement_direction': movement_direction,
    **{f'obj_obj_relative_pos_{axis}': partial(relative_position, axis=axis) for axis in WORDS},
    **{
        f'camera_obj_rel_dist_v{version}': partial(nearest_to_camera, version=version)
        for version in OPTIONS
    },
}
"""By the type's name in the benchmark."""


def vsti_questions(visit: Visit, count: int, seed: int = 0) -> list[Question]:
    """At most `count` questions of each type; fewer where the video is clear about no more.

    The scene's seed and `seed` decide. Frames are counted as the visit has them, from 1: whoever
    answers must be shown just these.

    Raises:
        InputError: the visit has no camera poses.
    """
    views = Views.of(visit)
    return [
        question
        for task, make in VSTI_TASKS.items()
        for question in make(views, task_generator(visit, task, seed), count)
    ]
