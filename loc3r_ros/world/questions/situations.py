# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Situations: poses that a description by things around makes known well enough."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import CELL, OVERHEAD
from loc3r_ros.world.questions.bearings import heading, wrap
from loc3r_ros.world.questions.question import Card, Situation
from loc3r_ros.world.questions.relations import TOWARDS, Poses, Relation
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.scene import Item

KNOWN = np.array([0.5, np.radians(20.0)])
"""A description is kept where the poses that fit it lie within this of the true one (rms; m, rad).

All free places of the room and all headings are tried, every 0.2 m and 10 degrees.
"""

WORDINGS_MIN, WORDINGS_MAX = 2, 3

SLACK = 0.7
"""Only what is clearly true is said."""

WIDTH = 0.25
"""Free floor around whoever stands there, m."""

FACED_MIN = 1.0
"""Nearest thing to face, m."""

_DRAWS, _TRIES = 40, 12


def situations(visit: Visit, rng: np.random.Generator, count: int) -> list[Situation]:
    """At most `count` situations with two or three wordings, each of which is enough alone."""
    plan = visit.plan
    region = plan.region(WIDTH + CELL / 2)
    free, coarse = plan.centres[region], plan.centres[::2, ::2][region[::2, ::2]]
    poses = Poses(coarse, np.radians(np.arange(-180.0, 180.0, 10.0)))
    things = [item for item in visit.unique if item.T_map_item[2, 3] < OVERHEAD]
    found: list[Situation] = []
    for _ in range(_DRAWS * count if len(things) > 3 and len(free) else 0):
        if len(found) == count:
            break
        position, yaw, faced = _stand(rng, free, things)
        said = _descriptions(rng, poses, things, faced, position, yaw)
        if len(said) >= WORDINGS_MIN:
            wordings = tuple(describe(relations, k) for k, relations in enumerate(said))
            at = (float(position[0]), float(position[1]))
            found.append(Situation(wordings[0], wordings, at, yaw))
    return found


def _stand(rng: np.random.Generator, free: Array, things: list[Item]) -> tuple[Array, float, Item]:
    """A free place, and a heading to one of the things, nearly."""
    position = free[rng.integers(len(free))] + rng.uniform(-CELL / 2, CELL / 2, 2)
    faced = _pick(rng, things)
    aim = float(heading(position, faced.centre[:2])) + np.radians(rng.uniform(-5.0, 5.0))
    return position, float(wrap(aim)), faced


def _descriptions(
    rng: np.random.Generator,
    poses: Poses,
    things: list[Item],
    faced: Item,
    position: Array,
    yaw: float,
) -> list[tuple[Relation, ...]]:
    """Sets of relations each of which makes the pose known: place, facing, one or two sides."""
    if np.linalg.norm(faced.centre[:2] - position) < FACED_MIN:
        return []
    true = _true_of([thing for thing in things if thing is not faced], position, yaw)
    places, sides = ([k for k in true if (k in TOWARDS) == side] for side in (False, True))
    said: list[tuple[Relation, ...]] = []
    for _ in range(_TRIES if places and sides else 0):
        kinds = [_pick(rng, places), *rng.permutation(sides)[: rng.integers(1, 3)]]
        place, *around = (_pick(rng, true[kind]) for kind in kinds)
        chosen = (place, Relation('facing', (faced,)), *around)
        names = [thing.category for relation in chosen for thing in relation.things]
        if len(set(names)) < len(names) or any(_same(chosen, known) for known in said):
            continue
        if (poses.spread(chosen, position, yaw) <= KNOWN).all():
            said.append(chosen)
        if len(said) == WORDINGS_MAX:
            break
    return said


def _true_of(things: list[Item], position: Array, yaw: float) -> dict[str, list[Relation]]:
    """By kind, all that is clearly true of a pose but what it faces."""
    every = [Relation('beside', (thing,)) for thing in things]
    every += [Relation('between', pair) for pair in combinations(things, 2)]
    every += [Relation(word, (t,)) for word in TOWARDS if word != 'facing' for t in things]
    true: dict[str, list[Relation]] = {}
    for relation in every:
        if relation.holds(position, np.array(yaw), slack=SLACK):
            true.setdefault(relation.kind, []).append(relation)
    return true


def _pick(rng: np.random.Generator, cards: Sequence[Card]) -> Card:
    return cards[int(rng.integers(len(cards)))]


def _same(a: tuple[Relation, ...], b: tuple[Relation, ...]) -> bool:
    return {(r.kind, r.things) for r in a} == {(r.kind, r.things) for r in b}


def describe(relations: tuple[Relation, ...], form: int) -> str:
    """Words for relations: the place, what is faced, then what is on which side.

    Args:
        form: 0, 1 or 2, how to say it.
    """
    place, facing, *around = relations
    names = ' and '.join(f'the {thing.category}' for thing in place.things)
    where = f'halfway between {names}' if place.kind == 'between' else f'next to {names}'
    ahead = f'the {facing.things[0].category}'
    sides = {'left': 'on my left', 'right': 'on my right', 'behind': 'behind me'}
    rest = [(f'the {r.things[0].category}', sides[r.kind]) for r in around]
    if form == 0:
        with_ = ' and '.join(f'{name} {side}' for name, side in rest)
        return f'I am standing {where} and facing {ahead}, with {with_}.'
    if form == 1:
        there = ', and '.join(f'{side} is {name}' for name, side in rest)
        return f'I look at {ahead}. I am {where}; {there}.'
    is_ = ' and '.join(f'{name} is {side}' for name, side in rest)
    return f'In front of me is {ahead}; {is_}. I stand {where}.'
