# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The drive: free of collisions, within its limits, back where it began."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loc3r_ros.geometry import pose
from loc3r_ros.world.floorplan import FloorPlan
from loc3r_ros.world.overlap import Boxes, gap
from loc3r_ros.world.room import generate_room
from loc3r_ros.world.scene import Item, Material, Scene, Shape, Solid
from loc3r_ros.world.tour import CLEARANCE, SPEED, TURN_RATE, Tour

GREY = Material(np.full((4, 4, 3), 128, np.uint8))


def room_with(*rectangles: tuple[float, float, float, float]) -> Scene:
    """A 6 x 5 m room with boxes 1 m high: x, y, extent along x, along y."""
    items = []
    for k, (x, y, w, d) in enumerate(rectangles):
        size = np.array([w, d, 1.0])
        solid = Solid(Shape.BOX, size, pose(np.eye(3), [0, 0, 0.5]), GREY)
        items.append(Item('box', k + 1, size, pose(np.eye(3), [x, y, 0]), (solid,)))
    return Scene(0, np.array([6.0, 5.0, 2.5]), tuple(items), (), (0.0, 0.0, 0.0))


def test_clearance_by_hand():
    plan = FloorPlan(room_with((0.0, 0.0, 1.0, 2.0)))
    points = np.array([[1.5, 0.0], [0.5 + 0.3, 1.0 + 0.4], [2.9, 0.0], [0.0, 0.0], [0.0, 0.9]])
    np.testing.assert_allclose(plan.clearance(points), [1.0, 0.5, 0.1, -0.5, -0.1], atol=1e-12)


def test_the_largest_region_is_taken():
    """A barrier leaves a narrow strip and a wide one, nothing between them."""
    plan = FloorPlan(room_with((-1.0, 0.0, 0.4, 5.0)))
    region = plan.region(0.4)
    x = plan.centres[..., 0][region]
    assert x.min() > -1.0 + 0.2 + 0.4 - 1e-9
    assert x.max() > 2.4


def test_it_drives_round_an_island():
    tour = Tour(room_with((0.0, 0.0, 2.0, 1.4)))
    xy = tour.poses(np.arange(0, tour.duration, 0.1))[:, :2, 3]
    turns = np.unwrap(np.arctan2(xy[:, 1], xy[:, 0]))
    assert abs(turns[-1] - turns[0]) == pytest.approx(2 * np.pi, abs=0.5)


@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.integers(0, 2**31))
def test_over_seeds(seed):
    scene = generate_room(seed)
    tour = Tour(scene)
    dt = 0.05
    T = tour.poses(np.arange(0.0, tour.duration, dt))
    assert FloorPlan(scene).clearance(T[:, :2, 3]).min() >= CLEARANCE
    step = np.linalg.norm(np.diff(T[:, :2, 3], axis=0), axis=1)
    assert step.max() <= SPEED * dt * 1.001
    turn = np.einsum('nij,nij->n', T[1:, :2, :2], T[:-1, :2, :2]) / 2
    assert np.arccos(np.clip(turn, -1, 1)).max() <= TURN_RATE * dt * 1.001
    end = tour.poses([tour.duration - 1e-6])[0]
    np.testing.assert_allclose(end, T[0], atol=1e-3)
    assert 12.0 < tour.duration < 75.0


def test_the_robot_touches_nothing():
    """A second opinion in three dimensions: the robot's body against every solid."""
    scene = generate_room(11)
    tour = Tour(scene)
    blocking = [i for i in scene.furniture if i.category not in ('rug', 'ceiling lamp')]
    solids = Boxes.join([Boxes.of(item) for item in blocking])
    T = tour.poses(np.arange(0.0, tour.duration, 0.5))
    centre = T[:, :3, 3] + (0, 0, 0.5)
    body = Boxes(centre, T[:, :3, :3], np.tile([[0.22, 0.22, 0.45]], (len(T), 1)))
    assert gap(body, solids).min() > 0.0


def test_it_looks_all_around_first_and_repeats_itself():
    tour = Tour(generate_room(7))
    T = tour.poses(np.arange(0.0, 8.2, 0.1))
    yaw = np.unwrap(np.arctan2(T[:, 1, 0], T[:, 0, 0]))
    assert yaw[-1] - yaw[0] > np.radians(330)
    np.testing.assert_allclose(T[:, :2, 3], np.broadcast_to(T[0, :2, 3], (len(T), 2)), atol=1e-9)
    np.testing.assert_allclose(tour.poses([3.0 + tour.duration]), tour.poses([3.0]), atol=1e-9)
