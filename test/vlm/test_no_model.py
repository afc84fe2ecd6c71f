# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Without a model: what geometry tells, in numbers, and what it says of the rest."""

import numpy as np
import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.types import OccupancyGrid, TrackedPose, TrackingState
from loc3r_ros.vlm.engine import MAX_CHARACTERS, NoAnswerError, checked, checked_situation
from loc3r_ros.vlm.no_model import NoModel


def tracked(x=1.2, y=-0.35, z=0.6, yaw=30.0, pitch=20.0, state=TrackingState.TRACKING):
    """A camera that looks down by its pitch, degrees."""
    turn = exp_so3((0, 0, np.radians(yaw))) @ exp_so3((0, np.radians(pitch), 0))
    T = pose(turn, (x, y, z)) @ T_BODY_OPTICAL
    return TrackedPose(3.0, T, np.diag([9e-4, 16e-4, 1e-4, 1e-5, 1e-5, 1e-5]), state)


def engine(pose=None, grid=None):
    return NoModel(lambda: pose, lambda: grid)


def test_the_camera_stands_upright_where_it_is_tracked():
    found = engine(tracked()).localize('')
    assert found.found
    np.testing.assert_allclose(found.T_map_agent[:3, 3], (1.2, -0.35, 0.6))
    np.testing.assert_allclose(found.T_map_agent[:3, 2], (0, 0, 1), atol=1e-12)
    heading = np.degrees(np.arctan2(found.T_map_agent[1, 0], found.T_map_agent[0, 0]))
    assert heading == pytest.approx(30.0)
    np.testing.assert_allclose(found.covariance, tracked().covariance)


@pytest.mark.parametrize(
    'question', ['where am I?', 'Robot, where are you', 'tell me your position']
)
def test_where_am_i_is_told_in_words(question):
    text = ''.join(engine(tracked()).ask(question))
    assert 'x = 1.20 m, y = -0.35 m' in text and 'facing 30 degrees' in text
    assert 'about 0.05 m' in text, 'the root of 9e-4 + 16e-4'


@pytest.mark.parametrize(
    ('pose', 'said'),
    [
        (None, 'not tracked yet'),
        (tracked(state=TrackingState.INITIALISING), 'not tracked yet'),
        (tracked(state=TrackingState.LOST), 'last at (1.20, -0.35)'),
    ],
)
def test_a_pose_that_is_not_known_is_not_given(pose, said):
    found = engine(pose).localize('')
    assert not found.found and said in found.reason
    with pytest.raises(NoAnswerError, match=r'.*'.join(said.split()[:1])):
        engine(pose).ask('where am I?')


def test_how_much_is_mapped_is_counted():
    data = np.full((40, 60), -1, np.int8)
    data[10:30, 20:40] = 0
    data[10:30, 40] = 100
    grid = OccupancyGrid(0.0, data, 0.1, (0.0, 0.0))
    text = ''.join(engine(grid=grid).ask('How much has been mapped?'))
    assert text == (
        '4.2 square metres have been mapped: 4.0 free, 0.2 occupied, within 2.1 by 2.0 m.'
    )
    with pytest.raises(NoAnswerError, match='nothing has been mapped'):
        engine().ask('how big is the map?')


def test_words_come_one_by_one_and_join_to_the_text():
    words = list(engine(tracked()).ask('where am I?'))
    assert len(words) > 10 and all(len(word.split()) == 1 for word in words)


@pytest.mark.parametrize(
    ('text', 'xy'),
    [
        ('1.5 -2.0', (1.5, -2.0)),
        ('1.5, -2', (1.5, -2.0)),
        ('(-.5;3.)', (-0.5, 3.0)),
        ('x=1 y=2', (1.0, 2.0)),
        ('1.5 m, 2 m', (1.5, 2.0)),
        ('X: 4, Y: 5', (4.0, 5.0)),
    ],
)
def test_coordinates_are_a_target(text, xy):
    found = engine().ground(text)
    assert found.found
    np.testing.assert_array_equal(found.position, (*xy, 0.0))


@pytest.mark.parametrize(
    'text', ['the red chair', '1.5', '1 2 3', '1,5 -2,0', 'nan nan', '1e400 2']
)
def test_words_are_no_target(text):
    found = engine().ground(text)
    assert not found.found and 'no model loaded' in found.reason


def test_a_target_beyond_every_map_is_refused():
    found = engine().ground('1000000 0')
    assert not found.found and 'metres' in found.reason


def test_other_words_are_answered_with_the_remedy():
    for question, situation in (('how far is the sofa?', ''), ('where am I?', 'at the sink')):
        with pytest.raises(NoAnswerError, match='no model loaded'):
            engine(tracked()).ask(question, situation)
    found = engine(tracked()).localize('I stand at the sink')
    assert not found.found and 'no model loaded' in found.reason


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('', 'empty'),
        (' \n\t', 'empty'),
        ('a' * (MAX_CHARACTERS + 1), '2001 characters; 2000'),
        ('a\x00b', 'control characters'),
    ],
)
def test_what_is_no_question_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        checked(text, 'question')
    if text.strip():
        with pytest.raises(InputError, match=said):
            checked_situation(text)


def test_a_question_loses_the_white_space_around_it():
    assert checked('  where?\n', 'question') == 'where?'
    assert checked_situation('  ') == ''
