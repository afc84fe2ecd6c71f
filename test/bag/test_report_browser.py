# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The report page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from headless import NAMES, Page, find_browser
from test_report import make_run, no_frames

from loc3r_ros.bag.report import ReportData, write_report
from loc3r_ros.bag.report.map_figure import map_figure


@pytest.fixture(scope='module')
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    executable = find_browser()
    if executable is None:
        pytest.skip(f'no browser: none of {", ".join(NAMES)} is installed')
    page = Page(executable, tmp_path_factory.mktemp('profile'))
    yield page
    page.close()


def show(browser: Page, folder: Path, data: ReportData, fragment: str = '') -> None:
    """Open the report and check that it is silent and asks for nothing but itself."""
    target = folder / 'report.html'
    write_report(target, data)
    browser.open(target.as_uri() + fragment)
    assert complaints(browser) == []
    requests = [
        e['params']['request']['url']
        for e in browser.events
        if e['method'] == 'Network.requestWillBeSent'
    ]
    assert [url for url in requests if not url.startswith('data:')] == [target.as_uri()]


def complaints(browser: Page) -> list[dict]:
    kinds = ('Log.entryAdded', 'Runtime.exceptionThrown', 'Runtime.consoleAPICalled')
    browser.evaluate('0')  # what the page had to say comes before this answer
    return [e for e in browser.events if e['method'] in kinds]


def selected(browser: Page) -> list[str]:
    return browser.evaluate(
        '[...document.querySelectorAll(".place.selected, .film .selected")]'
        '.map(e => e.id || "picture-" + e.dataset.place)'
    )


def point_at(browser: Page, selector: str, x: float, y: float, *, press: bool = False) -> None:
    """Move the pointer to a fraction of an element's width and height, and click there."""
    left, top, width, height = browser.evaluate(
        f'(() => {{ const e = document.querySelector({selector!r});'
        ' e.scrollIntoView({block: "center"}); const b = e.getBoundingClientRect();'
        ' return [b.x, b.y, b.width, b.height]; })()'
    )
    at = {'x': left + x * width, 'y': top + y * height}
    browser.call('Input.dispatchMouseEvent', type='mouseMoved', **at)
    if press:
        for kind in ('mousePressed', 'mouseReleased'):
            browser.call('Input.dispatchMouseEvent', type=kind, button='left', clickCount=1, **at)


def readings(browser: Page) -> dict[str, str]:
    return browser.evaluate(
        'Object.fromEntries([...document.querySelectorAll("output")]'
        '.map(o => [o.dataset.series, o.textContent]))'
    )


def test_click_on_a_picture_marks_its_place_and_moment(browser: Page, tmp_path: Path) -> None:
    data = make_run()
    browser.look(1280)
    show(browser, tmp_path, data)
    assert browser.evaluate('document.querySelectorAll("main svg").length') == 7
    assert selected(browser) == []
    point_at(browser, '.film a:nth-child(4) img', 0.5, 0.5, press=True)
    assert selected(browser) == ['place-4', 'picture-4']
    frame = data.thumbnails[3].index
    values = readings(browser)
    assert values['state'] == f'{data.states[frame].value} · frame {frame} · {frame / 10:.2f} s'
    assert values['inliers'] == str(data.inliers[frame])
    sigma, unit = values['sigma'].split()
    assert unit == 'mm'
    assert float(sigma) == pytest.approx(1e3 * data.sigma[frame], rel=0.01)
    _, view = map_figure(data)
    matrix = browser.evaluate(
        '(() => { const m = document.getElementById("map-cursor").transform.baseVal'
        '.consolidate().matrix; return [m.e, m.f]; })()'
    )
    np.testing.assert_allclose(matrix, view(data.positions[frame]), atol=0.1)
    point_at(browser, 'h1', 0.5, 0.5)
    assert selected(browser) == ['place-4', 'picture-4']  # it stays when the pointer leaves
    assert browser.evaluate('location.hash') == '#place-4'
    assert complaints(browser) == []


def test_pointer_over_a_plot_and_over_the_map(browser: Page, tmp_path: Path) -> None:
    data = make_run()
    browser.look(1280)
    show(browser, tmp_path, data)
    point_at(browser, '.plot.inliers .area', 0.5, 0.5)
    assert readings(browser)['state'].split(' · ')[1] in ('frame 29', 'frame 30')
    _, view = map_figure(data)
    x, y = view(data.positions[41]) / (800.0, view.height)
    point_at(browser, '#map', float(x), float(y))
    assert 'frame 41 ' in readings(browser)['state']
    point_at(browser, 'h1', 0.5, 0.5)
    assert set(readings(browser).values()) == {''}


def test_address_with_a_place_opens_at_it(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, make_run(), '#place-2')
    assert selected(browser) == ['place-2', 'picture-2']
    browser.open((tmp_path / 'report.html').as_uri() + '#place-5')
    assert selected(browser) == ['place-5', 'picture-5']


def test_page_without_script_still_marks_the_place(browser: Page, tmp_path: Path) -> None:
    browser.call('Emulation.setScriptExecutionDisabled', value=True)
    try:
        show(browser, tmp_path, make_run(), '#place-3')
        cone = 'getComputedStyle(document.querySelector("#place-{} .cone")).opacity'
        assert selected(browser) == []
        assert float(browser.evaluate(cone.format(3))) > 0.2
        assert float(browser.evaluate(cone.format(2))) == 0.0
    finally:
        browser.call('Emulation.setScriptExecutionDisabled', value=False)


@pytest.mark.parametrize('width', [360, 420, 768, 1280])
def test_nothing_is_wider_than_the_window(browser: Page, tmp_path: Path, width: int) -> None:
    data = replace(
        make_run(),
        source={'bag': 'a_' * 100},
        problems=('x' * 300,),
        failure='y' * 300,
        title='z' * 120,
    )
    browser.look(width)
    show(browser, tmp_path, data)
    assert browser.evaluate('document.documentElement.scrollWidth') <= width


def test_light_and_dark_show_the_same_cells(browser: Page, tmp_path: Path) -> None:
    """The wall of the grid is drawn dark on light pages and light on dark ones."""
    data = make_run()
    _, view = map_figure(data)
    shades = []
    for dark in (False, True):
        browser.look(1280, dark=dark)
        show(browser, tmp_path, data)
        box = browser.evaluate(
            '(() => { const b = document.getElementById("map").getBoundingClientRect();'
            ' return [b.x + scrollX, b.y + scrollY, b.width / 800]; })()'
        )
        browser.screenshot(tmp_path / 'shot.png')
        shot = cv2.imread(str(tmp_path / 'shot.png'))
        wall, floor = np.array([[0.03, -0.475], [0.03, -0.3]])
        at = [np.rint(np.array(box[:2]) + view(p) * box[2]).astype(int) for p in (wall, floor)]
        shades.append([int(shot[y, x].mean()) for x, y in at])
    (light_wall, light_floor), (dark_wall, dark_floor) = shades
    assert light_wall < 80 < 240 < light_floor
    assert dark_floor < 80 < 180 < dark_wall


def test_failed_run_shows_why(browser: Page, tmp_path: Path) -> None:
    browser.look(1280)
    show(browser, tmp_path, no_frames(failure='No space left on device'))
    assert 'No space left' in browser.evaluate('document.querySelector(".failure").innerText')
