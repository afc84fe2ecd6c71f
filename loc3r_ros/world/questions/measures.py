# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions that a number answers: how many, how far, how long, how large."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from loc3r_ros.world.questions.question import Question, deal
from loc3r_ros.world.questions.visit import Visit

DISTANCE_MIN = 0.2
"""Things nearer than this are not asked for their distance, m."""


def counting(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Number of things of a category; only of categories with more than one.

    The numbers that the room offers come up evenly: of most things there are just two.
    """
    piles: dict[int, list[str]] = {}
    for name, items in visit.named.items():
        if len(items) > 1:
            piles.setdefault(len(items), []).append(name)
    where = 'this room' if len(visit.rooms) == 1 else 'these rooms together'
    return [
        Question('object_counting', f'How many {name}(s) are in {where}?', (), str(number))
        for number, name in deal(rng, piles, count)
    ]


def absolute_distance(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Metres between the closest points of two things, to 0.1 m; DISTANCE_MIN or more."""
    pairs = list(combinations(visit.unique, 2))
    questions: list[Question] = []
    for k in rng.permutation(len(pairs)):
        if len(questions) == count:
            break
        a, b = pairs[k]
        distance = visit.gap(a, b)
        if distance >= DISTANCE_MIN:
            text = (
                f'How far is the {a.category} from the {b.category} (in metres),'
                ' measured between their closest points?'
            )
            questions.append(Question('object_abs_distance', text, (), f'{distance:.1f}'))
    return questions


def object_size(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Longest of a thing's length, width and height, in whole centimetres."""
    order = rng.permutation(len(visit.unique))[:count]
    return [
        Question(
            'object_size_estimation',
            f'What is the longest dimension (length, width or height) of the {item.category}'
            ' in centimetres?',
            (),
            f'{100.0 * item.size.max():.0f}',
        )
        for item in (visit.unique[k] for k in order)
    ]


def room_size(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Floor area to 0.1 m^2, of the floors themselves: a shape fitted to points cuts corners."""
    which = 'this room' if len(visit.rooms) == 1 else 'all these rooms together'
    text = f'What is the floor area of {which} in square metres?'
    answer = f'{visit.scene.floor_area:.1f}'
    return [Question('room_size_estimation', text, (), answer)][:count]
