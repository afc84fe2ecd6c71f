# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Goals: hand-made grids with known answers, and a search by brute force on random ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from loc3r_ros.mapping.goal import GoalPose, Refusal, reachable_goal, reachable_goals
from loc3r_ros.types import OccupancyGrid

RADIUS, SNAP = 0.2, 1.0


def hall(width=6.0, height=4.0, resolution=0.05, origin=(0.0, 0.0)):
    """A free floor, with nothing known beyond it."""
    shape = (round(height / resolution), round(width / resolution))
    return OccupancyGrid(0.0, np.zeros(shape, np.int8), resolution, origin)


def put(grid, low, high, value=100):
    """A rectangle (x, y) to (x, y), m, of one value."""
    (u0, v0), (u1, v1) = (
        np.round((np.array(p) - grid.origin) / grid.resolution).astype(int) for p in (low, high)
    )
    grid.data[v0:v1, u0:u1] = value
    return grid


def goal(grid, target, robot=(1.0, 2.0), radius=RADIUS, snap=SNAP):
    return reachable_goal(grid, target, robot, robot_radius_m=radius, snap_radius_m=snap)


def test_a_free_target_is_the_goal_and_the_robot_arrives_the_way_it_came():
    found = goal(hall(), (4.0, 2.01), robot=(1.0, 2.01))
    assert found == GoalPose(4.0, 2.01, 0.0, 0.0)
    assert goal(hall(), (1.0, 3.0), robot=(1.0, 1.0)).yaw == pytest.approx(np.pi / 2)


def test_before_a_box_on_the_robots_side_and_facing_it():
    grid = put(hall(), (3.8, 1.8), (4.2, 2.2))
    found = goal(grid, (4.0, 2.0), robot=(1.0, 2.0))
    # The edge at 3.8, the radius, and at most two cells of rounding.
    assert 3.5 <= found.x <= 3.6
    assert found.y == pytest.approx(2.0, abs=0.1)
    assert found.moved_m == pytest.approx(np.hypot(4.0 - found.x, 2.0 - found.y))
    assert np.cos(found.yaw) > 0.98
    behind = goal(grid, (4.0, 2.0), robot=(5.5, 2.0))
    assert 4.4 <= behind.x <= 4.5 and np.cos(behind.yaw) < -0.98


def test_the_disc_of_the_robot_is_free_all_over():
    grid = put(put(hall(), (3.0, 0.0), (3.1, 4.0)), (3.0, 1.7), (3.1, 2.3), 0)
    found = goal(grid, (3.05, 2.0), snap=0.5)
    assert abs(found.x - 3.05) < 0.05, 'a gap of 0.6 m lets a robot of 0.4 m stand in it'
    wide = goal(grid, (3.05, 2.0), radius=0.4)
    assert 2.63 < wide.x < 2.74, 'but one of 0.8 m stands before it, 0.4 m from its edges'


def test_unknown_is_not_free():
    grid = put(hall(), (3.5, 0.0), (6.0, 4.0), -1)
    found = goal(grid, (4.0, 2.0))
    assert 3.2 <= found.x <= 3.3
    assert found.yaw == pytest.approx(0.0, abs=0.1)


def test_the_edge_of_the_map_is_unknown_too():
    found = goal(hall(), (6.3, 2.0))
    assert 5.7 <= found.x <= 5.8


def test_across_a_wall_there_is_no_way():
    wall = put(hall(), (2.5, 0.0), (2.6, 4.0))
    found = goal(wall, (5.0, 2.0))
    assert isinstance(found, Refusal) and 'no way' in found.reason
    door = put(wall, (2.5, 3.0), (2.6, 3.7), 0)
    assert goal(door, (5.0, 2.0)).moved_m == 0.0
    assert isinstance(goal(door, (5.0, 2.0), radius=0.4), Refusal), 'the door is 0.7 m wide'
    assert goal(wall, (5.0, 2.0), robot=None).moved_m == 0.0, 'unknown start: way not checked'


def test_a_target_in_the_next_room_is_faced_from_this_side():
    wall = put(hall(), (2.5, 0.0), (2.6, 4.0))
    found = goal(wall, (2.9, 2.0), snap=1.0)
    assert 2.2 <= found.x <= 2.3


