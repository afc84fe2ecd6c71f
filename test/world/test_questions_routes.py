# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Turns of a robot on its way from thing to thing, against what was reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from question_scene import room, visit_all

from loc3r_ros.world.questions.routes import (
    REACH,
    TURNS,
    WIDTH,
    Stops,
    find_stops,
    route_planning,
    turns_of,
)


def stops(*places, by=None):
    """Four stops, all ways between them open, the robot standing at or `by` the things."""
    centre = np.array(places, np.float64)
    stand = centre if by is None else np.array(by, np.float64)
    return Stops(list('sfvg'), stand, centre, ~np.eye(4, dtype=bool))


@pytest.mark.parametrize(
    ('faced', 'goal', 'turns'),
    [
        # Along x to (2, 0). Facing -y means a left turn first; +y a right one, -x turning back.
        ((0, -1), (2, 1), ('turn left', 'turn left')),
        ((0, 1), (2, -1), ('turn right', 'turn right')),
        ((-1, 0), (2, 1), ('turn back', 'turn left')),
        ((0, -1), (0.5, 0.1), ('turn left', 'turn back')),
        ((1, 0.1), (2, 1), None),  # no first turn
        ((0, -1), (4, 0), None),  # no second turn
        ((0, -1), (1, 0.9), None),  # 138 degrees: left or back?
    ],
)
def test_turns(faced, goal, turns):
    code = turns_of(stops((0, 0), faced, (2, 0), goal))[0, 1, 2, 3]
    assert (None if code < 0 else (TURNS[code // 3], TURNS[code % 3])) == turns


def test_turns_that_depend_on_where_one_stands_are_not_asked():
    places = ((0, 0), (0, -1), (2, 0), (2, 1))
    assert turns_of(stops(*places))[0, 1, 2, 3] == 0
    beside = ((0, 0), (0, -1), (2, 0), (3, -0.5))
    assert turns_of(stops(*places, by=beside))[0, 1, 2, 3] == -1


def test_a_closed_way_is_not_asked():
    four = stops((0, 0), (0, -1), (2, 0), (2, 1))
    four.open[2, 3] = False
    assert turns_of(four)[0, 1, 2, 3] == -1


def test_no_thing_comes_twice_in_a_route():
    codes = turns_of(stops((0, 0), (0, -1), (2, 0), (2, 1)))
    found = np.argwhere(codes >= 0)
    assert len(found)
    assert all(len(set(route)) == 4 for route in found.tolist())


def furnished():
    corners = {'sofa': (-2, -1.5), 'bed': (2, -1.5), 'door': (2, 1.5), 'fridge': (-2, 1.5)}
    things = [(name, at, (0.6, 0.6, 0.8)) for name, at in corners.items()]
    return [*things, ('rug', (0, 0), (0.5, 0.5, 0.01)), ('clock', (0, -2.4, 1.8))]


def test_the_robot_stands_near_and_goes_where_it_is_free():
    free = find_stops(visit_all(room(*furnished())))
    assert free.names == ['sofa', 'bed', 'door', 'fridge', 'rug']  # a clock hangs too high
    gap = np.abs(free.stand - free.centre).max(1)[:4] - 0.3
    assert ((gap >= WIDTH) & (gap <= REACH)).all()
    assert free.open.sum() == 20
    # A cabinet right across the room parts its two halves.
    wall = ('cabinet', (0, -0.6), (0.4, 3.6, 0.8))
    parted = find_stops(visit_all(room(*furnished()[:4], wall)))
    assert not parted.open[0, 1]
    assert parted.open[1, 2]
    # Sofa and fridge: nothing between, but too short a way.
    assert np.linalg.norm(parted.stand[0] - parted.stand[3]) == pytest.approx(0.9)
    assert not parted.open[0, 3]


def test_all_answers_come_up_evenly():
    questions = route_planning(visit_all(room(*furnished())), np.random.default_rng(3), 4)
    assert [sum(q.answer == letter for q in questions) for letter in 'ABCD'] == [1, 1, 1, 1]
    assert all(len({o[3:] for o in q.options}) == 4 for q in questions)
