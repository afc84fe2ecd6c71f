# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Replies beside what is true: scores of the benchmarks, distances, and what counts as right."""

from __future__ import annotations

from math import isnan, pi, radians

import numpy as np
import pytest

from loc3r_ros.answers.grading import Truth, grade, tally, told_tally
from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.types import AgentPose
from loc3r_ros.vlm.agent import nowhere

TURN = pose(exp_so3((0.0, 0.0, pi / 2)), (3.0, -1.0, 0.0))
"""Of the ground truth in `map`."""

NOBODY = nowhere('nobody was asked for')


def stands(x: float, y: float, yaw: float) -> AgentPose:
    return AgentPose(True, pose(exp_so3((0.0, 0.0, yaw)), (x, y, 0.0)), np.eye(6))


@pytest.mark.parametrize(
    ('truth', 'told', 'score', 'right'),
    [
        (Truth('choice', 'B'), 'b.', 1.0, True),
        (Truth('choice', 'B'), 'A', 0.0, False),
        (Truth('number', '4'), '4', 1.0, True),
        (Truth('number', '4'), '3', 0.6, True),
        (Truth('number', '4'), '2.5', 0.3, False),
        (Truth('number', '4'), 'several', 0.0, False),
        (Truth('words', 'in front'), 'In front.', 1.0, True),
        (Truth('words', 'in front'), 'in front of me', 0.0, False),
        (Truth('words', 'yes'), '', 0.0, False),
    ],
)
def test_answers_are_scored_as_the_benchmarks_do(truth, told, score, right):
    found = grade(truth, told, NOBODY, None)
    assert (found.score, found.is_right) == (pytest.approx(score), right)
    assert not found.is_place and found.true_pose is None


@pytest.mark.parametrize(
    ('shift', 'turn', 'right'),
    [(0.9, 29.0, True), (1.1, 0.0, False), (0.0, 31.0, False), (0.0, 359.0, True)],
)
def test_a_place_is_right_within_a_metre_and_thirty_degrees(shift, turn, right):
    """(2, 1) in the truth's frame is (2, 1) in `map`: turned to (-1, 2), moved by (3, -1)."""
    truth = Truth('pose', pose=(2.0, 1.0, 3.0))
    yaw = 3.0 + pi / 2 + radians(turn)
    found = grade(truth, '', stands(2.0, 1.0 + shift, yaw), TURN)
    assert found.is_right == right and found.score == float(right)
    assert found.distance_m == pytest.approx(shift, abs=1e-9)
    assert found.angle_rad == pytest.approx(radians(min(turn, 360 - turn)), abs=1e-9)
    assert found.true_pose == pytest.approx((2.0, 1.0, 3.0 - 1.5 * pi))
    assert found.record()['distance_m'] == found.distance_m


def test_a_place_that_was_not_told_is_wrong_and_one_without_a_frame_is_not_graded():
    truth = Truth('pose', pose=(2.0, 1.0, 0.0))
    found = grade(truth, '', NOBODY, TURN)
    assert not found.is_right and isnan(found.distance_m) and found.off == 'no place told'
    assert grade(truth, '', stands(2.0, 1.0, 0.0), None) is None


def test_the_tally_counts_answers_and_places():
    place, answer = Truth('pose', pose=(0.0, 0.0, 0.0)), Truth('choice', 'A')
    told = [
        grade(place, '', stands(3.0, -1.0, pi / 2), TURN),
        grade(place, '', NOBODY, TURN),
        grade(answer, 'A', NOBODY, TURN),
        None,
    ]
    assert told_tally(tally(told)) == '2 of 3 right: 1 of 1 answers, 1 of 2 places'
