# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The map against rooms whose truth is known."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rooms import TABLE, at, camera_pose, cloud, drawn, look_around, patch, room

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import exp_so3, pose, transform
from loc3r_ros.mapping import BevConfig, BevMap
from loc3r_ros.mapping.agreement import compare


def mapped(clouds, *args, **kwargs):
    bev = BevMap(*args, **kwargs)
    for points, origin in clouds:
        bev.integrate(points, origin)
    return bev


WALLS = [
    ((2.0, -2.0), (2.05, 2.0)),
    ((-2.05, -2.0), (-2.0, 2.0)),
    ((-2.0, 2.0), (2.0, 2.05)),
    ((-2.0, -2.05), (2.0, -2.0)),
]


def test_walls_are_where_they_are_and_the_floor_between_is_free():
    bev = mapped(look_around(room(2.0), 24, z=0.5) * 3)
    grid = bev.grid(12.5)
    assert grid.stamp == 12.5
    agreement = compare(grid, drawn(grid, *WALLS))
    assert agreement.iou_occupied > 0.98
    assert agreement.false_free == 0.0
    # Within 1.2 m of the camera the floor is below its view.
    free = patch(grid, (-1.9, -1.9), (1.9, 1.9)) == 0
    assert free.mean() > 0.6
    assert not (patch(grid, (-1.9, -1.9), (1.9, 1.9)) == 100).any()
    assert not (patch(grid, (2.15, -2.0), (3.0, 2.0)) == 0).any()
    assert bev.floor_height == pytest.approx(0.0, abs=0.005)


def test_grid_has_only_the_values_that_nav2_reads_as_meant():
    grid = mapped(look_around(room(2.0), 5) * 2).grid(0.0)
    assert grid.data.dtype == np.int8
    assert set(np.unique(grid.data)) == {-1, 0, 100}


def looks_over(boxes):
    return [cloud(boxes, camera_pose(x=-1.0, z=1.3, pitch=p)) for p in np.linspace(10, 20, 8)] * 3


def test_table_that_is_looked_over_stays():
    grid = mapped(looks_over(room(2.4, TABLE))).grid(0.0)
    assert (patch(grid, (0.8, -0.45), (1.3, 0.45)) == 100).all()
    assert (patch(grid, (2.4, -0.5), (2.45, 0.5)) == 100).all()
    assert (patch(grid, (0.2, -0.4), (0.7, 0.4)) == 0).mean() > 0.95


def test_what_a_counter_hides_is_unknown():
    counter = ((0.75, -0.5, 0.0), (1.35, 0.5, 0.72))
    grid = mapped(looks_over(room(2.4, counter))).grid(0.0)
    assert (patch(grid, (0.8, -0.45), (1.3, 0.45)) == 100).all()
    assert (patch(grid, (1.45, -0.3), (1.95, 0.3)) == -1).all()


def test_table_survives_views_in_which_its_top_is_seen_edge_on():
    boxes = room(2.4, TABLE)
    edge_on = [cloud(boxes, camera_pose(x=-1.5, z=0.70))] * 40
    grid = mapped(looks_over(boxes)[:8] + edge_on).grid(0.0)
    assert (patch(grid, (0.8, -0.45), (1.3, 0.45)) == 100).all()


def test_table_survives_a_robot_that_looks_under_it():
    boxes = room(2.4, TABLE)
    under = [cloud(boxes, camera_pose(x=x, z=0.25)) for x in (-1.5, -0.8, -0.2)] * 15
    grid = mapped(looks_over(boxes)[:8] + under).grid(0.0)
    assert (patch(grid, (0.8, -0.45), (1.3, 0.45)) == 100).all()


def test_floor_that_is_off_and_tilted_is_no_obstacle():
    T = pose(exp_so3((np.deg2rad(0.7), np.deg2rad(0.7), 0.0)), (0.0, 0.0, 0.05))
    clouds = [
        (transform(T, p), transform(T, o)) for p, o in look_around(room(3.0), 24, z=0.9, pitch=20)
    ]
    bev = mapped(clouds * 2)
    inside = patch(bev.grid(0.0), (-2.7, -2.7), (2.7, 2.7))
    assert not (inside == 100).any()
    assert (inside == 0).mean() > 0.7
    assert bev.floor_height == pytest.approx(0.05, abs=0.02)


def test_floor_is_followed_through_drift():
    bev = BevMap()
    for i, (points, origin) in enumerate(look_around(room(3.0), 60, z=0.9, pitch=20)):
        lift = np.array([0.0, 0.0, 0.005 * i])
        bev.integrate(points + lift.astype(np.float32), origin + lift)
    assert bev.floor_height == pytest.approx(0.295, abs=0.02)
    assert not (patch(bev.grid(0.0), (-2.7, -2.7), (2.7, 2.7)) == 100).any()


def test_low_cupboards_do_not_pull_the_floor_up():
    plinth = ((0.8, 0.1, 0.0), (2.5, 2.5, 0.12))
    boxes = room(2.5, plinth)
    bev = mapped([cloud(boxes, camera_pose(z=0.9, pitch=25, yaw=y)) for y in (-40, 0, 40)] * 10)
    assert bev.floor_height == pytest.approx(0.0, abs=0.02)


