# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Axes and polylines: round tick values, numbers in words, and fewer points with the same look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def round_step(span: float, at_most: int) -> float:
    """The smallest step of 1, 2 or 5 times a power of ten that divides `span` into few parts."""
    raw = max(span, 1e-9) / at_most
    power = 10.0 ** np.floor(np.log10(raw))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9)))


def ticks(low: float, high: float, at_most: int) -> list[float]:
    """Round values in [low, high]."""
    step = round_step(high - low, at_most)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(k * step) for k in np.arange(first, last + 1)]


def number(value: float, digits: int = 3) -> str:
    """A number for people: so many significant digits, no exponent, a dash where unknown."""
    if not np.isfinite(value):
        return '–'
    if abs(value) < 1e-6:
        return '0'
    decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(value)))))
    text = f'{value:,.{min(decimals, 8)}f}'
    text = text.rstrip('0').rstrip('.') if '.' in text else text
    return text.replace('-', '−')


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis that maps [low, high] to [0, 1]."""

    low: float
    high: float
    logarithmic: bool = False

    def __call__(self, values: Array | float) -> Array:
        v = np.asarray(values, dtype=np.float64)
        if self.logarithmic:
            v = np.log10(np.maximum(v, self.low))
            return (v - np.log10(self.low)) / np.log10(self.high / self.low)
        return (v - self.low) / (self.high - self.low)

    def ticks(self, at_most: int) -> list[float]:
        if not self.logarithmic:
            return ticks(self.low, self.high, at_most)
        powers = ticks(float(np.log10(self.low)), float(np.log10(self.high)), at_most)
        return [10.0**p for p in powers if p == round(p)]


def value_axis(values: Array) -> Axis:
    """An axis from zero over the values; logarithmic where a few dwarf the rest by 30 times."""
    v = values[np.isfinite(values)]
    top = float(v.max()) if v.size else 0.0
    if top <= 0:
        return Axis(0.0, 1.0)
    positive = v[v > 0]
    if top > 30 * float(np.median(positive)):
        low = 10.0 ** np.floor(np.log10(float(positive.min())))
        high = 10.0 ** np.ceil(np.log10(top))
        return Axis(float(max(low, high * 1e-6)), float(high), logarithmic=True)
    step = round_step(top, 4)
    return Axis(0.0, float(np.ceil(top / step - 1e-9) * step))


def thin(values: Array, buckets: int = 500) -> NDArray[np.intp]:
    """Indices that draw like all: the first, least and greatest of each bucket, and every gap.

    The first of a bucket is kept too, because where it is NaN the line must break.
    """
    n = len(values)
    if n <= 3 * buckets:
        return np.arange(n)
    keep: set[int] = {n - 1}
    for part in np.array_split(np.arange(n), buckets):
        v, finite = values[part], np.isfinite(values[part])
        keep.add(int(part[0]))
        if finite.any():
            keep.add(int(part[np.argmin(np.where(finite, v, np.inf))]))
            keep.add(int(part[np.argmax(np.where(finite, v, -np.inf))]))
        if not finite.all():
            keep.add(int(part[np.argmin(finite)]))
    return np.array(sorted(keep))


def runs(flags: NDArray) -> list[tuple[int, int]]:
    """[start, end) of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def known(points: Array) -> NDArray[np.bool_]:
    """(m,) bool: which of the points (m, 2 or 3) have all their coordinates."""
    return np.asarray(np.isfinite(points).all(axis=1))


def path(points: Array) -> str:
    """SVG path data of (m, 2) points; it breaks where a point is not finite."""
    parts = []
    for a, b in runs(known(points)):
        steps = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points[a:b])
        # A lone point needs a line of no length, whose round cap then shows as a dot.
        parts.append(f'M{steps}' + ('h0' if b - a == 1 else ''))
    return ''.join(parts)
