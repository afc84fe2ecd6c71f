# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The words and figures of the page: verdict, key figures, problems, thumbnails, tables."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from loc3r_ros.answers.grading import tally
from loc3r_ros.bag.report.axes import number
from loc3r_ros.bag.report.data import ReportData
from loc3r_ros.bag.report.markup import Markup, element, jpeg_uri, picture
from loc3r_ros.bag.report.series import total_latency
from loc3r_ros.types import TrackingState

_THUMBNAIL_WIDTH = 240
_LISTED = 20
"""Problems told in full; a broken recording can have one for each of thousands of frames."""

_LABELS = {
    'frames': ('Frames', ''),
    'tracked': ('Tracked', ''),
    'keyframes': ('Keyframes', ''),
    'path_length_m': ('Path length', 'm'),
    'duration_s': ('Duration', 's'),
    'peak_memory_mib': ('Peak memory', 'MiB'),
    'weights': ('Encoder weights', ''),
}
_ACCURACY_LABELS = {
    'ate_rmse_m': ('ATE, RMSE', 'm'),
    'rotation_error_mean_deg': ('Rotation error, mean', '°'),
    'rpe_rmse_m': ('RPE, RMSE', 'm'),
    'rpe_rmse_deg': ('RPE rotation, RMSE', '°'),
    'rpe_delta': ('RPE over', ''),
}


def counts(data: ReportData) -> tuple[int, int]:
    """Frames with a trusted pose, and all frames."""
    trusted = (TrackingState.TRACKING, TrackingState.DEGRADED)
    tracked = sum(state in trusted for state in data.states)
    summary = data.summary
    return summary.get('tracked', tracked), summary.get('frames', len(data.states))


def verdict(data: ReportData) -> str:
    """The run in one line."""
    tracked, frames = counts(data)
    if frames == 0:
        return 'No frame was read'
    parts = [f'{tracked:,} of {frames:,} frames tracked']
    if tracked and 'path_length_m' in data.summary:
        parts.append(f'{number(data.summary["path_length_m"], 2)} m')
    if 'ate_rmse_m' in data.summary:
        parts.append(f'ATE {number(data.summary["ate_rmse_m"], 2)} m')
    return ', '.join(parts)


def header(data: ReportData) -> Markup:
    """Title, verdict, where the data came from, and what stopped the run, if anything did."""
    tracked, frames = counts(data)
    mark = 'good' if frames and tracked == frames else 'fair' if tracked else 'bad'
    if data.failure is not None:
        mark = 'bad'
    words = {'good': 'All frames tracked', 'fair': 'Tracked in part', 'bad': 'Nothing tracked'}
    badge = 'Run failed' if data.failure is not None else words[mark]
    source = [element('span', element('b', k), ' ', v) for k, v in data.source.items()]
    failure = Markup()
    if data.failure is not None:
        failure = element(
            'div',
            element('strong', 'The run stopped before its end'),
            element('p', data.failure),
            class_='failure',
            role='alert',
        )
    return element(
        'header',
        element('p', element('span', badge, class_=f'badge {mark}'), class_='over'),
        element('h1', data.title),
        element('p', verdict(data), class_='verdict'),
        element('p', *source, class_='source') if source else Markup(),
        failure,
    )


def key_figures(data: ReportData) -> Markup:
    """The few figures that people look for first."""
    s = data.summary
    tracked, frames = counts(data)
    tiles = [('Tracked', f'{tracked:,}', f'of {frames:,} frames')]
    if 'path_length_m' in s:
        over = f'in {number(s["duration_s"])} s' if 'duration_s' in s else ''
        tiles.append(('Path', f'{number(s["path_length_m"])} m', over))
    if 'ate_rmse_m' in s:
        turn = s.get('rotation_error_mean_deg')
        also = '' if turn is None else f'rotation {number(turn, 2)}°'
        tiles.append(('ATE, RMSE', f'{number(s["ate_rmse_m"], 2)} m', also))
    if data.latencies and np.isfinite(total := total_latency(data)).any():
        p50, p95 = np.nanpercentile(total, [50, 95])
        tiles.append(('Each frame', f'{number(float(p50))} ms', f'p95 {number(float(p95))} ms'))
    if any(data.grades):
        found = tally(data.grades)
        tiles.append(('Quiz', f'{found["right"]} of {found["asked"]}', 'answered right'))
    if 'keyframes' in s:
        tiles.append(('Keyframes', f'{s["keyframes"]:,}', ''))
    if 'peak_memory_mib' in s:
        tiles.append(('Memory', f'{number(s["peak_memory_mib"])} MiB', 'at its peak'))
    shown = [
        element('div', element('dt', label), element('dd', value), element('dd', also))
        for label, value, also in tiles
    ]
    return element('dl', *shown, class_='tiles')


