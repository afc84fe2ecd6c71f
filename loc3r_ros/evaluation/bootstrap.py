# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Confidence intervals that know that the questions of a scene are not independent."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that it lies in."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f'{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]'


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    replicas: int = 1000,
    seed: int = 0,
) -> Interval:
    """Percentile interval from drawing whole clusters with replacement.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13. For the
    effect of an ablation give the difference of both runs on the same rows: the draws are paired.

    Args:
        statistic: the figure of the given rows, which repeat where a cluster is drawn again. A
            draw for which it is NaN (a task that no drawn scene asks for) is left out.
        clusters: for each of N rows what it shares its luck with, usually the scene.
        level: share of the draws within the interval.
        replicas: number of draws.
        seed: of the draws.

    Returns:
        The figure of all rows and its interval; of a single cluster the interval is NaN.

    Raises:
        InputError: there are no rows.
    """
    return bootstrap_intervals(
        lambda rows: [statistic(rows)], clusters, level=level, replicas=replicas, seed=seed
    )[0]


def bootstrap_intervals(
    statistics: Callable[[NDArray[np.int64]], Sequence[float]],
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    replicas: int = 1000,
    seed: int = 0,
) -> list[Interval]:
    """Intervals of several figures of the same rows, from the same draws; as above."""
    if len(clusters) == 0:
        raise InputError('no rows to draw from; an interval needs at least two scenes')
    rows_of: dict[Hashable, list[int]] = {}
    for row, cluster in enumerate(clusters):
        rows_of.setdefault(cluster, []).append(row)
    members = [np.array(rows, dtype=np.int64) for rows in rows_of.values()]
    values = statistics(np.arange(len(clusters), dtype=np.int64))
    if len(members) == 1:
        return [Interval(float(value), nan, nan) for value in values]
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(members), size=(replicas, len(members)))
    drawn = np.array([statistics(np.concatenate([members[i] for i in draw])) for draw in draws])
    return [_interval(float(v), d, level) for v, d in zip(values, drawn.T, strict=True)]


def _interval(value: float, drawn: NDArray[np.float64], level: float) -> Interval:
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return Interval(value, nan, nan)
    # Of what was drawn, not between: a median may be infinite.
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], method='inverted_cdf')
    return Interval(value, float(low), float(high))
