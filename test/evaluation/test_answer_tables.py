# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Tables of answers, against figures by hand."""

from __future__ import annotations

import pytest
from evaluation.episodes import episode

from loc3r_ros.evaluation.answer_tables import situated_table, video_table
from loc3r_ros.evaluation.bootstrap import Interval
from loc3r_ros.evaluation.episode import Reply
from loc3r_ros.evaluation.table import Table
from loc3r_ros.evaluation.video_tasks import VSI_BENCH, VSTI_BENCH

CHOICES = (
    'object_rel_distance',
    'object_rel_direction_easy',
    'object_rel_direction_medium',
    'object_rel_direction_hard',
    'route_planning',
    'obj_appearance_order',
)


def replies(number: str, letter: str) -> list[Reply]:
    """One question of each type; 10 and A are right."""
    return [
        *(Reply(task, '10', number) for task in sorted(VSI_BENCH.numbers)),
        *(Reply(task, 'A', letter, 2 if task.endswith('easy') else 4) for task in CHOICES),
    ]


def value(table: Table | None, row: str, column: str) -> float:
    assert table is not None
    cell = table.rows[row][table.columns.index(column)]
    assert isinstance(cell, Interval)
    return cell.value


def test_tasks_their_mean_and_the_lead() -> None:
    episodes = [episode(0, (), replies('10', 'A')), episode(1, (), replies('9', 'B'))]
    frequent = dict.fromkeys(VSI_BENCH.numbers, '8.0') | dict.fromkeys(CHOICES, 'B')
    table = video_table(VSI_BENCH, episodes, frequent)
    # 9 of 10 is within 10 % (in floating point a little beyond that threshold: nine of ten left).
    nine, eight = VSI_BENCH.score('object_counting', '9', '10'), 60.0
    assert value(table, 'object_counting', 'model, %') == pytest.approx(50 + 50 * nine)
    assert value(table, 'object_counting', 'frequency, %') == pytest.approx(eight)
    assert value(table, 'route_planning', 'model, %') == 50
    assert value(table, 'route_planning', 'chance, %') == 25
    direction = 100 * (1 / 2 + 1 / 4 + 1 / 4) / 3
    assert value(table, 'object_rel_direction', 'chance, %') == pytest.approx(direction)
    mean = (4 * (50 + 50 * nine) + 4 * 50) / 8
    assert value(table, 'mean over the tasks', 'model, %') == pytest.approx(mean)
    assert value(table, 'mean over the tasks', 'frequency, %') == pytest.approx(eight / 2)
    assert value(table, 'lead over frequency', 'model, %') == pytest.approx(mean - eight / 2)
    assert table is not None
    assert table.rows['object_rel_direction'][0] == 6
    assert table.rows['object_counting'][3] is None  # a number has no chance


def test_a_mean_over_fewer_tasks_is_no_mean() -> None:
    table = video_table(VSI_BENCH, [episode(0, (), [Reply('route_planning', 'A', 'A', 4)])], {})
    assert value(table, 'route_planning', 'model, %') == 100
    assert value(table, 'route_planning', 'frequency, %') == 0  # no answer was learnt
    assert table is not None
    assert table.rows['mean over the tasks'] == (1, None, None, None)
    assert table.rows['object_counting'] == (0, None, None, None)


def test_nothing_asked_no_table() -> None:
    assert video_table(VSTI_BENCH, [episode(0, (), replies('1', 'A'))], {}) is None
    assert situated_table([episode(0, (), replies('1', 'A'))], {}) is None


def test_situated_answers_by_both_matches() -> None:
    said = [
        Reply('situated_what', 'chair', 'The chair.', 2),
        Reply('situated_what', 'chair', 'office chair'),
        Reply('situated_is', 'yes', 'no'),
    ]
    frequent = {'situated_what': 'table', 'situated_is': 'yes'}
    table = situated_table([episode(0, (), said), episode(1, (), said)], frequent)
    assert value(table, 'what', 'EM, %') == 50
    assert value(table, 'what', 'EM-R, %') == 100
    assert value(table, 'what', 'frequency, EM, %') == 0
    # One in two of what was offered, and nothing by 'table' where nothing was.
    assert value(table, 'what', 'guess, EM, %') == 25
    assert value(table, 'is', 'guess, EM, %') == 100
    assert value(table, 'is', 'EM, %') == 0
    assert value(table, 'is', 'frequency, EM-R, %') == 100
    assert value(table, 'all', 'EM, %') == pytest.approx(100 / 3)
    assert value(table, 'all', 'frequency, EM, %') == pytest.approx(100 / 3)
    assert table is not None
    assert [row[0] for row in table.rows.values()] == [4, 2, 0, 0, 0, 0, 6]
