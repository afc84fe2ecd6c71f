# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The report page: its content against the data, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from loc3r_ros.bag.report import Event, ReportData, Summary, Thumbnail, render, write_report
from loc3r_ros.bag.report.axes import number, path, thin, ticks, value_axis
from loc3r_ros.bag.report.map_figure import map_figure
from loc3r_ros.bag.report.map_view import KnownCells, MapView, place_labels
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import T_BODY_OPTICAL
from loc3r_ros.types import OccupancyGrid, TrackingState

VOID = {'meta', 'img'}


def make_run(n: int = 60, thumbnails: int = 6) -> ReportData:
    """A walk on an arc with some of everything; deterministic."""
    random = np.random.default_rng(3)
    angle = np.linspace(0.0, 2.5, n)
    T = np.tile(T_BODY_OPTICAL, (n, 1, 1))
    T[:, 0, 3], T[:, 1, 3], T[:, 2, 3] = 2 * np.cos(angle), 2 * np.sin(angle), 1.2
    cells = np.full((80, 120), -1, np.int8)
    cells[10:70, 15:100] = 0
    cells[10, 15:100] = 100
    states = [TrackingState.TRACKING] * n
    states[n // 2 : n // 2 + 3] = [TrackingState.LOST] * len(states[n // 2 : n // 2 + 3])
    truth = T[:, :3, 3] + random.normal(0, 0.01, (n, 3))
    at = np.linspace(0, n - 1, thumbnails).astype(int)
    pictures = random.integers(0, 255, (thumbnails, 48, 64, 3)).astype(np.uint8)
    return ReportData(
        title='walk',
        source={'bag': 'walk', 'image': '/camera/image_raw'},
        summary=Summary(
            frames=n,
            tracked=n - 3,
            keyframes=4,
            path_length_m=5.04,
            duration_s=n / 10,
            ate_rmse_m=0.0214,
            peak_memory_mib=512.25,
            weights='none',
            versions={'numpy': '2.1.0'},
        ),
        stamps=1.6e9 + np.arange(n) / 10,
        T_map_camera=T,
        states=tuple(states),
        inliers=random.integers(50, 300, n),
        sigma=random.gamma(4.0, 0.001, n),
        latencies={'track': random.gamma(20.0, 2.0, n), 'map': random.gamma(5.0, 2.0, n)},
        confidence=random.gamma(9.0, 0.5, n),
        truth=truth,
        error=np.linalg.norm(truth - T[:, :3, 3], axis=1),
        grid=OccupancyGrid(0.0, cells, 0.05, (-2.5, -1.0)),
        thumbnails=tuple(Thumbnail(int(i), p) for i, p in zip(at, pictures, strict=True)),
        events=(Event(0, 'keyframe'), Event(n // 2, 'lost', 'too few matches')),
        problems=('Depth was missing for 3 images.',),
        notes=('No encoder weights were given.',),
    )


class Elements(HTMLParser):
    """Reads a page and complains about a tag that is not closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f'repeated attribute in <{tag}>'
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else '', data))

    def all(self, tag: str, class_: str = '') -> list[dict[str, str | None]]:
        """Attributes of each element of that tag, and class where one is given."""
        wanted = set(class_.split())
        return [
            a for t, a in self.found if t == tag and wanted <= set((a.get('class') or '').split())
        ]

    def text(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags and text.strip()]


def read_samples(page: str) -> dict:
    return json.loads(re.search(r'id="samples">(.*?)</script>', page).group(1))


def check_whole(page: str) -> Elements:
    """A page that parses, has no id twice, and asks nothing of anyone."""
    elements = Elements(page)
    ids = [a['id'] for _, a in elements.found if 'id' in a]
    assert len(ids) == len(set(ids))
    assert not re.search(r'https?:|//[a-z]|@import', page.replace('// Joins', ''))
    for tag, attributes in elements.found:
        for name in ('src', 'href'):
            target = attributes.get(name)
            assert target is None or target.startswith(('data:image/', '#place-')), (tag, target)
        assert not [name for name in attributes if name.startswith('on')]
    assert 'nan' not in ' '.join(a.get('d') or '' for _, a in elements.found).lower()
    return elements


def test_page_is_whole_and_says_what_the_data_say() -> None:
    data = make_run()
    elements = check_whole(render(data))
    assert elements.text('p')[0] == '57 of 60 frames tracked, 5 m, ATE 0.021 m'
    assert elements.text('title')[0] == 'walk · 57 of 60 frames tracked, 5 m, ATE 0.021 m'
    cells = dict(zip(elements.text('th'), elements.text('td'), strict=False))
    assert cells['Frames'] == '60'
    assert cells['ATE, RMSE'] == '0.0214 m'
    assert 'Depth was missing for 3 images.' in elements.text('li')
    summary = json.loads(elements.text('pre')[0])
    assert summary == data.summary
    assert len(elements.all('img')) == 6
    assert len(elements.all('a', 'place')) == 6
    assert len(elements.all('svg')) == 7  # the map, the states, five quantities


def test_latency_table_holds_the_percentiles_of_the_data() -> None:
    data = make_run()
    text = Elements(render(data)).text('td')
    for values in data.latencies.values():
        at = text.index(f'{np.percentile(values, 50):.1f}')
        assert text[at + 1] == f'{np.percentile(values, 95):.1f}'


def test_pointer_samples_are_the_data() -> None:
    data = make_run()
    samples = read_samples(render(data))
    assert samples['frame'] == list(range(60))
    np.testing.assert_allclose(samples['time'], np.arange(60) / 10, atol=1e-6)
    np.testing.assert_allclose(samples['series']['inliers']['values'], data.inliers)
    assert samples['series']['sigma']['unit'] == 'mm'
    np.testing.assert_allclose(samples['series']['sigma']['values'], 1e3 * data.sigma, atol=1e-4)
    total = data.latencies['track'] + data.latencies['map']
    np.testing.assert_allclose(samples['series']['latency']['values'], total, atol=1e-4)
    _, view = map_figure(data)
    x = view.left + np.array(samples['x']) / view.scale
    np.testing.assert_allclose(x, data.positions[:, 0], atol=0.001)
    assert samples['state'][30] == 'lost'
    assert set(samples['heading']) == {0.0}  # the camera looks along x of the map


def test_grid_picture_is_the_grid_at_its_place() -> None:
    data = make_run()
    drawing, view = map_figure(data)
    light = Elements(drawing).all('image', 'light')[0]
    png = base64.b64decode(light['href'].split(',', 1)[1])
    bgra = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert bgra.shape == (60, 85, 4)  # the known part
    assert (bgra[-1, :, :3] < 80).all()  # the wall lies at the lowest y
    assert (bgra[:-1, :, :3] == 255).all()
    corner = view(np.array([-2.5 + 15 * 0.05, -1.0 + 70 * 0.05]))
    np.testing.assert_allclose([float(light['x']), float(light['y'])], corner, atol=0.01)
    np.testing.assert_allclose(float(light['width']), 85 * 0.05 * view.scale, atol=0.01)


def test_large_grid_keeps_its_walls() -> None:
    cells = np.zeros((10, 5000), np.int8)
    cells[:, 4321] = 100
    known = KnownCells.of(OccupancyGrid(0.0, cells, 0.05, (0.0, 0.0)))
    assert known is not None
    assert known.data.shape == (3, 1250)
    assert known.resolution == 0.2
    assert np.flatnonzero(known.data[0] == 100).tolist() == [4321 // 4]


@pytest.mark.parametrize('size', [(0.1, 0.1), (30.0, 1.0), (1.0, 30.0)])
def test_window_holds_all_points(size: tuple[float, float]) -> None:
    points = np.array([[3.0, -2.0], [3.0 + size[0], -2.0 + size[1]], [np.nan, 0.0]])
    view = MapView.around(points)
    drawn = view(points[:2])
    assert (drawn > 10).all()
    assert (drawn < [790, view.height - 10]).all()
    assert 400 <= view.height <= 760


def test_labels_part_even_from_one_place() -> None:
    anchors = np.full((24, 2), 300.0)
    places = place_labels(anchors, anchors[:1], (800.0, 600.0), 29.0)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e9 * np.eye(24)
    assert apart.min() > 21.0  # the diameter of a label
    assert np.linalg.norm(places - 300.0, axis=1).max() < 150.0


HOSTILE = '</script><script>alert(1)</script><b onclick="x">&"\''


def test_hostile_text_stays_text() -> None:
    data = replace(
        make_run(),
        title=HOSTILE,
        source={HOSTILE: HOSTILE},
        latencies={HOSTILE: np.ones(60)},
        events=(Event(2, 'lost', HOSTILE),),
        problems=(HOSTILE,),
        notes=(HOSTILE,),
        failure=HOSTILE,
        summary=Summary(weights=HOSTILE, versions={HOSTILE: HOSTILE}),
    )
    elements = check_whole(render(data))
    assert len(elements.all('script')) == 2
    assert HOSTILE in elements.text('h1')
    assert HOSTILE in elements.text('li')
    assert elements.all('span', 'event')[0]['title'] == f'frame 2: lost, {HOSTILE}'


def test_only_the_pages_own_script_may_run() -> None:
    page = render(make_run())
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page).group(1)
    script = re.findall(r'<script>(.*?)</script>', page, re.DOTALL)
    digest = hashlib.sha256(script[0].encode()).digest()
    assert len(script) == 1
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert "default-src 'none'" in policy


def no_frames(**more: object) -> ReportData:
    none = np.zeros(0)
    return ReportData('t', {}, {}, none, np.zeros((0, 4, 4)), (), none, none, **more)


def test_no_frames_and_a_failure() -> None:
    elements = check_whole(render(no_frames(failure='no image topic in my_bag')))
    assert 'No frame was read' in elements.text('p')
    assert 'no image topic in my_bag' in elements.text('p')
    assert 'Run failed' in elements.text('span')
    assert elements.all('svg') == []


def without_values(data: ReportData) -> ReportData:
    nan = np.full(len(data.stamps), np.nan)
    return replace(
        data,
        stamps=nan,
        T_map_camera=np.full_like(data.T_map_camera, np.nan),
        inliers=nan,
        sigma=nan,
        latencies={'track': nan},
        confidence=nan,
        truth=np.full_like(data.truth, np.nan),
        error=nan,
        summary=Summary(ate_rmse_m=float('nan')),
    )


@pytest.mark.parametrize(
    ('data', 'drawings'),
    [
        (replace(make_run(), grid=None), 7),
        (replace(make_run(), thumbnails=()), 7),
        (replace(make_run(), latencies={}, truth=None, error=None, confidence=None), 4),
        (replace(make_run(), summary={}), 7),
        (replace(make_run(), states=(TrackingState.LOST,) * 60, summary={}), 7),
        (replace(make_run(), grid=OccupancyGrid(0, np.full((4, 4), -1, np.int8), 0.1, (0, 0))), 7),
        (make_run(n=4, thumbnails=4), 7),
        (replace(make_run(), stamps=np.zeros(60)), 7),
        (replace(make_run(), stamps=np.arange(60)[::-1] / 10), 7),
        (without_values(make_run()), 2),  # the grid, and the states
        (replace(without_values(make_run()), grid=None), 1),
    ],
)
def test_what_is_missing_is_left_out(data: ReportData, drawings: int) -> None:
    elements = check_whole(render(data))
    assert len(elements.all('svg')) == drawings


def test_one_frame() -> None:
    data = replace(make_run(n=4, thumbnails=1), events=())
    one = replace(
        data,
        stamps=data.stamps[:1],
        T_map_camera=data.T_map_camera[:1],
        states=data.states[:1],
        inliers=data.inliers[:1],
        sigma=data.sigma[:1],
        latencies={'track': np.ones(1)},
        confidence=None,
        truth=None,
        error=None,
        summary={},
    )
    assert '1 of 1 frames tracked' in check_whole(render(one)).text('p')


def test_long_run_stays_small(tmp_path: Path) -> None:
    data = make_run(n=20_000, thumbnails=60)
    many = tuple(f'problem {i}' for i in range(5000))
    write_report(tmp_path / 'report.html', replace(data, problems=many))
    page = (tmp_path / 'report.html').read_text()
    assert len(page) < 2_000_000
    elements = check_whole(page)
    assert len(elements.all('img')) == 24
    assert elements.text('li').count('and 4,980 more') == 1
    samples = read_samples(page)
    assert 1000 < len(samples['frame']) < 1300
    shown = [int(a['data-frame']) for a in elements.all('a') if 'data-frame' in a]
    assert shown[0] == 0
    assert shown[-1] == 19_999
    assert set(shown) <= set(samples['frame'])


def test_thin_keeps_extremes_and_gaps() -> None:
    values = np.sin(np.arange(30_000) / 500.0)
    values[12_345], values[23_456], values[7_000:7_003] = 9.0, -9.0, np.nan
    keep = thin(values)
    assert len(keep) < 2100
    assert {0, 12_345, 23_456, 29_999} <= set(keep.tolist())
    assert np.isnan(values[keep]).any()
    assert (np.diff(keep) > 0).all()


def test_path_breaks_where_a_value_is_missing() -> None:
    points = np.array([[0, 1], [1, 1], [np.nan, 0], [3, 2], [4, np.nan]])
    assert path(points) == 'M0.0,1.0 1.0,1.0M3.0,2.0h0'


def test_axes() -> None:
    assert ticks(-1.0, 2.1, 4) == [-1.0, 0.0, 1.0, 2.0]
    axis = value_axis(np.array([1.0, 2.0, 7.3, np.nan]))
    assert (axis.low, axis.high, axis.logarithmic) == (0.0, 8.0, False)
    axis = value_axis(np.array([0.002] * 9 + [0.9]))
    assert axis.logarithmic
    np.testing.assert_allclose(axis(np.array([0.001, 0.01, 1.0])), [0, 1 / 3, 1], atol=1e-12)
    assert value_axis(np.full(3, np.nan)).high == 1.0


@pytest.mark.parametrize(
    ('value', 'text'),
    [(0.0, '0'), (0.02134, '0.0213'), (6.82, '6.82'), (1234.5, '1,234'), (-2.0, '−2'),
     (float('nan'), '–'), (1e-9, '0'), (-1e-9, '0'), (20.0, '20')],
)  # fmt: skip
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_full_disk_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / 'report.html'
    target.write_text('old')

    def full(self: Path, text: str, **_: object) -> None:
        self.write_bytes(text.encode()[:1000])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_text', full)
    with pytest.raises(OSError, match='No space left'):
        write_report(target, make_run())
    assert [p.name for p in tmp_path.iterdir()] == ['report.html']
    assert target.read_bytes() == b'old'


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'sigma': np.zeros(59)}, r'sigma has shape \(59,\); 60 frames need \(60,\)'),
        ({'latencies': {'map': np.zeros(3)}}, "latencies\\['map'\\]"),
        ({'truth': np.zeros((60, 2))}, 'truth'),
        ({'events': (Event(60, 'lost'),)}, 'event at frame 60, but there are 60'),
        ({'thumbnails': (Thumbnail(-1, np.zeros((2, 2, 3), np.uint8)),)}, 'thumbnail at frame -1'),
    ],
)
def test_wrong_shapes_are_named(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        replace(make_run(), **change)


def luminance(colour: str) -> float:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize('theme', [0, 1], ids=['light', 'dark'])
def test_text_has_contrast(theme: int) -> None:
    """WCAG 2.1, 1.4.3 (text 4.5:1) and 1.4.11 (graphics 3:1)."""
    style = re.search(r'<style>(.*?)</style>', render(no_frames()), re.DOTALL).group(1)
    block = style.split(':root {')[1 + theme].split('}')[0]
    colour = dict(re.findall(r'--([a-z0-9-]+): (#[0-9a-f]{6});', block))

    def contrast(a: str, b: str) -> float:
        light, dark = sorted((luminance(colour[a]), luminance(colour[b])), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    text = [('ink', 'page'), ('ink', 'card'), ('quiet', 'page'), ('quiet', 'card')]
    text += [('quiet', 'unknown'), ('accent', 'card'), ('number', 'accent')]
    text += [(mark, f'{mark}-back') for mark in ('good', 'fair', 'bad')]
    graphics = [(f't{k}', 'free') for k in range(10)] + [('s0', 'card'), ('s2', 'card')]
    graphics += [('occupied', 'free'), ('lost', 'card'), ('truth', 'free')]
    assert {pair: contrast(*pair) for pair in text if contrast(*pair) < 4.5} == {}
    assert {pair: contrast(*pair) for pair in graphics if contrast(*pair) < 3.0} == {}