def test_the_floor_under_the_robot_need_not_be_seen():
    grid = put(hall(), (0.0, 0.0), (2.4, 4.0), -1)
    assert goal(grid, (4.0, 2.0), robot=(1.0, 2.0)).moved_m == 0.0
    far = goal(grid, (4.0, 2.0), robot=(0.1, 2.0))
    assert isinstance(far, Refusal), 'beyond 2 m it must'
    blocked = put(grid, (1.8, 0.0), (1.9, 4.0))
    assert isinstance(goal(blocked, (4.0, 2.0)), Refusal), 'an obstacle in there still blocks'


def test_a_robot_that_touches_an_obstacle_can_leave():
    grid = put(hall(), (0.8, 0.0), (0.95, 4.0))
    assert goal(grid, (4.0, 2.0), robot=(1.0, 2.0)).moved_m == 0.0


@pytest.mark.parametrize(
    ('target', 'robot', 'said'),
    [
        ((9.0, 2.0), (1.0, 2.0), 'outside the map'),
        ((4.0, 2.0), (-3.0, 2.0), 'robot, at (-3.00, 2.00), is outside'),
        ((float('nan'), 2.0), (1.0, 2.0), 'no position'),
        ((0.1, 0.1), (1.0, 2.0), 'no free place for a robot of radius 0.2 m within 1 m'),
    ],
)
def test_a_refusal_says_why(target, robot, said):
    grid = put(hall(), (0.0, 0.0), (1.5, 1.5))
    found = goal(grid, target, robot=robot)
    assert isinstance(found, Refusal) and said in found.reason


def test_an_empty_map_refuses():
    empty = OccupancyGrid(0.0, np.zeros((0, 0), np.int8), 0.05, (0.0, 0.0))
    assert 'nothing has been mapped' in goal(empty, (1.0, 1.0)).reason


def test_second_choices_lie_apart_and_farther():
    grid = put(hall(), (3.8, 1.8), (4.2, 2.2))
    goals = reachable_goals(
        grid, (4.0, 2.0), (1.0, 2.0), robot_radius_m=RADIUS, snap_radius_m=SNAP, most=12
    )
    assert len(goals) == 12
    moved = np.array([g.moved_m for g in goals])
    assert (np.diff(moved) > -grid.resolution).all(), 'nearest first, to a cell'
    places = np.array([(g.x, g.y) for g in goals[1:]])
    gaps = np.linalg.norm(places[:, None] - places, axis=-1)[np.triu_indices(len(places), 1)]
    assert gaps.min() > RADIUS - 1e-9


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), radius=st.sampled_from([0.05, 0.12, 0.2]))
def test_agrees_with_a_search_cell_by_cell(seed, radius):
    rng = np.random.default_rng(seed)
    resolution, origin = 0.1, (-1.0, 0.5)
    data = rng.choice(np.array([0, 0, 0, 0, 0, 0, 0, 0, -1, 100], np.int8), (24, 30))
    grid = OccupancyGrid(0.0, data, resolution, origin)
    target = tuple(rng.uniform((-1.0, 0.5), (2.0, 2.9)))
    found = goal(grid, target, robot=None, radius=radius, snap=0.6)

    rows, columns = np.mgrid[:24, :30]
    x, y = origin[0] + (columns + 0.5) * resolution, origin[1] + (rows + 0.5) * resolution
    padded = np.pad(data, 3, constant_values=-1)
    clearance = ndimage.distance_transform_edt(padded == 0)[3:-3, 3:-3] - 0.5
    away = np.hypot(x - target[0], y - target[1])
    here = np.maximum(abs(x - target[0]), abs(y - target[1])) <= resolution / 2
    away[here] = 0.0
    usable = (clearance * resolution >= radius - 1e-9) & (away <= 0.6)
    if not usable.any():
        assert isinstance(found, Refusal)
        return
    assert found.moved_m < away[usable].min() + resolution
    cell = np.argmin(np.hypot(x - found.x, y - found.y))
    assert usable.flat[cell]
