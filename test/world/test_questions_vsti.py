# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions about the camera and what its frames show, against what was reckoned by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from question_scene import block, furnished, room, visit_all

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.video_tasks import VSTI_BENCH
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.world.questions.camera_distances import camera_distance, nearest_to_camera
from loc3r_ros.world.questions.distances import distance_to_points
from loc3r_ros.world.questions.egomotion import DIRECTIONS, displacement, ways
from loc3r_ros.world.questions.relative_positions import BEFORE, relative_position
from loc3r_ros.world.questions.views import Views
from loc3r_ros.world.questions.visit import find_boxes
from loc3r_ros.world.questions.vsti import VSTI_TASKS, vsti_questions
from loc3r_ros.world.robot import optical_poses
from loc3r_ros.world.tour import Tour

FRAMES = 20
"""Frames of a made-up visit."""


def rng():
    return np.random.default_rng(7)


def looking(x, y, degrees, *, z=0.5, down=0.0):
    """T_map_optical of a camera at a place, turned left from x and tilted down."""
    turned = exp_so3((0.0, 0.0, np.radians(degrees))) @ exp_so3((0.0, np.radians(down), 0.0))
    return pose(turned, (x, y, z)) @ T_BODY_OPTICAL


def views(*things, poses=None):
    """All things seen in every frame, by a camera at the origin that looks along x."""
    poses = [looking(0, 0, 0)] * FRAMES if poses is None else poses
    return Views.of(replace(visit_all(room(*things)), T_map_optical=np.array(poses)))


def right(question):
    return dict(option.split('. ') for option in question.options)[question.answer]


@pytest.mark.parametrize(
    ('point', 'distance'),
    [((2, 0, 0.2), 1.8), ((0, 0, 0.1), 0.0), ((0.5, 0.6, 0.4), 0.5), ((0, 0.2, 1.4), 1.0)],
)
def test_the_distance_of_a_point(point, distance):
    away = distance_to_points(block('a', 1, (0, 0)), np.array([point, (0, 0, 2.4)], float))
    assert away == pytest.approx([distance, 2.0])


def test_distances_are_from_where_the_camera_is():
    # A camera at (1, 2) that looks back along x: -R^T t would put it at (1, 2) turned by half.
    poses = [looking(1, 2, 180, z=0.2)] * FRAMES
    seen = views(('sofa', (-1, 2)), ('bed', (1, -1)), poses=poses)
    assert seen.distances[0] == pytest.approx([1.8, 2.8])
    said = {q.text.split(' of the ')[1]: q.answer for q in camera_distance(seen, rng(), 99)}
    assert said['sofa in frame 1 of 20?'] == '1.8'
    assert said['bed in frame 20 of 20?'] == '2.8'


def test_what_a_frame_leaves_open_is_not_named():
    visit = visit_all(
        room(('chair', (1, 0)), ('chair', (2, 0)), ('table', (3, 0)), ('books', (3, 1)))
    )
    visit.pixels[3, 2] = 0  # the other chair is out of sight
    visit.pixels[4, 3] = 3  # the table is hardly seen
    seen = Views.of(replace(visit, T_map_optical=np.array([looking(0, 0, 0)] * FRAMES)))
    assert [thing.instance for thing in seen.things] == [1, 3]
    assert seen.shown[:, 0].nonzero()[0].tolist() == [3]
    assert (~seen.shown[:, 1]).nonzero()[0].tolist() == [4]
    both = views(('table', (1, 0)), ('coffee table', (2, 0)))
    assert [thing.category for thing in both.things] == ['coffee table']


def test_without_poses_nothing_is_asked():
    with pytest.raises(InputError, match='T_map_optical'):
        vsti_questions(visit_all(room(('sofa', (0, 0)))), 1)
    with pytest.raises(InputError, match=r'\(3, 4, 4\): expected \(20, 4, 4\)'):
        replace(visit_all(room(('sofa', (0, 0)))), T_map_optical=np.zeros((3, 4, 4)))


