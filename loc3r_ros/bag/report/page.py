# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The page: one file that needs nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from loc3r_ros.bag.report import sections
from loc3r_ros.bag.report.agent_marks import agent_marks
from loc3r_ros.bag.report.answers import answers_section
from loc3r_ros.bag.report.axes import known
from loc3r_ros.bag.report.data import ReportData
from loc3r_ros.bag.report.map_figure import map_figure
from loc3r_ros.bag.report.map_view import MapView
from loc3r_ros.bag.report.markup import Markup, element
from loc3r_ros.bag.report.plot_parts import time_axis
from loc3r_ros.bag.report.series import series
from loc3r_ros.bag.report.time_plots import time_plots
from loc3r_ros.types import TrackingState

_HERE = Path(__file__).parent
_THUMBNAILS = 24
_TALL = 520.0
_SAMPLES = 1200
"""Frames that the pointer can stop at: about as many as there are pixels across a plot."""


def write_report(path: Path, data: ReportData) -> None:
    """Write the page whole or not at all: a reader never finds half of one.

    Raises:
        OSError: if it cannot be written; what was at `path` before is still there.
    """
    path = Path(path)
    part = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        part.write_text(render(data), encoding='utf-8')
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def render(data: ReportData) -> str:
    """The page as HTML."""
    data = replace(data, thumbnails=_evenly(data))
    script = Markup((_HERE / 'script.js').read_text(encoding='utf-8'))
    # The page itself forbids requests, and any script but this one.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        element('title', f'{data.title} · {sections.verdict(data)}'),
        element('style', Markup((_HERE / 'style.css').read_text(encoding='utf-8'))),
    ]
    body, view = _body(data)
    samples = element('script', _samples(data, view), type='application/json', id='samples')
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n'
        + '\n'.join(head)
        + f'\n</head>\n<body>\n{body}\n{samples}\n{element("script", script)}\n</body>\n</html>\n'
    )


def _evenly(data: ReportData) -> tuple:
    """At most _THUMBNAILS of the thumbnails, in the order of their frames."""
    ordered = sorted(data.thumbnails, key=lambda t: t.index)
    chosen = np.linspace(0, len(ordered) - 1, min(len(ordered), _THUMBNAILS)).round().astype(int)
    return tuple(ordered[i] for i in chosen)


def _body(data: ReportData) -> tuple[Markup, MapView]:
    drawing, view = map_figure(data)
    parts = [
        sections.header(data),
        sections.messages('Problems', data.problems, 'problems'),
    ]
    if data.states:
        parts += [
            sections.key_figures(data),
            _map_section(data, drawing, view) if _has_map(data) else Markup(),
            answers_section(data.replies, data.grades),
            element('section', element('h2', 'Over time'), time_plots(data), class_='card'),
        ]
    parts += [
        sections.tables(data),
        sections.messages('Notes', data.notes, 'notes'),
        sections.raw_summary(data),
    ]
    return element('main', *parts), view


def _has_map(data: ReportData) -> bool:
    return data.grid is not None or bool(known(data.positions).any())


def _map_section(data: ReportData, drawing: Markup, view: MapView) -> Markup:
    keys = [('band-time', 'trajectory')]
    keys += [
        (f'band-{s.value}', s.value)
        for s in (TrackingState.DEGRADED, TrackingState.LOST)
        if s in data.states
    ]
    if data.truth is not None:
        keys.append(('dash', 'ground truth'))
    keys += [('start', 'start'), ('end', 'end')]
    marks = agent_marks(data.replies, data.grades)
    if any(not mark.is_goal for mark in marks):
        keys.append(('agent', 'somebody who was described, as told, 2 σ'))
    if any(mark.true for mark in marks):
        keys.append(('true', 'where they truly are'))
    if any(mark.is_goal for mark in marks):
        keys.append(('goal', 'goal'))
    if data.grid is not None:
        keys += [('cell free', 'free'), ('cell occupied', 'occupied'), ('cell unknown', 'unknown')]
    legend = [element('span', element('i', class_=f'key {k}'), text) for k, text in keys]
    figure = element('figure', drawing, element('figcaption', *legend, class_='keys'))
    film = sections.thumbnails(data) if data.thumbnails else Markup()
    # The pictures stand beside a map that is about as tall as they are, else below it.
    beside = data.thumbnails and view.height > _TALL
    content = element('div', figure, film, class_='beside' if beside else None)
    return element('section', element('h2', 'Map'), content, class_='card map')


def _samples(data: ReportData, view: MapView) -> Markup:
    """What the script shows at the pointer, as JSON; no closing tag can appear in it."""
    n = len(data.states)
    at = np.linspace(0, n - 1, min(n, _SAMPLES)).round().astype(int)
    at = np.unique(np.concatenate([at, [t.index for t in data.thumbnails]]).astype(int))
    heading = np.degrees(np.arctan2(-data.headings[at, 1], data.headings[at, 0]))
    content = {
        'end': time_axis(data).high,
        'frame': at.tolist(),
        'time': _numbers(data.elapsed[at], 3),
        'x': _numbers(view(data.positions[at])[:, 0], 1),
        'y': _numbers(view(data.positions[at])[:, 1], 1),
        'heading': _numbers(heading, 0),
        'state': [data.states[i].value for i in at],
        'series': {
            name: {'unit': one.unit, 'values': _numbers(one.values[at], 4)}
            for name, one in series(data).items()
        },
    }
    return Markup(json.dumps(content, separators=(',', ':')).replace('<', '\\u003c'))


def _numbers(values: np.ndarray, decimals: int) -> list[float | None]:
    return [round(float(v), decimals) if np.isfinite(v) else None for v in values]
