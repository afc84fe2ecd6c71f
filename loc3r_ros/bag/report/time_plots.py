# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What happened over time: state, inliers, doubt, error and latency on one time axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bag.report.axes import Axis, known, number, path, runs, thin, ticks, value_axis
from loc3r_ros.bag.report.data import ReportData
from loc3r_ros.bag.report.markup import Markup, element
from loc3r_ros.bag.report.plot_parts import (
    HEIGHT,
    WIDTH,
    area,
    bands,
    caption,
    rules,
    time_axis,
    value_labels,
)
from loc3r_ros.bag.report.ribbon import ribbon
from loc3r_ros.bag.report.series import Series, series

Array = NDArray[np.float64]

_STAGE_COLOURS = 6


def time_plots(data: ReportData) -> Markup:
    """All plots, one below the other, with the time axis at the foot."""
    time = time_axis(data)
    plots = [ribbon(data, time)]
    for key, one in series(data).items():
        draw = _latency_plot if key == 'latency' else _line_plot
        plots.append(draw(data, time, key, one))
    return element('div', *plots, _time_labels(time), id='plots')


def _line_plot(data: ReportData, time: Axis, key: str, one: Series) -> Markup:
    """One quantity as a line above a light area."""
    axis = value_axis(one.values)
    keep = thin(one.values)
    points = np.stack([time(data.elapsed[keep]), 1 - axis(one.values[keep])], axis=1)
    points *= (WIDTH, HEIGHT)
    shapes = [
        *bands(data, time, 'shade'),
        *rules(axis),
        element('path', class_='fill', d=_closed(points)),
        element(
            'path', class_='line' if len(keep) == len(one.values) else 'line dense', d=path(points)
        ),
    ]
    said = _in_words(one) + (', logarithmic' if axis.logarithmic else '')
    drawing = area(shapes, value_labels(axis), f'{one.title} over time: {said}')
    head = caption(key, one.title, one.unit, [('none', said)])
    return element('figure', head, drawing, class_=f'plot {key}')


def _in_words(one: Series) -> str:
    values = one.values[np.isfinite(one.values)]
    middle, top = number(float(np.median(values))), number(float(values.max()))
    return f'median {middle}, greatest {top} {one.unit}'.rstrip()


def _latency_plot(data: ReportData, time: Axis, key: str, one: Series) -> Markup:
    """The stages stacked, with the median and the 95th percentile of their sum."""
    values = one.values[np.isfinite(one.values)]
    p50, p95 = (float(q) for q in np.percentile(values, [50, 95]))
    # One slow frame (a first call that compiles, say) must not flatten all the others.
    axis = value_axis(np.array([min(float(values.max()), 1.6 * p95)]))
    shapes = [*bands(data, time, 'shade'), *rules(axis), *_stack(data, time, axis, one.values)]
    for value in (p50, p95):
        y = f'{(1 - float(axis(value))) * HEIGHT:.1f}'
        shapes += [element('line', class_=c, x2=1000, y1=y, y2=y) for c in ('under', 'quantile')]
    said = f'p50 {number(p50)} ms, p95 {number(p95)} ms'
    above = int((values > axis.high).sum())
    if above:
        said += f'; {above:,} above the plot, up to {number(float(values.max()))} ms'
    legend = [(f'box s{k % _STAGE_COLOURS}', name) for k, name in enumerate(data.latencies)]
    drawing = area(shapes, value_labels(axis), f'Latency of the stages over time: {said}')
    head = caption(key, one.title, one.unit, [*legend, ('dash', said)])
    return element('figure', head, drawing, class_=f'plot {key}')


def _stack(data: ReportData, time: Axis, axis: Axis, total: Array) -> list[Markup]:
    """One surface for each stage, on top of those before it; a gap where no stage ran."""
    keep = thin(total)
    x = time(data.elapsed[keep]) * WIDTH
    floor = np.where(np.isfinite(total[keep]), 0.0, np.nan)
    surfaces = []
    for k, values in enumerate(data.latencies.values()):
        ceiling = floor + np.nan_to_num(values[keep], posinf=0.0, neginf=0.0)
        d = _between(x, (1 - axis(floor)) * HEIGHT, (1 - axis(ceiling)) * HEIGHT)
        surfaces.append(element('path', class_=f'stage s{k % _STAGE_COLOURS}', d=d))
        floor = ceiling
    return surfaces


def _between(x: Array, lower: Array, upper: Array) -> str:
    """The surface between two lines, for each stretch where both are known."""
    parts = []
    for a, b in runs(np.isfinite(x) & np.isfinite(lower) & np.isfinite(upper)):
        there = np.stack([x[a:b], upper[a:b]], axis=1)
        back = np.stack([x[a:b], lower[a:b]], axis=1)[::-1]
        parts.append(path(np.concatenate([there, back])) + 'Z')
    return ''.join(parts)


def _closed(points: Array) -> str:
    """Each unbroken stretch of a line, closed along the foot of the plot."""
    parts = []
    for a, b in runs(known(points)):
        foot = f'L{points[b - 1, 0]:.1f},{HEIGHT:.0f} {points[a, 0]:.1f},{HEIGHT:.0f}Z'
        parts.append(path(points[a:b]) + foot)
    return ''.join(parts)


def _time_labels(time: Axis) -> Markup:
    labels = [
        element('span', number(t), style=f'left:{float(time(t)):.2%}')
        for t in ticks(time.low, time.high, 7)
    ]
    return element('div', *labels, element('b', 'time, s'), class_='times')
