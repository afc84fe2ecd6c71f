# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Answers of VSI-Bench and VSTI-Bench against scores worked out by hand."""

from __future__ import annotations

from math import isnan

import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.video_tasks import (
    MRA_THRESHOLDS,
    VSI_BENCH,
    VSTI_BENCH,
    choice_accuracy,
    mean_relative_accuracy,
    parse_answer,
    parse_number,
)


@pytest.mark.parametrize(
    ('text', 'read'),
    [
        ('B', 'B'),
        ('b. towel', 'b'),
        (' C.', 'C'),
        ('The answer is B', 'The'),
        ('2.5 m', '2.5'),
        ('3.', '3'),
        ('', ''),
    ],
)
def test_answer_ends_at_the_first_space(text: str, read: str) -> None:
    assert parse_answer(text) == read


def test_choice_ignores_case_and_nothing_else() -> None:
    assert choice_accuracy('b.', 'B') == 1.0
    assert choice_accuracy('B. towel', 'B') == 1.0
    assert choice_accuracy('(B)', 'B') == 0.0
    assert choice_accuracy('', 'B') == 0.0


def test_there_are_ten_thresholds() -> None:
    expected = [0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95]
    assert MRA_THRESHOLDS.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ('prediction', 'truth', 'score'),
    [
        (10.0, 10.0, 1.0),
        (10.3, 10.0, 1.0),  # 3 % off: below 5 %
        (10.7, 10.0, 0.9),  # 7 % off: misses 0.95
        (13.3, 10.0, 0.4),  # 33 % off: 0.50 0.55 0.60 0.65
        (3.0, 2.0, 0.1),  # 50 % off: the first threshold, which it meets exactly
        (2.0, 1.0, 0.0),  # 100 % off
        (0.6, 1.0, 0.3),  # 40 % off: 0.50 0.55 0.60
        (None, 1.0, 0.0),
        (float('nan'), 1.0, 0.0),
        (float('inf'), 1.0, 0.0),
        (4.0, 5.0, 0.6),  # exactly 20 % off: the published script's rounding, see MRA_THRESHOLDS
    ],
)
def test_mean_relative_accuracy(prediction: float | None, truth: float, score: float) -> None:
    assert mean_relative_accuracy(prediction, truth) == pytest.approx(score)


@pytest.mark.parametrize('truth', [0.0, -1.0, float('nan'), float('inf')])
def test_relative_accuracy_refuses_a_truth_without_size(truth: float) -> None:
    with pytest.raises(InputError, match='positive'):
        mean_relative_accuracy(1.0, truth)


def test_words_are_no_number() -> None:
    assert parse_number('two') is None
    assert parse_number('2m') is None
    assert parse_number('1.5 metres') == 1.5


def test_score_follows_the_question_type() -> None:
    assert VSI_BENCH.score('object_counting', '3 chairs', '2') == pytest.approx(0.1)
    assert VSI_BENCH.score('object_counting', 'two', '2') == 0.0
    assert VSI_BENCH.score('route_planning', 'd', 'D') == 1.0
    assert VSTI_BENCH.score('camera_displacement', '1.07', '1.0') == pytest.approx(0.9)
    assert VSTI_BENCH.score('camera_obj_rel_dist_v2', 'A', 'B') == 0.0


def test_score_names_what_is_wrong() -> None:
    with pytest.raises(InputError, match=r"'colour'.*VSI-Bench.*route_planning"):
        VSI_BENCH.score('colour', 'A', 'A')
    with pytest.raises(InputError, match="'many'"):
        VSI_BENCH.score('object_counting', '3', 'many')


def test_direction_levels_are_averaged_before_the_tasks() -> None:
    types = [t for t in VSI_BENCH.types if not t.startswith('object_rel_direction')]
    types += ['object_rel_direction_easy'] * 3
    types += [
        'object_rel_direction_medium',
        'object_rel_direction_hard',
        'object_rel_direction_hard',
    ]
    scores = [0.8] * 7 + [1.0, 1.0, 1.0, 0.0, 1.0, 0.0]
    summary = VSI_BENCH.summarize(types, scores)
    assert len(VSI_BENCH.tasks) == 8
    assert summary.per_type['object_rel_direction_hard'] == 0.5
    assert summary.per_task['object_rel_direction'] == pytest.approx((1.0 + 0.0 + 0.5) / 3)
    assert summary.overall == pytest.approx((7 * 0.8 + 0.5) / 8)


def test_vsti_has_five_groups() -> None:
    summary = VSTI_BENCH.summarize(
        [
            'camera_displacement',
            'camera_obj_abs_dist',
            'camera_movement_direction',
            'obj_obj_relative_pos_nf',
            'obj_obj_relative_pos_lr',
            'camera_obj_rel_dist_v1',
        ],
        [0.5, 0.5, 1.0, 1.0, 0.0, 1.0],
    )
    assert summary.per_task['obj_obj_relative_pos'] == 0.5
    assert summary.overall == pytest.approx((0.5 + 0.5 + 1.0 + 0.5 + 1.0) / 5)


def test_a_missing_task_leaves_no_overall_score() -> None:
    summary = VSI_BENCH.summarize(['route_planning', 'object_counting'], [1.0, 0.5])
    assert summary.per_type == {'object_counting': 0.5, 'route_planning': 1.0}
    assert isnan(summary.per_task['object_rel_direction'])
    assert isnan(summary.overall)


def test_summary_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match='one each'):
        VSI_BENCH.summarize(['route_planning'], [1.0, 0.0])
    with pytest.raises(InputError, match="'colour'"):
        VSI_BENCH.summarize(['colour'], [1.0])
