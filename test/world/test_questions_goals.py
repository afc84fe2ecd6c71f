# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Goals: the thing that is meant, and no other that could be."""

from __future__ import annotations

import numpy as np
from question_scene import room, visit_all

from loc3r_ros.world.questions.goals import goal_queries

THINGS = [('sofa', (0, 0)), ('chair', (1, 0)), ('chair', (2, 0)), ('clock', (2.8, 0, 1.8))]


def test_the_thing_that_is_meant():
    found = goal_queries(visit_all(room(*THINGS)), np.random.default_rng(2), 9)
    meant = {goal.instance: goal for goal in found}
    # The clock hangs too high to go to; it may still tell a chair apart.
    assert sorted(meant) == [1, 2, 3]
    assert meant[1].text.endswith(' the sofa.')
    assert meant[1].position == (0.0, 0.0, 0.2)
    assert meant[2].text.endswith(' the chair nearest to the sofa.')
    assert meant[3].text.endswith(' the chair nearest to the clock.')


def test_things_that_are_as_near_are_not_told_apart():
    found = goal_queries(
        visit_all(room(('sofa', (0, 0)), ('chair', (1, 0)), ('chair', (-1.3, 0)))),
        np.random.default_rng(2),
        9,
    )
    assert [goal.category for goal in found] == ['sofa']


def test_the_seed_decides_and_the_count_is_kept():
    visit = visit_all(room(*THINGS))
    first = goal_queries(visit, np.random.default_rng(2), 2)
    assert len(first) == 2
    assert goal_queries(visit, np.random.default_rng(2), 2) == first
