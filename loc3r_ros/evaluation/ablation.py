# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What each part of the method is good for: variants beside the whole, on the same scenes.

For the intervals both scenes and training runs are drawn anew (the pigeonhole bootstrap; Owen,
Annals of Applied Statistics 1, 2007): neither other scenes nor another seed give the same figures.
All variants share the draw of scenes, since a hard one is hard for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan, radians

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.bootstrap import Interval
from loc3r_ros.evaluation.episode import Episode
from loc3r_ros.evaluation.localization import ANGLES_DEG, DISTANCES_M, localization_errors
from loc3r_ros.evaluation.situated_answers import exact_match
from loc3r_ros.evaluation.table import Cell, Table
from loc3r_ros.evaluation.video_tasks import VSI_BENCH, VSTI_BENCH
from loc3r_ros.geometry import Array

REPLICAS = 1000

Runs = Sequence[Sequence[Episode]]
"""Episodes of each training run, all of the same scenes."""

_METRES = {limit: f'Acc@{limit:g} m, %' for limit in DISTANCES_M}
_DEGREES = {limit: f'Acc@{limit:g} deg, %' for limit in ANGLES_DEG}
_SITUATED = 'situated EM, %'

COLUMNS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    **{name: ((name,),) for name in (*_METRES.values(), *_DEGREES.values())},
    'VSI, %': tuple(VSI_BENCH.tasks.values()),
    'VSTI, %': tuple(VSTI_BENCH.tasks.values()),
    _SITUATED: ((_SITUATED,),),
}
"""Figures, and the tasks that each is the mean of, and the marks that each of these is."""

_MARKS = tuple(mark for tasks in COLUMNS.values() for marks in tasks for mark in marks)


def ablation_tables(variants: Mapping[str, Runs], whole: str = 'full') -> tuple[Table, Table]:
    """Figures of each variant, and by how much it falls behind the whole.

    Args:
        variants: by name.
        whole: the one that nothing is left out of.

    Raises:
        InputError: `whole` is none of them, or some were not asked about the same scenes.
    """
    if whole not in variants:
        raise InputError(f'{whole!r} is none of the variants {", ".join(variants)}')
    scenes = [episode.seed for episode in variants[whole][0]]
    for name, runs in variants.items():
        if any([episode.seed for episode in run] != scenes for run in runs):
            raise InputError(f'{name} was asked about other scenes than {whole}: use the same')
    rng = np.random.default_rng(0)
    drawn = _draws(rng, len(scenes))
    found = {name: _figures(runs, _draws(rng, len(runs)), drawn) for name, runs in variants.items()}
    note = f'{len(scenes)} held-out scenes; training runs: ' + ', '.join(
        f'{name} {len(runs)}' for name, runs in variants.items()
    )
    rows = {name: _cells(figures) for name, figures in found.items()}
    lost = {f'- {name}': _cells(found[whole] - found[name]) for name in found if name != whole}
    columns = tuple(COLUMNS)
    return (
        Table('Ablations', f'{note}.', columns, rows),
        Table(f'Effects: {whole} less the variant', f'{note}. In points.', columns, lost),
    )


def _draws(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """(1 + REPLICAS, count) how often each is drawn; at first each once."""
    drawn = rng.multinomial(count, np.full(count, 1 / count), REPLICAS)
    return np.vstack([np.ones((1, count), dtype=np.int64), drawn])


def _figures(runs: Runs, of_runs: NDArray[np.int64], of_scenes: NDArray[np.int64]) -> Array:
    """(columns, 1 + REPLICAS) in percent; NaN where a task is not asked for."""
    marks = np.array([[_sums(episode) for episode in run] for run in runs])
    sums, counts = np.einsum('br,bs,rskc->ckb', of_runs, of_scenes, marks, optimize=True)
    with np.errstate(invalid='ignore'):
        means = dict(zip(_MARKS, 100 * sums / counts, strict=True))
    return np.stack(
        [
            np.mean([_mean_of_known([means[m] for m in marks]) for marks in tasks], axis=0)
            for tasks in COLUMNS.values()
        ]
    )


def _sums(episode: Episode) -> Array:
    """(marks, 2) sum and number of each kind of mark."""
    sums = dict.fromkeys(_MARKS, (0.0, 0))
    for name, mark in _marks(episode):
        total, count = sums[name]
        sums[name] = total + mark, count + 1
    return np.array(list(sums.values()), dtype=np.float64)


def _marks(episode: Episode) -> Iterator[tuple[str, float]]:
    for place in episode.places:
        x, y, yaw = place.told or (nan, nan, nan)
        errors = localization_errors([[[x, y]]], [[yaw]], [place.true[:2]], [place.true[2]])
        for limit, name in _METRES.items():
            yield name, float(errors.distance[0] < limit)
        for limit, name in _DEGREES.items():
            yield name, float(errors.angle[0] < radians(limit))
    for reply in episode.replies:
        for benchmark in (VSI_BENCH, VSTI_BENCH):
            if reply.task in benchmark.types:
                yield reply.task, benchmark.score(reply.task, reply.told, reply.truth)
        if reply.task.startswith('situated_'):
            yield _SITUATED, float(exact_match(reply.told, [reply.truth]))


def _mean_of_known(means: Sequence[Array]) -> Array:
    """Mean over the types of a task that are asked for."""
    stacked = np.stack(means)
    known = np.isfinite(stacked)
    with np.errstate(invalid='ignore'):
        mean: Array = np.where(known, stacked, 0.0).sum(0) / known.sum(0)
    return mean


def _cells(figures: Array) -> tuple[Cell, ...]:
    return tuple(_cell(row) for row in figures)


def _cell(row: Array) -> Cell:
    value, drawn = float(row[0]), row[1:][np.isfinite(row[1:])]
    if np.isnan(value) or not drawn.size:
        return None
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))