def test_displacement_is_straight_and_between_far_frames():
    # One metre out and back: two frames may be 0.1 m apart, and that is not asked.
    x = 0.1 * np.minimum(np.arange(FRAMES), FRAMES - np.arange(FRAMES))
    seen = views(('sofa', (2, 0)), poses=[looking(at, 0, 0) for at in x])
    found = displacement(seen, rng(), 999)
    for question in found:
        last, first = (
            int(part.split()[0].rstrip('?')) - 1 for part in question.text.split('frame ')[1:]
        )
        assert 4 <= last - first <= 18
        assert float(question.answer) == pytest.approx(abs(x[last] - x[first]))
        assert float(question.answer) >= 0.2
    assert len(found) > 50


@pytest.mark.parametrize(
    ('degrees', 'way'),
    [(0, 'Forward'), (-90, 'Left'), (180, 'Backward'), (90, 'Right'), (-30, 'Forward')],
)
@pytest.mark.parametrize('down', [0, 40])
def test_the_way_the_camera_goes(degrees, way, down):
    """It goes 1.2 m along x, facing somewhere."""
    there = [looking(0, 0, degrees, down=down), looking(1.2, 0, 77)]
    assert DIRECTIONS[way_of(there)] == way


def way_of(poses):
    return int(ways(np.array(poses), np.array([0]), np.array([len(poses) - 1]))[0])


def test_ways_in_doubt():
    assert way_of([looking(0, 0, 38), looking(1.6, 0, 0)]) == -1  # between forward and right
    assert way_of([looking(0, 0, 0), looking(0.9, 0, 0)]) == -1  # too short
    assert way_of([looking(0, 0, 0, down=70), looking(1.6, 0, 0)]) == -1  # 'forward' is the floor
    detour = [looking(0, 0, 0), looking(0.75, 1.2, 0), looking(1.5, 0, 0)]
    assert way_of(detour) == -1
    assert DIRECTIONS[way_of([detour[0], looking(0.75, 0.5, 0), detour[2]])] == 'Forward'


def compared(axis, a, b, **camera):
    """-1 where the first thing comes first (near, left, up), 1 where the second does, 0 neither."""
    order = BEFORE[axis](views(a, b, poses=[looking(0, 0, 0, **camera)] * FRAMES))[0]
    return int(order[1, 0]) - int(order[0, 1])


SMALL = (0.2, 0.2, 0.2)


def test_near_and_far():
    near = ('sofa', (1, 0), SMALL)
    assert compared('nf', near, ('bed', (2, 0), SMALL)) == -1
    assert compared('nf', ('bed', (2, 0), SMALL), near) == 1
    assert compared('nf', near, ('bed', (1.3, 0), SMALL)) == 0  # 0.1 m between
    # Less deep, but at the side and so further off.
    assert compared('nf', near, ('bed', (0.6, 1.5), SMALL)) == 0
    assert compared('nf', near, ('bed', (-2, 0), SMALL)) == 0  # behind the camera


def test_left_and_right():
    left = ('sofa', (2, 1), SMALL)
    assert compared('lr', left, ('bed', (2, 0.5), SMALL)) == -1
    assert compared('lr', left, ('bed', (2, 0.7), SMALL)) == 0  # 0.1 m between
    # 1.4 m further right, in metres: but far off, and so further left in the image.
    assert compared('lr', ('rug', (1, -1), SMALL), ('bed', (8, -2.4), SMALL)) == 0


def test_up_and_down():
    low = ('sofa', (2, 0), SMALL)
    assert compared('ud', ('clock', (2, 0, 0.5), SMALL), low) == -1
    assert compared('ud', low, ('clock', (2, 0, 0.3), SMALL)) == 0  # 0.1 m between
    # A camera that looks down sees what is far higher, but it is not.
    far = ('bed', (5, 0), SMALL)
    assert compared('ud', low, far, z=1.0, down=30.0) == 0
    assert compared('ud', low, ('clock', (5, 0, 1.5), SMALL), z=1.0, down=30.0) == 1


