# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Tables of places, against figures by hand and by the normal distribution."""

from __future__ import annotations

from math import nan, pi, radians

import numpy as np
import pytest
from evaluation.episodes import episode, random_places

from loc3r_ros.evaluation.bootstrap import Interval
from loc3r_ros.evaluation.calibration import WITHIN_ONE, WITHIN_TWO
from loc3r_ros.evaluation.episode import Place
from loc3r_ros.evaluation.place_tables import calibration_table, localization_table
from loc3r_ros.evaluation.table import Table


def values(table: Table, row: str) -> list[float]:
    cells = table.rows[row]
    assert all(isinstance(cell, Interval) for cell in cells)
    return [cell.value for cell in cells if isinstance(cell, Interval)]


def test_accuracies_and_medians_by_hand() -> None:
    at = (1.0, 1.0, 3.0)
    told = [
        (1.4, 1.0, 3.0 + radians(10)),
        (1.0, 1.9, 3.0 + radians(20)),  # beyond pi: 20 degrees all the same
        (3.0, 1.0, 3.0 - radians(40)),
        None,
    ]
    table = localization_table(
        [episode(0, [Place(at, t) for t in told[:2]]), episode(1, [Place(at, t) for t in told[2:]])]
    )
    assert values(table, 'model') == pytest.approx([25, 50, 25, 50, 1.45, 30])
    assert '4 situations. 2 scenes, 0 of them flats' in table.note
    assert list(table.rows) == ['model', 'middle', 'chance']


def test_who_guesses_stands_beside() -> None:
    places = [Place((0.0, 0.3, 1.0), (0.0, 0.3, 1.0)), Place((2.0, 0.0, -2.0), (2.0, 0.0, -2.0))]
    table = localization_table([episode(k, places, bearing=1.0) for k in range(50)])
    assert values(table, 'model') == [100, 100, 100, 100, 0, 0]
    assert values(table, 'middle') == pytest.approx([50, 50, 50, 50, 1.15, 0.5 * np.degrees(3.0)])
    chance = values(table, 'chance')
    # A circle of 1 m is whole in the box of 4 x 5 m, and cut in half at its border.
    assert chance[1] == pytest.approx(0.75 * 100 * pi / 20, rel=0.15)
    assert chance[2:4] == pytest.approx([100 * 15 / 180, 100 * 30 / 180], rel=0.1)


def test_single_rooms_and_flats_are_told_apart() -> None:
    right, wrong = Place((1, 1, 0), (1, 1, 0)), Place((1, 1, 0), (9, 9, pi))
    table = localization_table([episode(0, [right]), episode(1, [wrong], rooms=3)])
    assert values(table, 'model')[0] == 50
    assert values(table, 'model, single rooms')[0] == 100
    assert values(table, 'model, flats')[0] == 0
    assert '1 of them flats' in table.note


def test_errors_drawn_from_sigma_are_calibrated_along_its_own_axes() -> None:
    rng = np.random.default_rng(3)
    bearing = 0.7
    c, s = np.cos(bearing), np.sin(bearing)
    episodes = []
    for seed in range(40):
        places = []
        for _ in range(40):
            along, across, turn = (rng.standard_normal(3) * [2.0, 0.1, 0.3]).tolist()
            x, y = c * along - s * across, s * along + c * across
            places.append(Place((0, 0, 3.1), (x, y, 3.1 + turn - 2 * pi), (2.0, 0.1, 0.3)))
        episodes.append(episode(seed, places, bearing=bearing))
    table = calibration_table(episodes)
    assert table is not None
    for name in ('position', 'heading'):
        one, two, nll, expected = values(table, name)
        assert one == pytest.approx(100 * WITHIN_ONE, abs=3)
        assert two == pytest.approx(100 * WITHIN_TWO, abs=2)
        assert nll == pytest.approx(expected, abs=0.06)
    turned = calibration_table([episode(e.seed, e.places, bearing=0.0) for e in episodes])
    assert turned is not None
    assert values(turned, 'position')[0] < 50


def test_no_sigma_no_calibration() -> None:
    assert (
        calibration_table([episode(0, [Place((0, 0, 0), (0, 0, 0)), Place((0, 0, 0), None)])])
        is None
    )


def test_interval_is_over_scenes() -> None:
    right, wrong = Place((1, 1, 0), (1, 1, 0)), Place((1, 1, 0), (9, 9, pi))
    same = localization_table([episode(k, [right, wrong]) for k in range(9)]).rows['model'][0]
    apart = localization_table([episode(k, [(right, wrong)[k % 2]] * 2) for k in range(10)])
    cell = apart.rows['model'][0]
    assert same == Interval(50, 50, 50)
    assert isinstance(cell, Interval)
    assert cell.low < 30
    assert cell.high > 70


def test_markdown_and_json() -> None:
    table = Table('T', 'n', ('a', 'b'), {'x': (Interval(1.25, nan, nan), 3), 'y': (None, 2.0)})
    assert table.markdown().splitlines() == [
        '## T',
        '',
        'n',
        '',
        '|   | a   | b   |',
        '| - | --- | --- |',
        '| x | 1.2 | 3   |',
        '| y |     | 2.0 |',
    ]
    assert table.to_json()['rows'] == {
        'x': {'a': {'value': 1.25, 'low': None, 'high': None}, 'b': 3},
        'y': {'a': None, 'b': 2.0},
    }


def test_random_places_make_a_whole_table() -> None:
    rng = np.random.default_rng(0)
    table = localization_table([episode(k, random_places(rng, 5)) for k in range(20)])
    cell = table.rows['model'][0]
    # Rayleigh: within sigma.
    assert isinstance(cell, Interval)
    assert cell.low < 100 * (1 - np.exp(-0.5)) < cell.high
