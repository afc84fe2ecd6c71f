# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Effects of what is left out, where they are known."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation.episodes import episode, random_places

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.ablation import COLUMNS, ablation_tables
from loc3r_ros.evaluation.answer_tables import situated_table, video_table
from loc3r_ros.evaluation.bootstrap import Interval
from loc3r_ros.evaluation.episode import Episode, Reply
from loc3r_ros.evaluation.place_tables import localization_table
from loc3r_ros.evaluation.table import Table
from loc3r_ros.evaluation.video_tasks import VSI_BENCH


def run(seed: int, skill: float, scenes: int = 20) -> list[Episode]:
    """Answers of which this share is right, of all types; places by the way."""
    rng = np.random.default_rng(seed)
    episodes = []
    for scene in range(scenes):
        said = []
        for task in (*VSI_BENCH.types, 'situated_what'):
            truth, wrong = ('4', '400') if task in VSI_BENCH.numbers else ('A', 'B')
            for _ in range(int(rng.integers(1, 4))):
                said.append(Reply(task, truth, truth if rng.random() < skill else wrong, 4))
        episodes.append(episode(scene, random_places(rng, 6, 1 - skill), said))
    return episodes


def cell(table: Table, row: str, column: str) -> Interval:
    found = table.rows[row][table.columns.index(column)]
    assert isinstance(found, Interval)
    return found


def test_figures_are_those_of_the_other_tables() -> None:
    episodes = run(0, 0.6)
    table, _ = ablation_tables({'full': [episodes]})
    video, situated = video_table(VSI_BENCH, episodes, {}), situated_table(episodes, {})
    assert video is not None
    assert situated is not None
    assert cell(table, 'full', 'VSI, %').value == pytest.approx(
        cell(video, 'mean over the tasks', 'model, %').value
    )
    assert cell(table, 'full', 'situated EM, %').value == pytest.approx(
        cell(situated, 'all', 'EM, %').value
    )
    placed = localization_table(episodes).rows['model'][:4]
    for name, other in zip(list(COLUMNS)[:4], placed, strict=True):
        assert isinstance(other, Interval)
        assert cell(table, 'full', name).value == pytest.approx(other.value)
    assert table.rows['full'][list(COLUMNS).index('VSTI, %')] is None  # nothing of it was asked


def test_an_effect_is_found_and_none_where_there_is_none() -> None:
    variants = {
        'full': [run(k, 0.8) for k in range(3)],
        'same': [run(10 + k, 0.8) for k in range(3)],
        'worse': [run(20 + k, 0.6) for k in range(3)],
    }
    table, effects = ablation_tables(variants)
    assert list(table.rows) == ['full', 'same', 'worse']
    assert list(effects.rows) == ['- same', '- worse']
    nothing, lost = (cell(effects, f'- {name}', 'VSI, %') for name in ('same', 'worse'))
    assert nothing.low < 0 < nothing.high
    assert lost.low > 0
    assert lost.low < 20 < lost.high
    assert 'full 3, same 3, worse 3' in effects.note


def test_scenes_that_are_hard_for_all_widen_no_effect() -> None:
    """Each scene all right or all wrong, in both alike: the figure is unsure, the effect is not."""
    hard = [episode(k, (), [Reply('situated_what', 'x', 'x' if k % 2 else 'y')]) for k in range(10)]
    table, effects = ablation_tables({'full': [hard], 'other': [hard]})
    figure, effect = cell(table, 'full', 'situated EM, %'), effects.rows['- other'][-1]
    assert figure.low < 30
    assert figure.high > 70
    assert effect == Interval(0, 0, 0)


def test_runs_that_differ_widen_the_interval() -> None:
    right = [episode(k, (), [Reply('situated_what', 'x', 'x')]) for k in range(5)]
    wrong = [episode(k, (), [Reply('situated_what', 'x', 'y')]) for k in range(5)]
    table, _ = ablation_tables({'full': [right, wrong, right]})
    found = cell(table, 'full', 'situated EM, %')
    assert found.value == pytest.approx(200 / 3)
    assert (found.low, found.high) == pytest.approx((0, 100))


def test_other_scenes_are_refused() -> None:
    with pytest.raises(InputError, match='less was asked about other scenes'):
        ablation_tables({'full': [run(0, 0.5)], 'less': [run(0, 0.5)[1:]]})
    with pytest.raises(InputError, match="'full' is none of the variants blind"):
        ablation_tables({'blind': [run(0, 0.5)]})