def test_answers_say_what_is_so():
    things = [('sofa', (1, 1), SMALL), ('bed', (2.5, -1), SMALL), ('clock', (4, 0, 1), SMALL)]
    pairs = {('sofa', 'bed'): 'Near', ('bed', 'clock'): 'Near', ('sofa', 'clock'): 'Near'}
    found = relative_position(views(*things), rng(), 40, 'nf')
    for question in found:
        a, b = (question.text.split(f'{word} the ')[1].split('?')[0] for word in ('is', 'with'))
        a = a.split(' near')[0]
        assert right(question) == pairs.get((a, b), 'Far')
    assert Counter(right(q) for q in found) == {'Near': 20, 'Far': 20}
    assert Counter(q.answer for q in found) == {'A': 20, 'B': 20}


@pytest.mark.parametrize(('version', 'options'), [(1, 4), (2, 3), (3, 2)])
def test_the_nearest_to_the_camera(version, options):
    things = {'sofa': 0.4, 'bed': 0.8, 'rug': 1.2, 'door': 1.6, 'box': 2.0, 'lamp': 2.1}
    at = [(name, (x + 0.1, 0, 0.4), SMALL) for name, x in things.items()]
    found = nearest_to_camera(views(*at), rng(), 8, version)
    assert len(found) == 8
    for question in found:
        names = [option[3:] for option in question.options]
        assert len(names) == options
        assert 'sofa' not in names  # 0.4 m is too near
        assert not {'box', 'lamp'} <= set(names)  # 0.1 m between
        assert right(question) == min(names, key=things.__getitem__)


def test_boxes_of_pixels():
    image = np.zeros((2, 4, 6), int)
    image[0, 1:3, 2] = image[0, 2, 5] = 2
    image[1] = 1
    boxes = find_boxes(image, 2).tolist()
    assert boxes == [
        [[0, 0, 6, 4], [0, 0, 0, 0], [2, 1, 6, 3]],
        [[0, 0, 0, 0], [0, 0, 6, 4], [0, 0, 0, 0]],
    ]


@pytest.fixture(scope='module')
def questions():
    found = []
    for seed in range(4):
        scene, tour = furnished(seed), Tour(furnished(seed))
        poses = optical_poses(tour.poses(np.linspace(0.0, tour.duration, FRAMES)))
        found.append(vsti_questions(replace(visit_all(scene), T_map_optical=poses), 12))
    return found


def test_every_type_is_asked(questions):
    counts = Counter(q.task for found in questions for q in found)
    assert set(counts) == set(VSTI_BENCH.types) == set(VSTI_TASKS)
    assert counts.pop('camera_movement_direction') >= 12
    assert set(counts.values()) == {48}, counts


def test_letters_and_ways_are_even(questions):
    for task in set(VSTI_BENCH.types) - VSTI_BENCH.numbers:
        for found in questions:
            asked = [q for q in found if q.task == task]
            letters = Counter(q.answer for q in asked)
            ways = Counter(right(q) for q in asked)
            options = len(asked[0].options) if asked else 1
            assert max(letters.values(), default=0) <= np.ceil(len(asked) / options), task
            if task == 'camera_movement_direction' or 'relative_pos' in task:
                assert max(ways.values(), default=0) <= np.ceil(len(asked) / options), task


def test_knowing_what_is_often_near_is_of_no_use(questions):
    """The best guess by name alone: of the options, the one most often right when offered."""
    for version in (1, 2, 3):
        asked = [q for found in questions for q in found if q.task.endswith(f'dist_v{version}')]
        offered = Counter(option[3:] for q in asked for option in q.options)
        was_right = Counter(right(q) for q in asked)
        best = [
            max((o[3:] for o in q.options), key=lambda name: was_right[name] / offered[name])
            for q in asked
        ]
        share = np.mean([right(q) == name for q, name in zip(asked, best, strict=True)])
        print(f'v{version}: by names alone {100 * share:.0f} % of {len(asked)}')
        # Learnt from the very questions that it answers, it can only flatter.
        assert share <= 1 / len(asked[0].options) + 0.2


def test_the_seed_decides():
    scene, tour = furnished(0), Tour(furnished(0))
    poses = optical_poses(tour.poses(np.linspace(0.0, tour.duration, FRAMES)))
    visit = replace(visit_all(scene), T_map_optical=poses)
    assert vsti_questions(visit, 2) == vsti_questions(visit, 2)
    assert vsti_questions(visit, 2) != vsti_questions(visit, 2, seed=1)
