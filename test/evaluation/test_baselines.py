# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Blind answers, worked out by hand."""

from __future__ import annotations

from math import isnan

import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.baselines import chance_of_choice, frequent_answers
from loc3r_ros.evaluation.video_tasks import VSI_BENCH


def test_most_frequent_answer_per_type_and_median_of_numbers() -> None:
    types = ['route_planning'] * 3 + ['object_counting'] * 4 + ['room_size_estimation'] * 3
    answers = ['B', 'A', 'B', '2', '2', '3', '8', '10.5', '20', '100']
    found = frequent_answers(types, answers, VSI_BENCH.numbers)
    assert found == {
        'route_planning': 'B',
        'object_counting': '2.5',
        'room_size_estimation': '20.0',
    }
    assert VSI_BENCH.score('room_size_estimation', found['room_size_estimation'], '20') == 1.0


def test_ties_go_to_the_first_in_the_alphabet() -> None:
    assert frequent_answers(['is'] * 4, ['yes', 'no', 'yes', 'no']) == {'is': 'no'}


def test_numbers_and_lengths_are_checked() -> None:
    with pytest.raises(InputError, match="'two' of object_counting"):
        frequent_answers(['object_counting'], ['two'], VSI_BENCH.numbers)
    with pytest.raises(InputError, match='one each'):
        frequent_answers(['is'], [])


def test_chance_of_a_letter() -> None:
    assert chance_of_choice(['AB', 'ABCD', 'ABCD']) == pytest.approx((0.5 + 0.25 + 0.25) / 3)
    assert isnan(chance_of_choice([]))
    with pytest.raises(InputError, match='no choice'):
        chance_of_choice(['AB', ''])
