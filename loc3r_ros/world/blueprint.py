# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The plan of a flat before anything stands in it: rooms, and the openings between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.random import Generator

from loc3r_ros.geometry import Array
from loc3r_ros.world.scene import Passage, RoomShape

WALL = 0.12
"""Thickness of a wall between two rooms, m; half of it belongs to each."""

SIDE_MIN = 2.6
"""Shortest side of a room of a flat, m."""

OUTSIDE = {
    1: ((4.0, 7.6), (4.0, 7.6)),
    2: ((6.4, 10.0), (3.4, 6.0)),
    3: ((7.0, 11.0), (5.4, 8.0)),
    4: ((8.0, 12.0), (6.6, 9.0)),
}
"""Range of the flat's longer and shorter side by its number of rooms, m."""

PASSAGE_MIN, PASSAGE_MAX = 0.95, 1.25
"""Widths of an opening between two rooms, m; a robot passes through the narrowest."""

BATHROOM_MAX = 13.0
"""Largest floor of a bathroom, m^2."""

_CORNER = 0.3
"""An opening keeps this far from the room's corners, m."""

_KINDS = {
    2: (('living room', 'bedroom'), ('living room', 'kitchen'), ('bedroom', 'study')),
    3: (
        ('living room', 'bedroom', 'bathroom'),
        ('living room', 'kitchen', 'bathroom'),
        ('living room', 'bedroom', 'kitchen'),
        ('living room', 'bedroom', 'study'),
    ),
    4: (
        ('living room', 'bedroom', 'kitchen', 'bathroom'),
        ('living room', 'kitchen', 'bedroom', 'bathroom'),
        ('living room', 'bedroom', 'study', 'kitchen'),
        ('living room', 'bedroom', 'study', 'bathroom'),
    ),
}
"""Kinds of the rooms from the largest to the smallest."""


def draw_plan(rng: Generator, count: int) -> tuple[tuple[RoomShape, ...], tuple[Passage, ...]]:
    """Rooms that fill a rectangle about the origin, each reachable from each.

    Args:
        rng: source of every choice.
        count: number of rooms, 1 to 4.
    """
    while True:
        sides = np.array([rng.uniform(*span) for span in OUTSIDE[count]])
        half = (sides if rng.random() < 0.5 else sides[::-1]) / 2.0
        floors = list(_split(rng, -half, half, count))
        if count > 1 and min((high - low).min() for low, high in floors) < SIDE_MIN:
            continue
        rooms = _name(rng, floors)
        passages = _connect(rng, rooms)
        if len(passages) >= count - 1:
            return rooms, passages


def _split(rng: Generator, low: Array, high: Array, count: int) -> Iterator[tuple[Array, Array]]:
    """Cut a rectangle by walls across its longer side until there are `count` parts."""
    if count == 1:
        yield low, high
        return
    axis = int((high - low).argmax())
    first = count // 2
    share = first / count + rng.uniform(-0.2, 0.2)
    cut = low[axis] + share * (high[axis] - low[axis])
    before, after = high.copy(), low.copy()
    before[axis], after[axis] = cut - WALL / 2, cut + WALL / 2
    yield from _split(rng, low, before, first)
    yield from _split(rng, after, high, count - first)


def _name(rng: Generator, floors: list[tuple[Array, Array]]) -> tuple[RoomShape, ...]:
    """Name rooms by their size; what would be a vast bathroom becomes a study."""
    rooms = [RoomShape('room', tuple(low.tolist()), tuple(high.tolist())) for low, high in floors]
    if len(rooms) == 1:
        return tuple(rooms)
    kinds = _KINDS[len(rooms)][rng.integers(len(_KINDS[len(rooms)]))]
    order = np.argsort([-room.area for room in rooms])
    for kind, k in zip(kinds, order, strict=True):
        vast = kind == 'bathroom' and rooms[k].area > BATHROOM_MAX
        rooms[k] = replace(rooms[k], name='study' if vast else kind)
    return tuple(rooms)


def _connect(rng: Generator, rooms: tuple[RoomShape, ...]) -> tuple[Passage, ...]:
    """Openings that join all rooms, and now and then one more; a bathroom has a single one."""
    pairs = list(combinations(range(len(rooms)), 2))
    pairs = [pairs[k] for k in rng.permutation(len(pairs))]
    pairs.sort(key=lambda pair: any(rooms[k].name == 'bathroom' for k in pair))
    group = list(range(len(rooms)))
    passages: list[Passage] = []
    for a, b in pairs:
        joined = group[a] == group[b]
        baths = [k for k in (a, b) if rooms[k].name == 'bathroom']
        if any(k in passage.rooms for k in baths for passage in passages):
            continue
        private = bool(baths)
        if joined and (private or rng.random() < 0.6):
            continue
        passage = _open(rng, (a, b), rooms[a], rooms[b])
        if passage is not None:
            passages.append(passage)
            group = [group[a] if g == group[b] else g for g in group]
    return tuple(passages) if len(set(group)) == 1 else ()


def _open(rng: Generator, pair: tuple[int, int], a: RoomShape, b: RoomShape) -> Passage | None:
    """An opening in the wall that two rooms share, or None where they share too little."""
    low, high = np.maximum(a.low, b.low), np.minimum(a.high, b.high)
    axis = int((high - low).argmin())
    if abs(high[axis] - low[axis] + WALL) > 1e-6:
        return None
    along = 1 - axis
    width = rng.uniform(PASSAGE_MIN, PASSAGE_MAX)
    reach = width / 2 + _CORNER
    if high[along] - low[along] < 2 * reach:
        return None
    centre = np.empty(2)
    centre[axis] = (low[axis] + high[axis]) / 2
    centre[along] = rng.uniform(low[along] + reach, high[along] - reach)
    x, y = centre.tolist()
    return Passage(pair, axis, (x, y), float(width))
