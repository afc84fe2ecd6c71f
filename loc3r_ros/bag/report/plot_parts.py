# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the plots over time have in common.

A plot is an SVG that stretches to any width, so it holds shapes only; its words are HTML beside
it and keep their size on a phone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from loc3r_ros.bag.report.axes import Axis, number, runs
from loc3r_ros.bag.report.data import ReportData
from loc3r_ros.bag.report.markup import Markup, element
from loc3r_ros.types import TrackingState

WIDTH, HEIGHT = 1000.0, 100.0


def time_axis(data: ReportData) -> Axis:
    """From the earliest stamp to the latest; one second where that is no time at all."""
    return Axis(0.0, float(np.nanmax(data.elapsed, initial=0.0)) or 1.0)


def caption(key: str, title: str, unit: str, legend: list[tuple[str, str]]) -> Markup:
    """Title, unit, legend (class of the sign, text), and a place for the value at the pointer."""
    signs = [element('span', element('i', class_=f'key {k}'), text) for k, text in legend]
    return element(
        'figcaption',
        element('b', title),
        element('span', unit, class_='unit') if unit else Markup(),
        element('span', *signs, class_='keys'),
        element('output', data_series=key),
    )


def area(shapes: list[Markup], labels: list[Markup], what: str) -> Markup:
    """The drawing, with labels at its left edge."""
    drawing = element(
        'svg',
        element('title', what),
        *shapes,
        viewBox=f'0 0 {WIDTH:.0f} {HEIGHT:.0f}',
        preserveAspectRatio='none',
        role='img',
        aria_label=what,
    )
    return element('div', drawing, *labels, class_='area')


def rules(axis: Axis) -> list[Markup]:
    """Thin lines at round values."""
    heights = [f'{(1 - float(axis(v))) * HEIGHT:.1f}' for v in axis.ticks(4)]
    return [element('line', class_='rule', x2=1000, y1=y, y2=y) for y in heights]


def value_labels(axis: Axis) -> list[Markup]:
    """The round values themselves."""
    return [
        element('span', number(v), class_='value', style=f'bottom:{float(axis(v)):.1%}')
        for v in axis.ticks(4)
    ]


def bands(data: ReportData, time: Axis, class_: str) -> Iterator[Markup]:
    """A rectangle for each stretch of time in a state other than TRACKING."""
    x = time(data.elapsed) * WIDTH
    x_end = np.append(x[1:], WIDTH)
    for state in TrackingState:
        if state is TrackingState.TRACKING:
            continue
        for a, b in runs(np.array([s is state for s in data.states], bool)):
            left, right = x[a], x_end[b - 1]
            if np.isfinite([left, right]).all():
                yield element(
                    'rect',
                    class_=f'{class_} {state.value}',
                    x=f'{left:.1f}',
                    width=f'{max(right - left, 1.0):.1f}',
                    height=100,
                )
