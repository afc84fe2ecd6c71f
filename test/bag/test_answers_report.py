# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Answers in the report and on the picture of the map: the right places, sizes and words."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from scripted_engine import ScriptedEngine, agent_at, hall, step_at

from loc3r_ros import geometry
from loc3r_ros.answers.grading import Truth
from loc3r_ros.bag.report.agent_marks import (
    agent_marks,
    ellipse_of,
    fan_of,
    marks_layer,
    positions_of,
)
from loc3r_ros.bag.report.answers import answers_section
from loc3r_ros.bag.report.map_picture import map_picture, write_map_picture
from loc3r_ros.bag.report.map_view import MapView
from loc3r_ros.bag.witness import Witness
from loc3r_ros.errors import InputError

SIGMA_YAW = 0.2
COVARIANCE = np.diag([0.09, 0.04, 1.0, 1.0, 1.0, SIGMA_YAW**2])


def replies():
    """An agent, a goal, a refusal, and an answer that was asked from the camera."""
    engine = ScriptedEngine()
    engine.agent = agent_at(1.0, 2.0, np.pi / 2, COVARIANCE, confidence=0.62)
    witness = Witness(lambda _pose, _grid: engine)
    witness.see(5_000_000_000, step_at(x=-1.0))
    witness.know(5_000_000_000, hall())
    answering = witness.answering
    return [
        answering.localize('I stand at the <sink>'),
        answering.ask('go to 2.0 -1.5', ''),
        answering.ask('go to the moon', ''),
        answering.ask('what is this?', ''),
    ]


def test_an_ellipse_of_two_sigma_lies_along_the_covariance():
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    outline = ellipse_of(turn @ np.diag([0.09, 0.01]) @ turn.T) @ turn
    assert np.abs(outline).max(0) == pytest.approx([0.6, 0.2], rel=1e-2)
    np.testing.assert_allclose((outline / [0.6, 0.2]) ** 2 @ [1, 1], 1.0)
    assert np.abs(ellipse_of(np.diag([1e4, 0.0]))).max(0) == pytest.approx([5.0, 0.0], abs=1e-9)


def test_a_fan_of_two_sigma_opens_around_the_heading():
    rim = fan_of(0.5, 0.1)[1:-1]
    angles = np.arctan2(rim[:, 1], rim[:, 0])
    assert (angles.min(), angles.max()) == pytest.approx((0.3, 0.7))
    whole = fan_of(0.5, 1.8)[1:-1]
    np.testing.assert_allclose(whole[0], whole[-1], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 0.8)


def test_only_what_was_asked_for_is_marked():
    agent, goal = agent_marks(replies())
    assert (agent.number, agent.is_goal) == (1, False)
    np.testing.assert_allclose(agent.position, (1.0, 2.0), atol=1e-12)
    assert agent.yaw == pytest.approx(np.pi / 2)
    np.testing.assert_allclose(agent.ellipse.mean(0), (1.0, 2.0), atol=0.02)
    assert (goal.number, goal.is_goal) == (2, True)
    np.testing.assert_allclose(goal.position, (2.0, -1.5), atol=1e-9)


def test_the_table_has_question_answer_confidence_and_time():
    section = answers_section(replies())
    rows = rows_of(section)
    assert [row[0] for row in rows] == [
        'I stand at the &lt;sink&gt; Where am I?',
        'go to 2.0 -1.5',
        'go to the moon',
        'what is this?',
    ]
    assert 'x = 1.00 m, y = 2.00 m' in rows[0][1] and rows[0][2] == '62 %'
    assert rows[2][1] == 'there is no such thing' and rows[3][2] == '–'
    assert all(re.fullmatch(r'\d+\.\d\d s', row[3]) for row in rows)
    assert section.count('unanswered') == 1 and 'Answered by: scripted' in section
    assert answers_section([]) == ''


