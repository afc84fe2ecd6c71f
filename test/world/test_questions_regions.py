# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Regions: the box of the thing that is meant, and answers against what was reckoned by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from question_scene import room, visit_all

from loc3r_ros.errors import InputError
from loc3r_ros.world.questions.marks import Marks
from loc3r_ros.world.questions.question import Situation
from loc3r_ros.world.questions.regions import (
    apart,
    compared,
    largest,
    measured,
    region_questions,
    situated,
)

HERE = Situation('Here.', ('Here.',), (0.0, 0.0), 0.0)

THINGS = [
    # ahead, left, behind and right of somebody at the origin who faces x
    ('sofa', (1.5, 0), (0.9, 1.0, 0.8)),
    ('chair', (0, 2.2), (0.5, 0.4, 1.0)),
    ('chair', (-2.5, 0), (0.5, 0.4, 1.3)),
    ('lamp', (0, -2), (0.3, 0.3, 1.7)),
]


def marks(*things, visit=None):
    visit = visit_all(room(*things)) if visit is None else visit
    boxes = np.zeros((*visit.pixels.shape, 4), int)
    frame, instance = np.nonzero(visit.pixels)
    # Ten pixels square, one beside the other.
    boxes[frame, instance] = np.stack(
        [10 * instance, 0 * instance, 10 * instance + 10, 0 * instance + 10], -1
    )
    return Marks(replace(visit, boxes=boxes), np.random.default_rng(6))


def meant(question):
    return [region.instance for region in question.regions]


def right(question):
    return dict(option.split('. ') for option in question.options)[question.answer]


def test_regions_point_at_what_is_asked_for():
    heights = {1: '0.80', 2: '1.00', 3: '1.30', 4: '1.70'}
    questions = measured(marks(*THINGS), 9, 'region_height')
    assert sorted(meant(q)[0] for q in questions) == [1, 2, 3, 4]
    for question in questions:
        (region,) = question.regions
        assert question.answer == heights[region.instance]
        assert region.box == (10 * region.instance, 0, 10 * region.instance + 10, 10)
        assert question.text.startswith(f'Marked: Region [0] in frame {region.frame + 1} of 20. ')
    flat = marks(*THINGS, ('rug', (1, 1), (1.0, 1.0, 0.01)))
    assert 5 not in {meant(q)[0] for q in measured(flat, 9, 'region_height')}
    assert 5 in {meant(q)[0] for q in measured(flat, 9, 'region_width')}
    widths = {q.regions[0].instance: q.answer for q in measured(marks(*THINGS), 9, 'region_width')}
    assert widths == {1: '1.00', 2: '0.50', 3: '0.50', 4: '0.30'}


def test_only_good_views_are_marked():
    visit = visit_all(room(*THINGS))
    visit.pixels[5:, 1] = 40  # of a box of 100 pixels enough, but less than half of the best view
    visit.pixels[:, 2] = 30  # less than its box needs
    seen = marks(visit=visit)
    assert [item.instance for item in seen.items] == [1, 3, 4]
    questions = [q for _ in range(20) for q in measured(seen, 9, 'region_height')]
    assert max(q.regions[0].frame for q in questions if meant(q) == [1]) == 4
    with pytest.raises(InputError, match=r'Visit\.of'):
        Marks(visit, np.random.default_rng(0))


def test_how_far_apart():
    questions = apart(marks(*THINGS), 9)
    found = {tuple(sorted(meant(q))): q.answer for q in questions}
    assert found[1, 3] == '3.3'  # from x = 1.05 to x = -2.25
    assert found[2, 4] == '3.9'  # from y = 2.0 to y = -1.85, that is 3.85
    assert len(found) == len(questions) == 6


@pytest.mark.parametrize(
    ('task', 'most'),
    [('region_tall_short', [4, 3, 2, 1]), ('region_thin_wide', [1, 2, 3, 4])],
)
def test_two_are_compared(task, most):
    questions = compared(marks(*THINGS), 40, task)
    more = {'region_tall_short': 'Taller', 'region_thin_wide': 'Wider'}[task]
    for question in questions:
        first, second = meant(question)
        assert (right(question) == more) == (most.index(first) < most.index(second))
        # Two chairs as wide as each other are not compared.
        assert task != 'region_thin_wide' or {first, second} != {2, 3}
    assert Counter(right(q) for q in questions)[more] == 20
    assert Counter(q.answer for q in questions) == {'A': 20, 'B': 20}


def test_the_most_of_four():
    questions = largest(marks(*THINGS), 12)
    for question in questions:
        place = 'ABCD'.index(question.answer)
        assert right(question) == f'Region [{place}]'
        assert meant(question)[place] == (4 if 'tallest' in question.text else 1)
    assert Counter(q.answer for q in questions) == dict.fromkeys('ABCD', 3)


def test_what_lies_around_somebody():
    questions = situated(marks(*THINGS), [HERE], 20)
    at = {'in front': 1, 'left': 2, 'behind': 3, 'right': 4, 'nearest': 1}
    asked = set()
    for question in questions:
        words = next(words for words in at if words in question.text)
        asked.add(words)
        assert meant(question)['ABCD'.index(question.answer)] == at[words]
        assert question.situation is HERE
    assert asked == set(at)


def test_all_kinds():
    seen = marks(*THINGS)
    asked = region_questions(seen.visit, [HERE], np.random.default_rng(1), 2)
    assert set(Counter(q.task for q in asked).values()) == {2}
    assert len({q.task for q in asked}) == 8
    assert region_questions(marks(*THINGS[:3]).visit, [HERE], np.random.default_rng(1), 2) == []
