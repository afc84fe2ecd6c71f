# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Walks with a camera in the hand, cameras as they come, and the footage that they make."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from loc3r_ros.geometry import transform
from loc3r_ros.world.apartment import generate_apartment
from loc3r_ros.world.cameras import ASPECTS, draw_camera
from loc3r_ros.world.floorplan import FloorPlan
from loc3r_ros.world.handheld import (
    CLEARANCE,
    HEIGHT_MAX,
    HEIGHT_MIN,
    PITCH_MAX,
    ROLL_MAX,
    SPEED,
    TURN_RATE,
    Handheld,
)
from loc3r_ros.world.overlap import Boxes, gap
from loc3r_ros.world.robot import optical_poses
from loc3r_ros.world.scene import Scene
from loc3r_ros.world.tour import Tour
from loc3r_ros.world.video import film, visit_of


@cache
def flat(seed: int, rooms: int) -> Scene:
    return generate_apartment(seed, rooms)


@pytest.mark.parametrize(('seed', 'rooms'), [(0, 1), (1, 2), (3, 4)])
@pytest.mark.parametrize('walk', [0, 1])
def test_a_walk_keeps_its_limits(seed, rooms, walk):
    scene = flat(seed, rooms)
    path = Handheld(scene, walk)
    dt = 0.02
    T = path.camera_poses(np.arange(0.0, path.duration, dt))
    np.testing.assert_allclose(
        T[:, :3, :3].transpose(0, 2, 1) @ T[:, :3, :3],
        np.tile(np.eye(3), (len(T), 1, 1)),
        atol=1e-9,
    )
    assert FloorPlan(scene).clearance(T[:, :2, 3]).min() >= CLEARANCE
    assert T[:, 2, 3].min() >= HEIGHT_MIN
    assert T[:, 2, 3].max() <= HEIGHT_MAX
    step = np.linalg.norm(np.diff(T[:, :2, 3], axis=0), axis=1)
    assert step.max() <= SPEED * dt * 1.001
    forward, down = T[:, :3, 2], T[:, :3, 1]
    yaw = np.unwrap(np.arctan2(forward[:, 1], forward[:, 0]))
    assert np.abs(np.diff(yaw)).max() <= TURN_RATE * dt * 1.001
    assert np.abs(np.arcsin(forward[:, 2])).max() <= PITCH_MAX + 1e-9
    assert down[:, 2].max() < 0.0
    right = T[:, :3, 0]
    assert np.abs(np.arcsin(right[:, 2])).max() <= ROLL_MAX + 1e-9
    for room in scene.rooms:
        assert ((T[:, :2, 3] > room.low) & (T[:, :2, 3] < room.high)).all(1).any()


def test_a_walk_looks_around_and_is_one_of_many():
    scene = flat(1, 2)
    t = np.arange(0.0, 15.0, 0.1)
    T = [Handheld(scene, walk).camera_poses(t) for walk in (0, 0, 1)]
    np.testing.assert_array_equal(T[0], T[1])
    assert np.abs(T[0] - T[2]).max() > 0.1
    yaw = np.unwrap(np.arctan2(T[0][:, 1, 2], T[0][:, 0, 2]))
    assert np.ptp(yaw) > np.radians(60)


def test_a_walk_goes_back_the_way_it_came():
    path = Handheld(flat(0, 1), 0)
    end = path.duration
    np.testing.assert_allclose(path.camera_poses([end + 3.0]), path.camera_poses([end - 3.0]))
    np.testing.assert_allclose(path.camera_poses([2 * end + 1.0]), path.camera_poses([1.0]))


def test_the_camera_is_in_nothing():
    """A second opinion in three dimensions: a hand and a head against every solid."""
    scene = flat(3, 4)
    path = Handheld(scene, 2)
    T = path.camera_poses(np.arange(0.0, path.duration, 0.5))
    near = [item for item in scene.items if item.category not in ('rug', 'floor', 'ceiling')]
    body = Boxes(T[:, :3, 3], T[:, :3, :3], np.tile([[0.08, 0.08, 0.08]], (len(T), 1)))
    assert gap(body, Boxes.join([Boxes.of(item) for item in near])).min() > 0.0


def test_a_robots_path_is_that_of_its_camera():
    tour = Tour(flat(0, 1))
    t = np.array([0.0, 3.0, 9.0])
    np.testing.assert_array_equal(tour.camera_poses(t), optical_poses(tour.poses(t)))


def test_cameras_vary_within_their_limits():
    cameras = [draw_camera(np.random.default_rng(seed), 128) for seed in range(200)]
    fov = np.degrees([2 * np.arctan(0.5 * c.width / c.fx) for c in cameras])
    assert fov.min() >= 55.0
    assert fov.max() <= 85.0
    assert np.ptp(fov) > 25.0
    assert {c.height for c in cameras} == {round(128 / aspect) for aspect in ASPECTS}
    centre = np.array([(c.cx + 0.5, c.cy + 0.5) for c in cameras])
    off = centre / [(c.width, c.height) for c in cameras] - 0.5
    assert 0.015 < np.abs(off).max() <= 0.02


@cache
def footage():
    scene = flat(1, 2)
    path = Handheld(scene, 0)
    camera = draw_camera(np.random.default_rng(5), 64)
    return scene, path, film(scene, path, camera, np.linspace(0.0, path.duration, 24))


def test_footage_is_whole_and_true():
    scene, path, shot = footage()
    H, W = shot.camera.height, shot.camera.width
    assert (shot.rgb.shape, shot.rgb.dtype) == ((24, H, W, 3), np.uint8)
    assert (shot.depth.shape, shot.depth.dtype) == ((24, H, W), np.float32)
    assert (shot.instance.shape, shot.instance.dtype) == ((24, H, W), np.int32)
    np.testing.assert_array_equal(shot.T_map_optical, path.camera_poses(shot.times))
    assert np.isfinite(shot.depth).all()
    assert shot.instance.min() >= 1
    assert shot.rgb.std() > 20
    half = scene.size / 2
    for depth, instance, T in zip(shot.depth, shot.instance, shot.T_map_optical, strict=True):
        points = transform(T, shot.camera.backproject(depth).astype(np.float64))
        assert (np.abs(points[..., :2]) <= half[:2] + 1e-3).all()
        for number in np.unique(instance):
            corners = scene.items[number - 1].corners
            seen = points[instance == number]
            assert (seen >= corners.min(0) - 2e-3).all()
            assert (seen <= corners.max(0) + 2e-3).all()


def test_filming_again_gives_the_same_and_leaves_the_threads_alone():
    scene, path, shot = footage()
    threads = torch.get_num_threads()
    again = film(scene, path, shot.camera, shot.times[5:8])
    assert torch.get_num_threads() == threads
    np.testing.assert_array_equal(again.depth, shot.depth[5:8])
    np.testing.assert_array_equal(again.instance, shot.instance[5:8])
    assert np.abs(again.rgb.astype(int) - shot.rgb[5:8]).max() <= 1


def test_a_visit_counts_what_the_footage_shows():
    scene, _, shot = footage()
    visit = visit_of(scene, shot)
    H, W = shot.camera.height, shot.camera.width
    assert (visit.pixels.sum(1) == H * W).all()
    number = int(np.bincount(shot.instance[3].ravel()).argmax())
    assert visit.pixels[3, number] == (shot.instance[3] == number).sum()
