# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Nearest things, directions and orders, against what was reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from question_scene import room, visit_all

from loc3r_ros.world.questions.bearings import bearing, sector
from loc3r_ros.world.questions.directions import LEVELS, relative_direction, sectors_of
from loc3r_ros.world.questions.nearest import relative_distance
from loc3r_ros.world.questions.order import appearance_order


def rng():
    return np.random.default_rng(5)


def right(question):
    """The text of the right option."""
    return dict(option.split('. ') for option in question.options)[question.answer]


def test_bearings_go_left():
    assert bearing((1, 1), np.pi / 2, (0, 1)) == pytest.approx(np.pi / 2)
    assert bearing((1, 1), np.pi / 2, (2, 2)) == pytest.approx(-np.pi / 4)


def test_sectors_and_their_margin():
    degrees = np.array([-5, 5, 15, 130, 140, 180, 230, 300])
    borders = tuple(np.radians([0, 135, 225]))
    assert sector(np.radians(degrees), borders).tolist() == [2, 0, 0, 0, 1, 1, 2, 2]
    clear = sector(np.radians(degrees), borders, np.radians(10))
    assert clear.tolist() == [-1, -1, 0, -1, -1, 1, -1, 2]


def test_the_nearest_of_four():
    things = [('sofa', (0, 0)), ('bed', (1, 0)), ('rug', (0, 2)), ('door', (-3, 0))]
    things += [('stool', (0, -2.5)), ('stool', (2, 2))]
    questions = relative_distance(visit_all(room(*things)), rng(), 9)
    assert {right(q) for q in questions if 'to the sofa' in q.text} == {'bed'}
    # Two at one distance: nothing can be asked from the sofa.
    things[3] = ('door', (-1, 0))
    questions = relative_distance(visit_all(room(*things)), rng(), 9)
    assert not any('to the sofa' in q.text for q in questions)


def test_a_large_room_asks_for_a_larger_gap():
    # Gaps of 0.2 m: enough in 30 m^2, not in 48 m^2.
    things = [('sofa', (0, 0)), ('bed', (1, 0)), ('rug', (0, 1.2)), ('door', (-1.4, 0))]
    things += [('stool', (0, -1.6))]
    small, large = (room(*things, size=(6.0, side, 2.5)) for side in (5.0, 8.0))
    texts = [q.text for q in relative_distance(visit_all(small), rng(), 9)]
    assert any('to the sofa' in text for text in texts)
    texts = [q.text for q in relative_distance(visit_all(large), rng(), 9)]
    assert not any('to the sofa' in text for text in texts)


SMALL = (0.1, 0.1, 0.1)


def direction(things, level):
    """The answer for somebody by the first thing who faces the second; None where none is given."""
    names, borders = LEVELS[level]
    return names.get(int(sectors_of(visit_all(room(*things)).unique, borders)[0, 1, 2]))


@pytest.mark.parametrize(
    ('at', 'easy', 'medium', 'hard'),
    [
        ((1.5, 1.5), 'left', 'left', 'front-left'),
        ((1.5, -1.5), 'right', 'right', 'front-right'),
        ((-1.0, -2.0), 'right', 'right', 'back-right'),
        # 137 and 180 degrees: the first too near to where back begins.
        ((-1.5, 1.4), None, None, 'back-left'),
        ((-2.0, 0.0), None, 'back', None),
        # 5 degrees to either side of where front-left ends.
        ((0.17, 2.0), 'left', 'left', None),
        ((-0.17, 2.0), 'left', 'left', None),
        # 5 degrees off the front; 5.2 m away; 0.2 m away.
        ((2.5, 0.22), None, None, None),
        ((5.0, 1.5), None, None, None),
        ((0.0, 0.2), None, None, None),
    ],
)
def test_directions(at, easy, medium, hard):
    things = [('sofa', (0, 0), SMALL), ('bed', (2, 0), SMALL), ('rug', at, SMALL)]
    found = [direction(things, level) for level in ('easy', 'medium', 'hard')]
    assert found == [easy, medium, hard]


def test_a_direction_must_hold_anywhere_by_the_thing():
    near = [('bed', (2, 0), SMALL), ('rug', (1, 0.4), SMALL)]
    assert direction([('sofa', (0, 0), SMALL), *near], 'easy') == 'left'
    # From the far corner of a sofa 2.4 m long the rug is on the right of the line to the bed.
    assert direction([('sofa', (0, 0), (0.1, 2.4, 0.4)), *near], 'easy') is None


def test_a_direction_must_hold_for_most_of_the_thing():
    by = [('sofa', (0, 0), SMALL), ('bed', (2, 0), SMALL)]
    assert direction([*by, ('rug', (0.5, 1.5), (0.8, 0.8, 0.1))], 'hard') == 'front-left'
    assert direction([*by, ('rug', (0.5, 1.5), (1.6, 0.8, 0.1))], 'hard') is None


def test_directions_are_dealt_evenly():
    things = [(name, (0.9 * k, (-1.1) ** k), SMALL) for k, name in enumerate('abcde')]
    questions = relative_direction(visit_all(room(*things)), rng(), 10, 'easy')
    assert [sum(right(q) == side for q in questions) for side in ('left', 'right')] == [5, 5]
    assert [sum(q.answer == letter for q in questions) for letter in 'AB'] == [5, 5]


def test_nobody_stands_by_what_hangs_overhead():
    at = {'a': (0, 0, 2), 'b': (2, 0), 'c': (1, 1.5), 'd': (-1, 1.4)}
    visit = visit_all(room(*((name, where, SMALL) for name, where in at.items())))
    texts = [q.text for q in relative_direction(visit, rng(), 9, 'easy')]
    assert any('face the a.' in text for text in texts)
    assert not any('stand by the a ' in text for text in texts)


def test_the_order_of_appearance():
    things = [(name, (k, 0)) for k, name in enumerate(('sofa', 'bed', 'rug', 'door'))]
    visit = visit_all(room(*things), first=[4, 0, 9, 2])
    question = appearance_order(visit, rng(), 1)[0]
    assert right(question) == 'bed, door, sofa, rug'
    assert len(set(question.options)) == 4
    assert appearance_order(visit_all(room(*things), first=[4, 0, 9, 1]), rng(), 1) == []


def test_an_early_glimpse_leaves_the_order_open():
    things = [(name, (k, 0)) for k, name in enumerate(('sofa', 'bed', 'rug', 'door'))]
    visit = visit_all(room(*things), first=[4, 0, 9, 2])
    visit.pixels[1, 3] = 5  # the rug, long before it shows clearly
    assert appearance_order(visit, rng(), 1) == []
