# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Localization errors, accuracies and SQA3D's pose convention, worked out by hand."""

from __future__ import annotations

from math import inf, isnan, nan, pi, radians, sqrt

import numpy as np
import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.localization import (
    LocalizationErrors,
    chance_scores,
    localization_errors,
    localization_scores,
    sqa3d_agent,
    yaw_of,
)


def test_errors_of_one_guess() -> None:
    errors = localization_errors(
        [[[3.0, 4.0]], [[1.0, 1.0]]],
        [[radians(175)], [0.5]],
        [[0.0, 0.0], [1.0, 0.25]],
        [radians(-175), 0.5 + 4 * pi],
    )
    assert errors.distance == pytest.approx([5.0, 0.75])
    assert errors.angle == pytest.approx([radians(10), 0.0], abs=1e-12)


def test_the_best_of_three_guesses_counts_for_place_and_heading_apart() -> None:
    errors = localization_errors(
        [[[0.1, 0.0], [2.0, 0.0], [5.0, 0.0]]], [[pi, 0.2, 1.0]], [[0.0, 0.0]], [0.0]
    )
    assert errors.distance == pytest.approx([0.1])
    assert errors.angle == pytest.approx([0.2])


def test_a_guess_that_was_not_made_is_missed() -> None:
    errors = localization_errors(
        [[[nan, nan], [0.3, 0.0]], [[nan, nan], [nan, nan]]],
        [[nan, 0.1], [nan, nan]],
        np.zeros((2, 2)),
        np.zeros(2),
    )
    assert errors.distance.tolist() == [0.3, inf]
    assert errors.angle.tolist() == [0.1, inf]
    assert localization_scores(errors).within_m == {0.5: 0.5, 1.0: 0.5}


def test_thresholds_must_be_undercut() -> None:
    errors = LocalizationErrors(
        np.array([0.5, 0.499, 1.0, 0.999]), np.deg2rad([15.0, 14.9, 30.0, 29.9])
    )
    scores = localization_scores(errors)
    assert scores.within_m == {0.5: 0.25, 1.0: 0.75}
    assert scores.within_deg == {15.0: 0.25, 30.0: 0.75}
    assert scores.median_m == pytest.approx((0.5 + 0.999) / 2)
    assert scores.median_deg == pytest.approx((15.0 + 29.9) / 2)


def test_no_situation_has_no_score() -> None:
    scores = localization_scores(LocalizationErrors(np.zeros(0), np.zeros(0)))
    assert isnan(scores.within_m[0.5])
    assert isnan(scores.median_deg)


def test_shapes_and_truth_are_checked() -> None:
    with pytest.raises(InputError, match='K = 1'):
        localization_errors(np.zeros((2, 2)), np.zeros(2), np.zeros((2, 2)), np.zeros(2))
    with pytest.raises(InputError, match='not finite'):
        localization_errors(np.zeros((1, 1, 2)), [[0.0]], [[nan, 0.0]], [0.0])


def test_chance_is_the_share_of_the_room() -> None:
    n = 200
    scores = chance_scores(np.zeros((n, 2)), np.full((n, 2), -2.0), np.full((n, 2), 2.0))
    assert scores.within_m[0.5] == pytest.approx(pi * 0.25 / 16, abs=0.005)  # 4.9 %
    assert scores.within_m[1.0] == pytest.approx(pi / 16, abs=0.01)  # 19.6 %
    assert scores.within_deg[15.0] == pytest.approx(30 / 360, abs=0.005)
    assert scores.within_deg[30.0] == pytest.approx(60 / 360, abs=0.008)
    again = chance_scores(np.zeros((n, 2)), np.full((n, 2), -2.0), np.full((n, 2), 2.0))
    assert again == scores


@pytest.mark.parametrize(
    ('quaternion', 'forward', 'left'),
    [
        ((0.0, 0.0, 0.0, 1.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
        ((0.0, 0.0, sqrt(0.5), sqrt(0.5)), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)),  # yaw 90 degrees
        ((0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),  # yaw 180 degrees
    ],
)
def test_an_agent_of_sqa3d_faces_minus_x_at_the_identity(
    quaternion: tuple[float, ...], forward: tuple[float, ...], left: tuple[float, ...]
) -> None:
    T = sqa3d_agent([1.0, 2.0, 0.0], quaternion)
    assert T[:3, 0] == pytest.approx(forward)
    assert T[:3, 1] == pytest.approx(left)
    assert T[:3, 3] == pytest.approx([1.0, 2.0, 0.0])
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1.0)
    assert np.cos(yaw_of(T)) == pytest.approx(forward[0])
    assert np.sin(yaw_of(T)) == pytest.approx(forward[1])
