# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Situations: poses that a description by things around makes known well enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import CELL
from loc3r_ros.world.questions.bearings import heading, wrap
from loc3r_ros.world.questions.question import Card, Situation, deck
from loc3r_ros.world.questions.relations import Poses, Relation, true_relations
from loc3r_ros.world.questions.visit import Visit, nearest_room, overhead
from loc3r_ros.world.scene import Item

KNOWN = np.array([0.5, np.radians(20.0)])
"""A description is kept where the poses that fit it lie within this of the true one (rms; m, rad).

All free places of the room and all headings are tried, every 0.2 m and 10 degrees.
"""

WORDINGS_MIN, WORDINGS_MAX = 2, 3

SIDES = {'left': 'on my left', 'right': 'on my right', 'behind': 'behind me'}
"""What is said of things that are not faced, by the kind of their relation."""

SLACK = 0.7
"""Only what is clearly true is said."""

WIDTH = 0.25
"""Free floor around whoever stands there, m."""

FACED_MIN = 1.0
"""Nearest thing to face, m."""

_DRAWS, _TRIES = 80, 12


@dataclass(frozen=True, eq=False)
class _Room:
    """Where somebody may stand, and what they may speak of.

    Attributes:
        name: of the room, if they say it.
        things: that can be named there, n.
        free: (P, 2) places, m.
        poses: all that a listener has to choose from, who knows the room if it is named.
    """

    name: str
    things: list[Item]
    free: Array
    poses: Poses


@dataclass(frozen=True, eq=False)
class _Stand:
    """A pose, and the thing that is faced."""

    position: Array
    yaw: float
    faced: Item


def situations(visit: Visit, rng: np.random.Generator, count: int) -> list[Situation]:
    """At most `count` situations with two or three wordings, each of which is enough alone.

    As many are told by a thing close by as by two that one is between, where both can be. In a flat
    all rooms come up evenly; nobody speaks of what is in another room.
    """
    rooms = _rooms(visit)
    drawn = deck(rng, rooms)
    places = deck(rng, ('beside', 'between'))
    found: dict[str, Situation] = {}
    for _ in range(2 * count if rooms else 0):
        room, place = next(drawn), next(places)
        for _ in range(_DRAWS if len(found) < count else 0):
            stand = _draw_stand(rng, room)
            said = _descriptions(rng, room, stand, place)
            if len(said) >= WORDINGS_MIN:
                wordings = tuple(describe(said[k], k, room.name) for k in range(len(said)))
                x, y = stand.position.tolist()
                found[wordings[0]] = Situation(wordings[0], wordings, (x, y), stand.yaw)
                break
    return list(found.values())


def _rooms(visit: Visit) -> list[_Room]:
    """Rooms with something to speak of and floor to stand on."""
    region = visit.plan.region(WIDTH + CELL / 2)
    centres = visit.plan.centres
    free, coarse = centres[region], centres[::2, ::2][region[::2, ::2]]
    yaws = np.radians(np.arange(-180.0, 180.0, 10.0))
    whole = Poses(coarse, yaws)
    rooms = []
    for k, (name, named) in enumerate(visit.rooms):
        things = [item for item in named if not overhead(item)]
        inside, known = (at[nearest_room(visit.scene, at) == k] for at in (free, coarse))
        if len(things) > 3 and len(inside):
            rooms.append(_Room(name, things, inside, Poses(known, yaws) if name else whole))
    return rooms


def _draw_stand(rng: np.random.Generator, room: _Room) -> _Stand:
    """A free place, and a heading to one of the things, nearly."""
    position = room.free[rng.integers(len(room.free))] + rng.uniform(-CELL / 2, CELL / 2, 2)
    faced = _pick(rng, room.things)
    aim = float(heading(position, faced.centre[:2])) + np.radians(rng.uniform(-5.0, 5.0))
    return _Stand(position, float(wrap(aim)), faced)


def _descriptions(
    rng: np.random.Generator, room: _Room, stand: _Stand, place: str
) -> list[tuple[Relation, ...]]:
    """Sets of relations each of which makes the pose known: place, facing, one or two sides."""
    if np.linalg.norm(stand.faced.centre[:2] - stand.position) < FACED_MIN:
        return []
    others = [thing for thing in room.things if thing is not stand.faced]
    true = true_relations(others, stand.position, stand.yaw, SLACK)
    sides = [kind for kind in true if kind in SIDES]
    said: list[tuple[Relation, ...]] = []
    for _ in range(_TRIES if place in true and sides else 0):
        kinds = [place, *rng.permutation(sides)[: rng.integers(1, 3)]]
        first, *around = (_pick(rng, true[kind]) for kind in kinds)
        chosen = (first, Relation('facing', (stand.faced,)), *around)
        names = [thing.category for relation in chosen for thing in relation.things]
        if len(set(names)) < len(names) or any(_same(chosen, known) for known in said):
            continue
        if (room.poses.spread(chosen, stand.position, stand.yaw) <= KNOWN).all():
            said.append(chosen)
        if len(said) == WORDINGS_MAX:
            break
    return said


def _pick(rng: np.random.Generator, cards: Sequence[Card]) -> Card:
    return cards[int(rng.integers(len(cards)))]


def _same(a: tuple[Relation, ...], b: tuple[Relation, ...]) -> bool:
    return {r.key for r in a} == {r.key for r in b}


def describe(relations: tuple[Relation, ...], form: int, room: str = '') -> str:
    """Words for relations: the place, what is faced, then what is on which side.

    Args:
        relations: in this order.
        form: 0, 1 or 2, how to say it.
        room: its name, where that is said.
    """
    place, facing, *around = relations
    names = ' and '.join(f'the {thing.category}' for thing in place.things)
    where = f'halfway between {names}' if place.kind == 'between' else f'next to {names}'
    where = f'in the {room}, {where}' if room else where
    ahead = f'the {facing.things[0].category}'
    rest = [(f'the {r.things[0].category}', SIDES[r.kind]) for r in around]
    if form == 0:
        with_ = ' and '.join(f'{name} {side}' for name, side in rest)
        return f'I am standing {where} and facing {ahead}, with {with_}.'
    if form == 1:
        there = ', and '.join(f'{side} is {name}' for name, side in rest)
        return f'I look at {ahead}. I am {where}; {there}.'
    is_ = ' and '.join(f'{name} is {side}' for name, side in rest)
    return f'In front of me is {ahead}; {is_}. I stand {where}.'
