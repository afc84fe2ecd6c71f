# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Intervals against the normal theory, and that scenes are drawn whole."""

from __future__ import annotations

from math import isnan, nan, sqrt

import numpy as np
import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.bootstrap import Interval, bootstrap_interval


def test_interval_of_a_mean_is_that_of_normal_theory() -> None:
    values = np.random.default_rng(1).standard_normal(400)
    found = bootstrap_interval(lambda rows: values[rows].mean(), range(400))
    half = 1.96 * values.std() / sqrt(400)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(found.value - half, abs=0.015)
    assert found.high == pytest.approx(found.value + half, abs=0.015)


def test_copies_within_a_scene_do_not_narrow_the_interval() -> None:
    once = np.random.default_rng(2).standard_normal(50)
    often = np.repeat(once, 20)
    scenes = np.repeat(np.arange(50), 20).tolist()
    single = bootstrap_interval(lambda rows: once[rows].mean(), range(50))
    copied = bootstrap_interval(lambda rows: often[rows].mean(), scenes)
    assert (copied.low, copied.high) == pytest.approx((single.low, single.high))


def test_two_scenes_by_hand() -> None:
    values = np.array([0.0, 0.0, 1.0])
    found = bootstrap_interval(lambda rows: values[rows].mean(), ['a', 'a', 'b'])
    assert found == Interval(pytest.approx(1 / 3), 0.0, 1.0)
    assert str(found) == '0.333 [0, 1]'


def test_seed_and_level() -> None:
    values = np.arange(30.0)

    def interval(**settings: float) -> Interval:
        return bootstrap_interval(lambda rows: values[rows].mean(), range(30), **settings)

    assert interval(seed=3) == interval(seed=3)
    assert interval(seed=3) != interval(seed=4)
    assert interval(level=0.5).low > interval(level=0.95).low


def test_one_scene_tells_nothing_of_others() -> None:
    found = bootstrap_interval(lambda rows: float(len(rows)), ['a', 'a'])
    assert found.value == 2.0
    assert isnan(found.low)
    assert isnan(found.high)


def test_draws_without_a_figure_are_left_out() -> None:
    found = bootstrap_interval(lambda rows: 1.0 if 0 in rows else nan, range(5))
    assert found == Interval(1.0, 1.0, 1.0)


def test_no_rows_are_refused() -> None:
    with pytest.raises(InputError, match='two scenes'):
        bootstrap_interval(lambda rows: 0.0, [])