def messages(title: str, texts: tuple[str, ...], class_: str) -> Markup:
    """A list in plain words, or nothing."""
    if not texts:
        return Markup()
    items = [element('li', text) for text in texts[:_LISTED]]
    if len(texts) > _LISTED:
        items.append(element('li', f'and {len(texts) - _LISTED:,} more'))
    return element('section', element('h2', title), element('ul', *items), class_=class_)


def thumbnails(data: ReportData) -> Markup:
    """The pictures, each a link to its place on the map."""
    shown = []
    for n, thumbnail in enumerate(data.thumbnails, 1):
        uri, width, height = jpeg_uri(thumbnail.rgb, _THUMBNAIL_WIDTH)
        at = data.elapsed[thumbnail.index]
        what = f'Camera image {n}, frame {thumbnail.index}'
        time = f'{at:.1f} s' if np.isfinite(at) else f'frame {thumbnail.index}'
        shown.append(
            element(
                'a',
                picture('img', uri, width=width, height=height, alt=what),
                element('span', element('b', n), element('span', time)),
                href=f'#place-{n}',
                data_place=n,
                data_frame=thumbnail.index,
            )
        )
    return element('nav', *shown, class_='film', aria_label='Camera images along the trajectory')


def tables(data: ReportData) -> Markup:
    """All figures of the run, or nothing where none is known."""
    accuracy = _figures(data.summary, _ACCURACY_LABELS)
    versions = data.summary.get('versions', {})
    shown = [
        _table('Run', _figures(data.summary, _LABELS)),
        _table('Against ground truth', accuracy),
        _latency_table(data),
        _table('Software', list(versions.items())),
    ]
    if not any(shown):
        return Markup()
    return element('section', element('h2', 'Summary'), *shown, class_='card tables')


def raw_summary(data: ReportData) -> Markup:
    """`summary.json` as it is, folded away."""
    text = json.dumps(data.summary, indent=2, default=str, ensure_ascii=False)
    return element('details', element('summary', 'summary.json'), element('pre', text))


def _figures(
    summary: Mapping[str, object], labels: Mapping[str, tuple[str, str]]
) -> list[tuple[str, str]]:
    rows = []
    for key, (label, unit) in labels.items():
        if key in summary:
            value = summary[key]
            text = value if isinstance(value, str) else number(float(value), 4)  # type: ignore[arg-type]
            rows.append((label, f'{text}{"" if unit == "°" else " "}{unit}'.rstrip()))
    return rows


def _table(title: str, rows: list[tuple[str, str]]) -> Markup:
    if not rows:
        return Markup()
    body = [element('tr', element('th', k, scope='row'), element('td', v)) for k, v in rows]
    return element('table', element('caption', title), element('tbody', *body))


def _latency_table(data: ReportData) -> Markup:
    """Median and 95th percentile of each stage: the summary's, else those of the arrays."""
    rows = {name: (v['p50'], v['p95']) for name, v in data.summary.get('latency_ms', {}).items()}
    for name, values in data.latencies.items():
        if name not in rows and np.isfinite(values).any():
            p50, p95 = np.nanpercentile(values, [50, 95])
            rows[name] = (float(p50), float(p95))
    if not rows:
        return Markup()
    head = [element('th', text, scope='col') for text in ('stage', 'p50', 'p95')]
    body = [
        element('tr', element('th', name, scope='row'), *(element('td', f'{v:,.1f}') for v in both))
        for name, both in rows.items()
    ]
    return element(
        'table',
        element('caption', 'Latency, ms'),
        element('thead', element('tr', *head)),
        element('tbody', *body),
    )
