# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where a thing lies for somebody who stands by a second and faces a third."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array
from loc3r_ros.world.questions.bearings import heading, sector
from loc3r_ros.world.questions.distances import footprint
from loc3r_ros.world.questions.question import Question, choice, deal, deck
from loc3r_ros.world.questions.visit import Visit, overhead
from loc3r_ros.world.scene import Item

APART_MIN, APART_MAX = 0.3, 5.0
"""Distance between each two of the three things, on the floor, m."""

MARGIN = np.radians(10.0)
"""No thing lies nearer than this to a border between directions.

The published rule for quadrants keeps clear of one side of each border only.
"""

LEVELS = {
    'easy': ({0: 'left', 2: 'right'}, (0.0, 0.75 * np.pi, 1.25 * np.pi)),
    'medium': ({0: 'left', 1: 'back', 2: 'right'}, (0.0, 0.75 * np.pi, 1.25 * np.pi)),
    'hard': (
        {0: 'front-left', 1: 'back-left', 2: 'back-right', 3: 'front-right'},
        (0.0, 0.5 * np.pi, np.pi, 1.5 * np.pi),
    ),
}
"""For each level the sectors that are asked for, and their borders, counter-clockwise from front.

In the easy questions nothing lies behind.
"""


def relative_direction(
    visit: Visit, rng: np.random.Generator, count: int, level: str
) -> list[Question]:
    """Direction of a third thing; left and right come up evenly, and so do the letters."""
    names, borders = LEVELS[level]
    things = visit.unique
    if len(things) < 3:
        return []
    sectors = sectors_of(things, borders)
    sectors[[overhead(thing) for thing in things]] = -1  # nobody stands by a ceiling lamp
    triples = {k: np.argwhere(sectors == k).tolist() for k in names}
    places = deck(rng, range(len(names)))
    questions: list[Question] = []
    for k, triple in deal(rng, triples, count):
        stand, face, target = (things[i].category for i in triple)
        text = (
            f'I stand by the {stand} and face the {face}.'
            f' In which direction is the {target}: {", ".join(sorted(names.values()))}?'
        )
        wrong = [str(name) for name in rng.permutation([names[j] for j in names if j != k])]
        task = f'object_rel_direction_{level}'
        questions.append(choice(task, text, names[k], wrong, next(places)))
    return questions


def sectors_of(things: tuple[Item, ...], borders: tuple[float, ...]) -> NDArray[np.int64]:
    """(n, n, n) sector of thing c for somebody by thing a who faces b; -1 where it is in doubt.

    It is beyond doubt where at most two of c's eight corners lie in another sector, and where it
    is the same at a's centre, as the rule has it, and at its corners: 'by' a bed is a long way.
    """
    centre = np.array([item.centre[:2] for item in things])
    corners = np.array([footprint(item) for item in things])
    stands = np.concatenate([centre[:, None], corners], 1)
    face = heading(stands[:, :, None], centre)
    angle = face[:, :, None, :] - face[:, :, :, None]
    reached = heading(centre[:, None, None], corners)[:, None] - face[:, 0, :, None, None]
    sectors = sector(angle[:, 0], borders, MARGIN)
    same = (sector(angle, borders) == sectors[:, None]).all(1)
    # Each corner on the floor stands for two of the box.
    whole = (sector(reached, borders) == sectors[..., None]).sum(-1) >= 3
    return np.where(same & whole & _apart(centre), sectors, -1)


def _apart(centre: Array) -> NDArray[np.bool_]:
    """(n, n, n) whether three places lie well apart from one another."""
    distance = np.linalg.norm(centre[:, None] - centre, axis=-1)
    pair = (distance >= APART_MIN) & (distance <= APART_MAX)
    return pair[:, :, None] & pair[:, None] & pair[None]
