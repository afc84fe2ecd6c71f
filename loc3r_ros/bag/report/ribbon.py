# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The state of tracking as a band over time, with keyframes, events and thumbnails."""

from __future__ import annotations

import numpy as np

from loc3r_ros.bag.report.axes import Axis
from loc3r_ros.bag.report.data import Event, ReportData
from loc3r_ros.bag.report.map_figure import HUES
from loc3r_ros.bag.report.markup import Markup, element
from loc3r_ros.bag.report.plot_parts import WIDTH, area, bands, caption
from loc3r_ros.types import TrackingState

_SIGNS = {'lost': '✕', 'recovered': '↻', 'reset': '◆'}
_AT_MOST = 200
"""Signs above the band; more would lie on top of each other."""


def ribbon(data: ReportData, time: Axis) -> Markup:
    """The band runs through the colours of the trajectory, so that a place can be found in time."""
    stops = [element('stop', class_=f't{k}', offset=f'{(k + 0.5) / HUES:.0%}') for k in range(HUES)]
    shapes = [
        element('defs', element('linearGradient', *stops, id='hues')),
        element('rect', width=1000, height=100, fill='url(#hues)'),
        *bands(data, time, 'state'),
        _keyframes(data, time),
    ]
    events = [e for e in data.events if e.kind in _SIGNS][:_AT_MOST]
    signs = [
        _mark(time, data.elapsed[e.index], _SIGNS[e.kind], f'event {e.kind}', _words(e))
        for e in events
    ]
    numbers = [
        _mark(time, data.elapsed[t.index], str(n), 'number', f'place {n}, frame {t.index}')
        for n, t in enumerate(data.thumbnails, 1)
    ]
    return element(
        'figure',
        caption('state', 'State', '', _legend(data)),
        element('div', *signs, class_='marks') if signs else Markup(),
        area(shapes, [], 'State over time'),
        element('div', *numbers, class_='marks numbers') if numbers else Markup(),
        class_='plot ribbon',
    )


def _keyframes(data: ReportData, time: Axis) -> Markup:
    at = [e.index for e in data.events if e.kind == 'keyframe']
    x = np.unique(np.round(time(data.elapsed[at]) * WIDTH, 1))
    strokes = ''.join(f'M{v:g},64V100' for v in x[np.isfinite(x)])
    return element('path', class_='keyframes', d=strokes)


def _mark(time: Axis, at: float, sign: str, class_: str, title: str) -> Markup:
    if not np.isfinite(at):
        return Markup()
    return element('span', sign, class_=class_, style=f'left:{float(time(at)):.2%}', title=title)


def _words(event: Event) -> str:
    return f'frame {event.index}: {event.kind}' + (f', {event.text}' if event.text else '')


def _legend(data: ReportData) -> list[tuple[str, str]]:
    """Only what is there."""
    seen, kinds = set(data.states), {e.kind for e in data.events}
    keys = [('band-time', 'tracking')] if TrackingState.TRACKING in seen else []
    others = [s for s in TrackingState if s in seen and s is not TrackingState.TRACKING]
    keys += [(f'band-{s.value}', s.value) for s in others]
    keys += [('tick', 'keyframe')] if 'keyframe' in kinds else []
    return keys + [('none', f'{sign} {kind}') for kind, sign in _SIGNS.items() if kind in kinds]