def test_unknown_floor_is_waited_for_and_found(caplog):
    sunk = np.array([0.0, 0.0, -1.3])
    boxes = room(2.5)
    wall = cloud(boxes, camera_pose(z=1.3, pitch=-10.0))
    floor = cloud(boxes, camera_pose(z=1.3, pitch=25.0))
    bev = BevMap(floor_height=None)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            bev.integrate(wall[0] + sunk.astype(np.float32), wall[1] + sunk)
    assert bev.waiting == 3 and bev.floor_height is None
    assert bev.grid(0.0).data.size == 0
    assert len(caplog.records) == 1
    bev.integrate(floor[0] + sunk.astype(np.float32), floor[1] + sunk)
    assert bev.floor_height == pytest.approx(-1.3, abs=0.02)
    assert at(bev.grid(0.0), 2.51, 0.02) == 100


def test_ledge_blocks_and_the_floor_below_it_is_not_free():
    upper = ((-3.0, -2.0, -0.2), (1.5, 2.0, 0.0))
    lower = ((1.5, -2.0, -0.8), (5.0, 2.0, -0.6))
    boxes = np.array([upper, lower])
    bev = mapped([cloud(boxes, camera_pose(z=1.0, pitch=p)) for p in (20, 25, 30)] * 5)
    grid = bev.grid(0.0)
    ledge = patch(grid, (1.5, -0.3), (1.6, 0.3)) == 100
    assert ledge.mean() > 0.9
    assert not (patch(grid, (1.5, -0.5), (4.0, 0.5)) == 0).any()
    assert (patch(grid, (1.0, -0.3), (1.4, 0.3)) == 0).all()


def test_what_goes_away_is_cleared():
    box = ((1.6, -0.25, 0.0), (1.9, 0.25, 1.0))
    view = camera_pose(z=0.9, pitch=10)
    bev = mapped([cloud(room(2.5, box), view)] * 10)
    assert at(bev.grid(0.0), 1.62, 0.0) == 100
    for _ in range(20):
        bev.integrate(*cloud(room(2.5), view))
    assert (patch(bev.grid(0.0), (1.6, -0.2), (1.9, 0.2)) == 0).all()


def test_growth_keeps_what_was_there_and_the_origin_on_whole_blocks():
    config = BevConfig(block=16)
    bev = BevMap(config)
    before = None
    for x in (0.0, 7.0, -7.0):
        points, origin = cloud(room(2.0), camera_pose(z=0.5))
        shift = np.array([x, 0.3 * x, 0.0])
        bev.integrate(points + shift.astype(np.float32), origin + shift)
        grid = bev.grid(0.0)
        cells = np.array(grid.origin) / config.resolution
        assert np.allclose(cells, np.rint(cells), atol=1e-6)
        assert not (np.rint(cells).astype(int) % 16).any()
        assert not (np.array(grid.data.shape) % 16).any()
        if before is not None:
            assert compare(before, grid, 0).precision == 1.0
        before = grid
    assert at(grid, 9.02, 2.12) == at(grid, 2.02, 0.02) == at(grid, -4.98, -2.08) == 100


def test_robot_behind_its_camera_stands_in_the_map_from_the_first_cloud():
    bev = BevMap()
    bev.integrate(*cloud(room(), camera_pose(pitch=20)))
    grid = bev.grid(0.0)
    for x, y in [(-0.9, -0.9), (-0.9, 0.9), (0.9, -0.9), (0.9, 0.9)]:
        assert grid.origin[0] < x < grid.origin[0] + grid.data.shape[1] * grid.resolution
        assert grid.origin[1] < y < grid.origin[1] + grid.data.shape[0] * grid.resolution


def test_area_is_capped_and_says_so_once(caplog):
    config = BevConfig(block=16, max_area=9.0)
    with caplog.at_level(logging.WARNING):
        bev = mapped(look_around(room(3.0), 12, z=0.5), config)
    data = bev.grid(0.0).data
    assert 0 < data.size * config.resolution**2 <= 9.0
    assert (data == 0).any()
    assert bev.ignored > 0
    assert len(caplog.records) == 1 and 'max_area' in caplog.text


def test_same_clouds_give_the_same_map():
    clouds = look_around(room(2.0, TABLE), 6)
    a, b = mapped(clouds), mapped(clouds)
    assert all(np.array_equal(a.state_dict()[k], v) for k, v in b.state_dict().items())


def test_saved_state_goes_on_with_the_same_numbers(tmp_path):
    clouds = look_around(room(2.0, TABLE), 10, z=0.8, pitch=10)
    first = mapped(clouds[:5])
    np.savez(tmp_path / 'map.npz', **first.state_dict())
    second = BevMap()
    with np.load(tmp_path / 'map.npz', allow_pickle=False) as state:
        second.load_state_dict(dict(state))
    for points, origin in clouds[5:]:
        first.integrate(points, origin)
        second.integrate(points, origin)
    assert np.array_equal(first.grid(1.0).data, second.grid(1.0).data)
    assert first.floor_height == second.floor_height
    assert first.grid(1.0).origin == second.grid(1.0).origin


