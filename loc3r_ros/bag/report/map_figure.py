# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The map seen from above: occupancy, trajectory, truth, and where the thumbnails were taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bag.report.agent_marks import (
    agent_marks,
    doubt_layer,
    marks_layer,
    positions_of,
)
from loc3r_ros.bag.report.axes import known, number, path, round_step, runs, ticks
from loc3r_ros.bag.report.data import ReportData
from loc3r_ros.bag.report.map_view import WIDTH, KnownCells, MapView, place_labels, view_of
from loc3r_ros.bag.report.markup import Markup, element, join, picture, png_uri
from loc3r_ros.types import TrackingState

Array = NDArray[np.float64]

HUES = 10
"""Colours that the trajectory runs through from start to end (`--t0` ... in style.css)."""

_FREE_OCCUPIED = {
    'light': ((255, 255, 255), (43, 48, 57)),
    'dark': ((47, 53, 62), (214, 220, 228)),
}


def hue_of(fraction: Array) -> NDArray[np.intp]:
    """Number of the trajectory's colour at a fraction of the time."""
    return np.clip(np.nan_to_num(fraction) * HUES, 0, HUES - 1).astype(np.intp)


def map_figure(data: ReportData) -> tuple[Markup, MapView]:
    """The drawing, and where it puts the places of `map`."""
    cells = KnownCells.of(data.grid)
    marks = agent_marks(data.replies, data.grades)
    view = view_of(data, cells, positions_of(marks))
    layers = [
        element('rect', class_='unknown', width=WIDTH, height=f'{view.height:.0f}'),
        *(_grid_pictures(view, cells) if cells is not None else ()),
        _metre_lines(view),
        doubt_layer(view, marks),
        _trajectory(view, data),
        _truth(view, data),
        _heading_ticks(view, data),
        _ends(view, data),
        _numbered_dots(view, data),
        marks_layer(view, marks),
        _scale_bar(view),
        _cursor(),
    ]
    what = 'Map from above with the camera trajectory'
    return element(
        'svg',
        element('title', what),
        *layers,
        id='map',
        viewBox=f'0 0 {WIDTH:.0f} {view.height:.0f}',
        role='group',
        aria_label=what,
    ), view


def _grid_pictures(view: MapView, cells: KnownCells) -> list[Markup]:
    """The occupancy as one picture for light and one for dark pages; unknown is transparent."""
    (x0, y1), (x1, y0) = view(cells.corners)
    pictures = []
    for theme, (free, occupied) in _FREE_OCCUPIED.items():
        share = np.clip(cells.data[::-1, :, None] / 100.0, 0.0, 1.0)
        bgra = np.empty((*cells.data.shape, 4), np.uint8)
        bgra[..., :3] = np.rint(np.array(free) * (1 - share) + np.array(occupied) * share)[
            ..., ::-1
        ]
        bgra[..., 3] = np.where(cells.data[::-1] >= 0, 255, 0)
        place = {'x': f'{x0:.2f}', 'y': f'{y0:.2f}'}
        size = {'width': f'{x1 - x0:.2f}', 'height': f'{y1 - y0:.2f}'}
        shape = {'class_': f'cells {theme}', 'preserveAspectRatio': 'none'}
        pictures.append(picture('image', png_uri(bgra), **shape, **place, **size))
    return pictures


def _metre_lines(view: MapView) -> Markup:
    """Thin lines at round coordinates, labelled along the left and lower edge."""
    step = round_step(view.right - view.left, 9)
    many = int((view.right - view.left) / step) + 1
    parts = []
    for x in ticks(view.left, view.right, many):
        u = view(np.array([x, 0.0]))[0]
        parts.append(element('line', x1=f'{u:.1f}', x2=f'{u:.1f}', y2=f'{view.height:.0f}'))
        if 70 < u < WIDTH - 40:
            parts.append(_text(u, view.height - 8, f'{number(x)} m', 'middle'))
    for y in ticks(view.bottom, view.top, many):
        v = view(np.array([0.0, y]))[1]
        parts.append(element('line', y1=f'{v:.1f}', y2=f'{v:.1f}', x2=WIDTH))
        if 30 < v < view.height - 50:
            parts.append(_text(8, v - 5, f'{number(y)} m', 'start'))
    return element('g', *parts, class_='metres')


def _truth(view: MapView, data: ReportData) -> Markup:
    if data.truth is None:
        return Markup()
    return element(
        'path', element('title', 'ground truth'), class_='truth', d=path(_sparse(view(data.truth)))
    )


def _trajectory(view: MapView, data: ReportData) -> Markup:
    """Coloured by time while the pose can be trusted, else by state; a halo sets it off the map."""
    points, elapsed = view(data.positions), data.elapsed
    hues = hue_of(elapsed / max(float(np.nanmax(elapsed, initial=0.0)), 1e-9))
    lost = np.array([s is TrackingState.LOST for s in data.states], bool)
    style = [
        f't{hue}' if state in (TrackingState.TRACKING, TrackingState.INITIALISING) else state.value
        for hue, state in zip(hues, data.states, strict=True)
    ]
    parts = [element('path', class_='halo', d=path(_sparse(points)))]
    start = 0
    for end in range(1, len(style) + 1):
        if end < len(style) and style[end] == style[start]:
            continue
        # A stretch begins at the last point of the one before, so that no gap is seen.
        stretch = _sparse(points[max(start - 1, 0) : end])
        parts.append(element('path', class_=style[start], d=path(stretch)))
        start = end
    # A lost camera stays at its last trusted pose; the jump at recovery is a guess, drawn dashed.
    for _, end in runs(lost):
        if end < len(points):
            parts.append(element('path', class_='lost', d=path(points[end - 1 : end + 1])))
    return element('g', *parts, class_='trajectory')


