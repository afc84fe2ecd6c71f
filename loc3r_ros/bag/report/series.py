# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The quantities that the page shows over time, each with its title and unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bag.report.data import ReportData

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """One value for each frame, (n,) float64; NaN where it is not known."""

    title: str
    unit: str
    values: Array


def series(data: ReportData) -> dict[str, Series]:
    """All series that have a value, by name, in the order of the page."""
    shown = {
        'inliers': Series('Feature matches', '', _finite(data.inliers)),
        'sigma': _length('Position doubt, 1 σ', data.sigma),
    }
    if data.confidence is not None:
        shown['confidence'] = Series('Encoder confidence', '', _finite(data.confidence))
    if data.error is not None:
        shown['error'] = _length('Distance from ground truth', data.error)
    if data.latencies:
        shown['latency'] = Series('Latency', 'ms', total_latency(data))
    return {name: one for name, one in shown.items() if np.isfinite(one.values).any()}


def total_latency(data: ReportData) -> Array:
    """(n,) ms of all stages together; NaN where no stage ran."""
    stages = np.stack([_finite(values) for values in data.latencies.values()])
    return np.where(np.isfinite(stages).any(axis=0), np.nan_to_num(stages).sum(axis=0), np.nan)


def _finite(values: NDArray) -> Array:
    return np.where(np.isfinite(values), values, np.nan).astype(np.float64)


def _length(title: str, metres: Array) -> Series:
    """A length in the unit that its usual values read best in."""
    values = _finite(metres)
    known = values[np.isfinite(values)]
    if known.size and np.median(known) < 0.1:
        return Series(title, 'mm', 1e3 * values)
    return Series(title, 'm', values)