def test_state_of_other_settings_is_refused():
    state = mapped(look_around(room(2.0), 2)).state_dict()
    with pytest.raises(InputError, match='settings'):
        BevMap(BevConfig(resolution=0.1)).load_state_dict(state)
    with pytest.raises(InputError, match='corner'):
        BevMap().load_state_dict({k: v for k, v in state.items() if k != 'corner'})
    with pytest.raises(InputError, match='shape'):
        BevMap().load_state_dict(state | {'odds': state['odds'][:3]})


def test_clear_forgets_everything():
    bev = mapped(look_around(room(2.0), 2), floor_height=0.02)
    bev.clear()
    assert bev.grid(0.0).data.size == 0 and bev.floor_height == 0.02


@pytest.mark.parametrize(
    'points',
    [np.zeros((0, 3)), np.full((5, 3), np.nan), np.full((5, 3), np.inf), np.full((5, 3), 1e30)],
)
def test_cloud_without_a_point_changes_nothing(points):
    bev = mapped(look_around(room(2.0), 2))
    before = bev.state_dict()
    bev.integrate(points, (0.0, 0.0, 0.5))
    assert all(np.array_equal(before[k], v) for k, v in bev.state_dict().items())


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_invalid_points_among_valid_ones_do_not_matter(bad):
    points, origin = cloud(room(2.0, TABLE), camera_pose(z=0.8, pitch=10))
    mixed = np.insert(points, np.arange(0, len(points), 3), bad, axis=0)
    mixed[::7, 1:] = np.where(np.isfinite(mixed[::7, :1]), mixed[::7, 1:], 1.0)
    a, b = mapped([(points, origin)]), mapped([(mixed, origin)])
    assert np.array_equal(a.grid(0.0).data, b.grid(0.0).data)


@pytest.mark.parametrize(
    ('points', 'origin', 'named'),
    [
        (np.zeros((4, 2)), (0, 0, 0), r'\(4, 2\)'),
        (np.zeros((2, 2, 3)), (0, 0, 0), r'\(N, 3\)'),
        (np.zeros((4, 3)), (0, 0), 'origin'),
        (np.zeros((4, 3)), (0, np.nan, 0), 'origin'),
        (np.zeros((4, 3)), (0, 1e200, 0), 'origin'),
    ],
)
def test_wrong_shapes_are_refused(points, origin, named):
    with pytest.raises(InputError, match=named):
        BevMap().integrate(points, origin)


@given(
    st.lists(
        st.tuples(st.integers(-70, 70), st.integers(-70, 70), st.floats(0.3, 1.7)),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=50, deadline=None)
def test_one_cloud_marks_exactly_the_cells_that_it_hits(hits):
    """No floor in sight, and no cell that is hit is cleared by another ray of the cloud."""
    config = BevConfig()
    points = np.array([((x + 0.5) * 0.05, (y + 0.5) * 0.05, z) for x, y, z in hits], np.float32)
    points = points[np.hypot(points[:, 0], points[:, 1]) < config.max_range - 0.01]
    if not len(points):
        return
    bev = mapped([(points, (0.0, 0.0, 1.0))], config)
    grid = bev.grid(0.0)
    rows, columns = np.nonzero(grid.data == 100)
    low = np.rint(np.array(grid.origin) / 0.05).astype(int)
    found = set(zip((columns + low[0]).tolist(), (rows + low[1]).tolist(), strict=True))
    assert found == {(int(np.floor(x / 0.05)), int(np.floor(y / 0.05))) for x, y, _ in points}


@pytest.mark.parametrize(
    ('settings', 'named'),
    [
        ({'resolution': 0.0}, r'resolution=0\.0: allowed is 0\.01 to 0\.5'),
        ({'resolution': float('nan')}, 'resolution=nan'),
        ({'band_low': 1.9, 'band_high': 1.8}, 'band_low'),
        ({'band_low': 0.9, 'band_high': 0.8}, 'less than band_high=0.8'),
        ({'max_range': 100.0}, 'max_range=100.0'),
        ({'p_hit': 0.4}, r'p_hit=0\.4'),
        ({'p_miss': 0.6}, r'p_miss=0\.6'),
        ({'block': 16.5}, 'whole numbers'),
        ({'max_area': 2.0}, 'one block'),
        ({'max_drop': -0.1}, 'max_drop'),
    ],
)
def test_settings_out_of_range_name_field_value_and_range(settings, named):
    with pytest.raises(InputError, match=named):
        BevConfig(**settings)


def test_cells_between_free_and_occupied_are_unknown():
    """One look through a cell is not enough to drive there."""
    points, origin = cloud(room(2.0), camera_pose(z=0.5))
    bev = BevMap()
    bev.integrate(points, origin)
    assert at(bev.grid(0.0), 1.6, 0.0) == -1
    bev.integrate(points, origin)
    assert at(bev.grid(0.0), 1.6, 0.0) == 0
