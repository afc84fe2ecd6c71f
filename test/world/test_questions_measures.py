# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Numbers asked of a room, against what was reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from question_scene import block, room, visit_all

from loc3r_ros.errors import InputError
from loc3r_ros.world.questions.distances import Pieces
from loc3r_ros.world.questions.measures import absolute_distance, counting, object_size, room_size
from loc3r_ros.world.questions.visit import Visit, count_pixels


def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize(
    ('a', 'b', 'distance'),
    [
        (block('a', 1, (0, 0)), block('b', 2, (2, 0)), 1.6),
        (block('a', 1, (0, 0)), block('b', 2, (3.4, 4.4)), 5.0),
        (block('a', 1, (0, 0)), block('b', 2, (0.1, 0, 1.0)), 0.6),
        (block('a', 1, (0, 0)), block('b', 2, (0.7, 0, 0.8)), 0.5),
        (block('a', 1, (0, 0)), block('b', 2, (2, 0), yaw=np.pi / 4), 1.8 - 0.2 * np.sqrt(2)),
        # A cross: they overlap, and no corner of one is inside the other.
        (block('a', 1, (0, 0), (2, 0.2, 1)), block('b', 2, (0, 0), (0.2, 2, 1)), 0.0),
    ],
)
def test_the_closest_points(a, b, distance):
    assert Pieces.of(a).gap(Pieces.of(b)) == pytest.approx(distance, abs=1e-9)
    assert Pieces.of(b).gap(Pieces.of(a)) == pytest.approx(distance, abs=1e-9)


def test_only_several_things_are_counted():
    visit = visit_all(room(('chair', (0, 0)), ('chair', (1, 0)), ('sofa', (2, 0))))
    (question,) = counting(visit, rng(), 9)
    assert question.text == 'How many chair(s) are in this room?'
    assert (question.answer, question.options) == ('2', ())


def test_what_was_not_all_seen_is_not_counted():
    scene = room(('chair', (0, 0)), ('chair', (1, 0)))
    assert counting(visit_all(scene, first=[0, 99]), rng(), 9) == []


def test_what_a_name_leaves_open_is_not_asked():
    things = [('table', (0, 0)), ('coffee table', (1, 0)), ('books', (2, 0)), ('rug', (2, 2))]
    unique = visit_all(room(*things)).unique
    assert [item.category for item in unique] == ['coffee table', 'rug']


def test_distances_and_sizes():
    things = [('sofa', (0, 0), (0.8, 2.26, 0.9)), ('bed', (3, 0)), ('box', (0.6, 0))]
    visit = visit_all(room(*things))
    distances = {q.text.split('(')[0]: q.answer for q in absolute_distance(visit, rng(), 9)}
    # 0.0 m between sofa and box is too near to be asked.
    assert distances == {
        'How far is the sofa from the bed ': '2.4',
        'How far is the bed from the box ': '2.0',
    }
    sizes = {q.text.split()[-3]: q.answer for q in object_size(visit, rng(), 9)}
    assert sizes == {'sofa': '226', 'bed': '40', 'box': '40'}


def test_the_room():
    (question,) = room_size(visit_all(room(('sofa', (0, 0)), size=(4.25, 5.0, 2.5))), rng(), 9)
    assert question.answer == '21.2'  # 21.25, as float formatting rounds


def test_pixel_counts():
    images = np.array([[[0, 1], [1, 2]], [[2, 2], [2, 2]]])
    assert count_pixels(images, 3).tolist() == [[1, 2, 1, 0], [0, 0, 4, 0]]
    with pytest.raises(InputError, match=r'shape \(2, 4\): expected \(2, 2\)'):
        Visit(room(('sofa', (0, 0))), np.arange(2.0), count_pixels(images, 3))