def _sparse(points: Array, spacing: float = 0.4) -> Array:
    """Points without those closer than `spacing` to the last one kept; the last one stays."""
    keep, last = [], np.full(2, np.inf)
    for i, p in enumerate(points):
        gap = float(np.hypot(*(p - last)))
        if not gap < spacing:
            keep.append(i)
            last = p
    if len(points) and keep[-1] != len(points) - 1:
        keep.append(len(points) - 1)
    return points[keep]


def _heading_ticks(view: MapView, data: ReportData, spacing: float = 16.0) -> Markup:
    """Short strokes along the viewing direction, evenly along the path."""
    points, headings = view(data.positions), data.headings * (1.0, -1.0)
    moves = np.nan_to_num(np.linalg.norm(np.diff(points, axis=0), axis=1))
    travelled = np.concatenate([[0.0], np.cumsum(moves)])[: len(points)]
    spacing = max(spacing, float(travelled.max(initial=0.0)) / 400)
    _, at = np.unique(travelled // spacing, return_index=True)
    strokes = np.full((len(at), 3, 2), np.nan)
    strokes[:, 0], strokes[:, 1] = points[at], points[at] + 12.0 * headings[at]
    return element('path', class_='headings', d=path(strokes.reshape(-1, 2)))


def _ends(view: MapView, data: ReportData) -> Markup:
    """A ring at the start, a square at the end."""
    points = view(data.positions)
    points = points[known(points)]
    if not len(points):
        return Markup()
    (x0, y0), (x1, y1) = points[0], points[-1]
    return join(
        [
            element(
                'circle', element('title', 'start'), class_='start', cx=f'{x0:.1f}', cy=f'{y0:.1f}'
            ),
            element('rect', element('title', 'end'), class_='end', x=f'{x1:.1f}', y=f'{y1:.1f}'),
        ]
    )


def _numbered_dots(view: MapView, data: ReportData, gap: float = 29.0) -> Markup:
    """A number and a view cone for each thumbnail; the numbers keep clear of the trajectory."""
    points = view(data.positions)
    numbered = [
        (number, t.index)
        for number, t in enumerate(data.thumbnails, 1)
        if np.isfinite(points[t.index]).all()
    ]
    anchors = points[[index for _, index in numbered]].reshape(-1, 2)
    line = points[known(points)]
    obstacles = line[:: max(1, len(line) // 300)]
    places = place_labels(anchors, obstacles, (WIDTH, view.height), gap)
    dots = []
    for (n, index), (ax, ay), (x, y) in zip(numbered, anchors, places, strict=True):
        dx, dy = data.headings[index] * (1.0, -1.0)
        angle = np.degrees(np.arctan2(dy, dx)) if np.isfinite([dx, dy]).all() else 0.0
        dots.append(
            element(
                'a',
                element('path', class_='cone', d=CONE, transform=_at(ax, ay, angle)),
                element('path', class_='leader', d=f'M{ax:.1f},{ay:.1f} {x:.1f},{y:.1f}'),
                element('circle', class_='anchor', cx=f'{ax:.1f}', cy=f'{ay:.1f}'),
                element('circle', class_='number', cx=f'{x:.1f}', cy=f'{y:.1f}'),
                element('text', n, x=f'{x:.1f}', y=f'{y:.1f}'),
                id=f'place-{n}',
                class_='place',
                href=f'#place-{n}',
                tabindex=-1,
                data_place=n,
                aria_label=f'Place {n}, frame {index}',
            )
        )
    return element('g', *dots, class_='places')


CONE = 'M0,0 L46,-20 A50,50 0 0 1 46,20 Z'


def _at(x: float, y: float, angle: float) -> str:
    return f'translate({x:.1f} {y:.1f}) rotate({angle:.0f})'


def _scale_bar(view: MapView) -> Markup:
    length = round_step((view.right - view.left) / 9, 1)
    x1, y = WIDTH - 20, view.height - 46
    x0 = x1 - length * view.scale
    return element(
        'g',
        element('path', d=f'M{x0:.1f},{y - 6:.0f} v6 H{x1:.1f} v-6'),
        _text((x0 + x1) / 2, y - 8, f'{number(length)} m', 'middle'),
        class_='scale',
    )


def _cursor() -> Markup:
    """The moment under the pointer; the script moves it."""
    return element(
        'g',
        element('path', class_='cone', d=CONE),
        element('circle', r=6),
        id='map-cursor',
        visibility='hidden',
    )


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    return element('text', words, x=f'{x:.1f}', y=f'{y:.1f}', text_anchor=anchor)
