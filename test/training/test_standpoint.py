# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where named things are for whoever asks."""

from __future__ import annotations

from math import isnan, log, pi

import numpy as np
import pytest

from loc3r_ros.training.grounding import NOWHERE
from loc3r_ros.training.standpoint import FOLD, REACH_M, Standpoint, standpoints

BED, DOOR, LAMP, SOFA = (0.0, 0.0), (0.0, 2.0), (-1.0, 0.0), (3.0, 2.0)


def test_places_are_told_ahead_and_to_the_left() -> None:
    told = Standpoint(BED, pi / 2).around(LAMP)
    assert told == pytest.approx((-1 / REACH_M, 0, 0, 1, 0, 1, 0))
    told = Standpoint(SOFA, 0.0).around(DOOR)
    assert told == pytest.approx((-3 / REACH_M, 0, 1, 0, -1, 0, FOLD * log(3)))


def test_who_faces_nothing_knows_distances() -> None:
    told = Standpoint(BED).around(SOFA)
    assert told[:2] == pytest.approx((3 / REACH_M, 2 / REACH_M))
    assert np.isnan(told[2:6]).all() and told[6] == pytest.approx(FOLD * log(np.hypot(3, 2)))


def test_what_lies_nowhere_is_unknown() -> None:
    for told in (Standpoint(BED, 0.0).around(NOWHERE), Standpoint(NOWHERE, 0.0).around(BED)):
        assert np.isnan(told[:2] + told[4:]).all() and told[2:4] == (1, 0)  # facing x all the same


def test_directions_are_those_of_who_stands_by_the_first_and_faces_the_second() -> None:
    stands = standpoints('object_rel_direction_hard', [BED, DOOR, LAMP, LAMP])
    assert stands == [None, *[Standpoint(BED, pi / 2)] * 3]


@pytest.mark.parametrize('task', ['object_rel_distance', 'object_abs_distance'])
def test_distances_are_from_the_first(task: str) -> None:
    first, *others = standpoints(task, [BED, DOOR, LAMP])
    assert first is None
    assert [stand.position for stand in others if stand] == [BED, BED]
    assert all(stand and isnan(stand.yaw) for stand in others)


def test_a_route_is_seen_from_where_it_has_come_to() -> None:
    # By the bed, facing the lamp; to the sofa by way of the door.
    route = [BED, LAMP, SOFA, DOOR, SOFA]
    start, face, goal, via, last = standpoints('route_planning', route)
    assert start is goal is None and via and last and face == via
    assert via.around(DOOR)[4:6] == pytest.approx((0, -1))  # facing -x, +y is to the right
    assert last.position == DOOR and last.around(SOFA)[4:6] == pytest.approx((0, -1))


@pytest.mark.parametrize('named', [0, 1, 3])
def test_few_names_and_other_tasks_are_no_matter(named: int) -> None:
    tasks = ('', 'room_size_estimation', 'route_planning', 'object_rel_direction_easy')
    for task in tasks:
        assert len(standpoints(task, [BED] * named)) == named
