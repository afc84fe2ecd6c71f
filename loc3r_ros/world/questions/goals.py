# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where somebody wants the robot to go, and which thing is meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loc3r_ros.world.questions.question import deck
from loc3r_ros.world.questions.visit import Visit, overhead
from loc3r_ros.world.scene import Item

NEARER = 0.5
"""Of several of a kind the one that is meant is nearer to what it is told by than any other, m."""

FORMS = ('Go to {}.', 'Drive to {}.', 'Take me to {}.', 'I need to get to {}.')


@dataclass(frozen=True)
class GoalQuery:
    """A request to go to a thing.

    Attributes:
        text: the request.
        category: of the thing that is meant.
        instance: its number in the scene.
        position: (x, y, z) of the centre of its bounding box in `map`, m.
    """

    text: str
    category: str
    instance: int
    position: tuple[float, float, float]


def goal_queries(visit: Visit, rng: np.random.Generator, count: int) -> list[GoalQuery]:
    """At most `count` requests, each for another thing.

    A thing that is the only one of its kind is told by its name, one of several by the unique thing
    that it is nearest to, or by its room. What hangs overhead is no place to go to.
    """
    named = [(f'the {item.category}', item) for item in visit.unique]
    named += [
        (f'the {item.category} in the {room}', item)
        for room, items in visit.rooms
        for item in items
        if room and item not in visit.unique
    ]
    named += [told for items in visit.named.values() for told in _tell_apart(visit, items)]
    told = [(name, item) for name, item in named if not overhead(item)]
    found: dict[int, GoalQuery] = {}
    forms = deck(rng, FORMS)
    for k in rng.permutation(len(told)):
        name, item = told[k]
        if len(found) < count and item.instance not in found:
            x, y, z = item.centre.tolist()
            text = next(forms).format(name)
            found[item.instance] = GoalQuery(text, item.category, item.instance, (x, y, z))
    return list(found.values())


def _tell_apart(visit: Visit, items: tuple[Item, ...]) -> list[tuple[str, Item]]:
    """Names for things of one kind: 'the chair nearest to the desk'."""
    if len(items) < 2:
        return []
    told = []
    for mark in visit.unique:
        away = [visit.gap(item, mark) for item in items]
        first, second, *_ = np.argsort(away, kind='stable')
        if away[second] - away[first] >= NEARER:
            name = f'the {items[first].category} nearest to the {mark.category}'
            told.append((name, items[first]))
    return told
