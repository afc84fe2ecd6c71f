# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Routes in straight lines from thing to thing, with the turns left blank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import CELL, FloorPlan
from loc3r_ros.world.questions.bearings import heading, sector
from loc3r_ros.world.questions.distances import footprint
from loc3r_ros.world.questions.question import Question, choice, deal, deck
from loc3r_ros.world.questions.visit import Visit, nearest_room, overhead

TURNS = ('turn left', 'turn back', 'turn right')

BORDERS = tuple(np.radians([30.0, 135.0, 225.0, 330.0]))
"""Where left, back, right and straight on begin; less than 30 degrees is no turn (published)."""

MARGIN = np.radians(10.0)

REACH, WIDTH = 0.8, 0.25
"""One stands within REACH of a thing (m); a straight leg keeps WIDTH from everything (m)."""

LEG_MIN = 1.0
"""Shortest leg, m."""


@dataclass(frozen=True, eq=False)
class Stops:
    """Things that a robot can go to.

    Attributes:
        names: (n,) of things.
        stand: (n, 2) where the robot stands by each, m.
        centre: (n, 2) where each thing is, m.
        open: (n, n) whether the straight way from stand to stand is long enough and free.
    """

    names: list[str]
    stand: Array
    centre: Array
    open: NDArray[np.bool_]


def route_planning(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Two turns of a robot that goes from one thing by way of a second to a third.

    It starts facing a fourth. All answers that the room offers come up evenly, right and wrong, so
    that none looks likelier.
    """
    stops = find_stops(visit)
    turns = turns_of(stops)
    codes = [k for k in range(9) if (turns == k).any()]
    if len(codes) < 4:
        return []
    routes = {k: np.argwhere(turns == k).tolist() for k in codes}
    places = deck(rng, range(4))
    questions: list[Question] = []
    for code, route in deal(rng, routes, count):
        start, face, via, goal = (stops.names[k] for k in route)
        text = (
            f'A robot stands by the {start} and faces the {face}. To reach the {goal} it must:'
            f' 1. [blank]; 2. go straight to the {via}; 3. [blank]; 4. go straight to the {goal}.'
            ' Which turns fill the blanks?'
        )
        others = [k for k in codes if k != code]
        wrong = [_words(others[k]) for k in rng.permutation(len(others))[:3]]
        questions.append(choice('route_planning', text, _words(code), wrong, next(places)))
    return questions


def _words(code: int) -> str:
    return f'{TURNS[code // 3]}, {TURNS[code % 3]}'


def turns_of(stops: Stops) -> NDArray[np.int64]:
    """(n, n, n, n) turns from start s, facing f, by way of v to goal g, as 3 first + second.

    They index TURNS; -1 where the way is not open, where no turn is needed, or where a turn is not
    the same between the places at which the robot stands and between the things themselves.
    """
    first, second = [], []
    for place in (stops.stand, stops.centre):
        course = heading(place[:, None], place)
        facing = heading(place[:, None], stops.centre)
        # Axes s, f, v and s, v, g.
        first.append(sector(course[:, None] - facing[:, :, None], BORDERS, MARGIN))
        second.append(sector(course[None] - course[:, :, None], BORDERS, MARGIN))
    turn = [np.where((a == b) & (a < len(TURNS)), a, -1) for a, b in (first, second)]
    n = len(stops.names)
    apart = np.array(~np.eye(n, dtype=bool))
    s_f, s_v, s_g = apart[:, :, None, None], stops.open[:, None, :, None], apart[:, None, None]
    f_v, f_g, v_g = apart[:, :, None], apart[:, None], stops.open
    known = (turn[0] >= 0)[..., None] & (turn[1] >= 0)[:, None]
    code = 3 * turn[0][..., None] + turn[1][:, None]
    return np.where(known & s_f & s_v & s_g & f_v & f_g & v_g, code, -1)


def find_stops(visit: Visit) -> Stops:
    """The things with free floor beside them, on their side of any wall."""
    plan = visit.plan
    region = plan.centres[plan.region(WIDTH + CELL / 2)]
    room = nearest_room(visit.scene, region)
    found: list[tuple[str, Array, Array]] = []
    for item in visit.unique:
        corners, centre = footprint(item), item.centre[:2]
        beyond = np.maximum(np.maximum(corners.min(0) - region, region - corners.max(0)), 0.0)
        reached = np.linalg.norm(beyond, axis=1) <= REACH
        near = region[reached & (room == visit.room_of(item))]
        if not overhead(item) and len(near):
            cramped = np.linalg.norm(near - centre, axis=1) - plan.clearance(near)
            stand = near[cramped.argmin()]
            found.append((item.category, stand, centre))
    stand, centre = (np.array([thing[k] for thing in found]).reshape(-1, 2) for k in (1, 2))
    return Stops([thing[0] for thing in found], stand, centre, _open(plan, stand))


def _open(plan: FloorPlan, stand: Array) -> NDArray[np.bool_]:
    """(n, n) whether the straight way between two places is long enough and free."""
    first, second = np.triu_indices(len(stand), 1)
    start, way = stand[first], stand[second] - stand[first]
    length = np.linalg.norm(way, axis=1)
    free, gone = length >= LEG_MIN, np.zeros(len(first))
    while len(going := np.flatnonzero(free & (gone < length))):
        at = start[going] + way[going] * (gone[going] / length[going])[:, None]
        clearance = plan.clearance(at)
        free[going] = clearance >= WIDTH
        # As far as nothing can come nearer than WIDTH.
        gone[going] += np.maximum(clearance - WIDTH, CELL / 2)
    open_ = np.zeros((len(stand), len(stand)), bool)
    open_[first, second] = open_[second, first] = free
    return open_