def rows_of(section: str) -> list[list[str]]:
    """The cells of a table as text."""
    rows = re.findall(r'<tr.*?</tr>', section)[1:]
    cells = [re.findall(r'<td[^>]*>(.*?)</td>', row) for row in rows]
    return [[' '.join(re.sub(r'<[^>]+>', ' ', cell).split()) for cell in row] for row in cells]


def graded():
    """A place that is a little off, a wrong answer, and what nobody knows the truth of."""
    place, _, _, words = replies()
    place.truth = Truth('pose', pose=(1.0, 1.0, np.pi / 2))
    words.truth = Truth('choice', 'B', 'B. a <lamp>')
    told = [place, words, *replies()[3:]]
    return told, [reply.grade(geometry.pose(np.eye(3), (0.3, 0.6, 0.0))) for reply in told]


def test_answers_stand_beside_the_truth_and_wrong_ones_are_called_wrong():
    told, grades = graded()
    section = answers_section(told, grades)
    place, words, other = rows_of(section)
    assert place[1] == 'x = 1.00 m, y = 2.00 m, facing 90°'
    assert place[2] == 'x = 1.30 m, y = 1.60 m, facing 90° 0.50 m and 0° off'
    assert (place[3], words[3], other[3]) == ('right', 'wrong', '')
    assert words[2] == 'B. a &lt;lamp&gt;' and other[2] == '–'
    assert '1 of 2 right: 0 of 1 answers, 1 of 1 places' in section


def test_the_map_shows_where_they_truly_are_tied_to_where_they_were_told_to_be():
    marks = agent_marks(*graded())
    assert [(mark.number, mark.true) for mark in marks] == [
        (1, pytest.approx((1.3, 1.6, np.pi / 2)))
    ]
    view = MapView(0.0, 0.0, 4.0, 4.0)
    drawn = marks_layer(view, marks)
    assert f'd="M{200:.1f},{400:.1f} {260:.1f},{480:.1f}"' in drawn, 'from told to true'
    assert drawn.count('<circle') == 2 and 'cx="260.0" cy="480.0"' in drawn
    np.testing.assert_allclose(positions_of(marks), [(1.0, 2.0), (1.3, 1.6)], atol=1e-12)


def test_the_window_reaches_for_places_but_not_for_far_ones():
    points = np.array([[-1.0, -1.0], [1.0, 1.0]])
    near = MapView.around(points, np.array([[3.0, 0.0]]))
    assert near.left < -1.0 and near.right > 3.0
    far = MapView.around(points, np.array([[500.0, 0.0]]))
    assert far.right - far.left < 12.0
    assert MapView.around(points, np.zeros((0, 2))) == MapView.around(points)


def test_the_picture_shows_the_map_and_the_marks_where_they_are(tmp_path):
    grid, track = hall(((3.0, 3.0), (3.5, 3.5))), np.tile(np.eye(4), (20, 1, 1))
    track[:, 0, 3] = np.linspace(-3.0, 3.0, 20)
    told = replies()
    picture = map_picture(grid, track, told)
    assert picture.shape[1:] == (800, 3)
    corners = np.array([[-4.0, -4.0], [4.0, 4.0]])
    view = MapView.around(
        np.concatenate([track[:, :2, 3], corners]), positions_of(agent_marks(told))
    )

    def pixel(x: float, y: float):
        u, v = view(np.array([x, y])).astype(int)
        return tuple(int(c) for c in picture[v, u])

    assert pixel(3.25, 3.25) == (57, 48, 43) and pixel(-2.0, -2.0) == (255, 255, 255)
    assert pixel(-4.2, 0.0) == (226, 229, 228), 'beside the map nothing is known'
    assert pixel(0.0, 0.0) == (192, 111, 29), 'the trajectory'
    inside, outside = pixel(1.5, 1.9), pixel(1.7, 1.9)
    assert inside != (255, 255, 255) == outside, 'two sigma along x are 0.6 m'
    write_map_picture(tmp_path / 'map.png', grid, track, told)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'map.png')), picture)
    with pytest.raises(InputError, match='cannot write'):
        write_map_picture(tmp_path / 'no' / 'map.png', grid, track, told)
