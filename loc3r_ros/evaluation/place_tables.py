# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How well places are told, beside who guesses; and whether the stated sigma is to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, nan, pi, sin

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.evaluation.bootstrap import Interval, bootstrap_intervals
from loc3r_ros.evaluation.calibration import WITHIN_ONE, WITHIN_TWO, calibration
from loc3r_ros.evaluation.episode import Episode, Place
from loc3r_ros.evaluation.localization import (
    ANGLES_DEG,
    DISTANCES_M,
    LocalizationErrors,
    chance_errors,
    localization_errors,
    localization_scores,
)
from loc3r_ros.evaluation.table import Cell, Table
from loc3r_ros.geometry import Array

DRAWS = 20
"""Blind guesses for each situation."""

COLUMNS = (
    *(f'Acc@{limit:g} m, %' for limit in DISTANCES_M),
    *(f'Acc@{limit:g} deg, %' for limit in ANGLES_DEG),
    'median, m',
    'median, deg',
)


def localization_table(episodes: Sequence[Episode]) -> Table:
    """Accuracies of the examined, of chance, and of who always names the middle.

    One guess counts: the pose that is told.
    """
    of = [(episode, place) for episode in episodes for place in episode.places]
    scenes = [episode.seed for episode, _ in of]
    true = np.array([place.true for _, place in of])
    told = np.array([place.told or (nan, nan, nan) for _, place in of])
    middle = np.array([(0.0, 0.0, episode.bearing) for episode, _ in of])
    half = np.array([episode.box for episode, _ in of]) / 2
    found = _errors(told, true)
    is_flat = np.array([len(episode.sides) > 1 for episode, _ in of])
    rows = {'model': _figures(found, scenes)}
    if is_flat.any() and not is_flat.all():
        rows['model, single rooms'] = _figures(found, scenes, np.flatnonzero(~is_flat))
        rows['model, flats'] = _figures(found, scenes, np.flatnonzero(is_flat))
    rows['middle'] = _figures(_errors(middle, true), scenes)
    blind = chance_errors(true[:, :2], -half, half, draws=DRAWS)
    rows['chance'] = _figures(blind, scenes * DRAWS)
    return Table('Localization', f'{len(of)} situations. {_rooms(episodes)}', COLUMNS, rows)


def calibration_table(episodes: Sequence[Episode]) -> Table | None:
    """Whether errors are as large as the model says; None where it says nothing of it."""
    stated = [(e, p) for e in episodes for p in e.places if p.told and p.sigma]
    if not stated:
        return None
    scenes = [episode.seed for episode, _ in stated]
    error = np.array([_in_bev(place, episode.bearing) for episode, place in stated])
    sigma = np.array([place.sigma for _, place in stated])
    rows: dict[str, tuple[Cell, ...]] = {
        name: _calibrated(error[:, axes], sigma[:, axes], scenes)
        for name, axes in (('position', [0, 1]), ('heading', [2]))
    }
    rows['were it exact'] = (100 * WITHIN_ONE, 100 * WITHIN_TWO, None, None)
    note = (
        f'{len(stated)} situations. Too few errors within sigma: too sure of itself; too many: too '
        'timid. Negative log-likelihood above what is expected of errors drawn from sigma: worse.'
    )
    columns = ('within sigma, %', 'within 2 sigma, %', 'NLL, nats', 'expected NLL, nats')
    return Table('Calibration', note, columns, rows, digits=2)


def _errors(told: Array, true: Array) -> LocalizationErrors:
    return localization_errors(told[:, None, :2], told[:, None, 2], true[:, :2], true[:, 2])


def _figures(
    errors: LocalizationErrors, scenes: Sequence[int], only: NDArray[np.int64] | None = None
) -> tuple[Cell, ...]:
    """The columns, each with its interval."""
    kept = np.arange(len(scenes)) if only is None else only
    distance, angle = errors.distance[kept], errors.angle[kept]

    def scores(rows: NDArray[np.int64]) -> tuple[float, ...]:
        return _columns(LocalizationErrors(distance[rows], angle[rows]))

    return tuple(bootstrap_intervals(scores, [scenes[k] for k in kept]))


def _columns(errors: LocalizationErrors) -> tuple[float, ...]:
    scores = localization_scores(errors)
    shares = (*scores.within_m.values(), *scores.within_deg.values())
    return (*(100 * share for share in shares), scores.median_m, scores.median_deg)


def _calibrated(error: Array, sigma: Array, scenes: Sequence[int]) -> tuple[Interval, ...]:
    def columns(rows: NDArray[np.int64]) -> tuple[float, ...]:
        found = calibration(error[rows], sigma[rows])
        shares = (100 * found.within_one, 100 * found.within_two)
        return (*shares, found.nll, found.expected_nll)

    return tuple(bootstrap_intervals(columns, scenes))


def _in_bev(place: Place, bearing: float) -> tuple[float, float, float]:
    """Error along the axes that sigma is stated for, and of the heading in [-pi, pi)."""
    assert place.told is not None
    dx, dy, turn = np.subtract(place.told, place.true).tolist()
    c, s = cos(bearing), sin(bearing)
    return c * dx + s * dy, c * dy - s * dx, (turn + pi) % (2 * pi) - pi


def _rooms(episodes: Sequence[Episode]) -> str:
    flats = sum(len(episode.sides) > 1 for episode in episodes)
    sides = [side for episode in episodes for room in episode.sides for side in room]
    boxes = [side for episode in episodes for side in episode.box]
    return (
        f'{len(episodes)} scenes, {flats} of them flats. The median side of a room is '
        f'{np.median(sides):.1f} m, of the box around all rooms of a scene {np.median(boxes):.1f} '
        'm. "middle" names the middle of that box, and the heading of the first view; "chance" '
        'guesses anywhere in the box.'
    )
