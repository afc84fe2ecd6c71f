# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Gravity and floor from one cloud: rooms with known tilt, and a real recording."""

import numpy as np
import pytest
from rooms import TABLE, camera_pose, room

from loc3r_ros.bench.mapping import cast
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import exp_so3
from loc3r_ros.mapping.level import find_level

CAMERA = PinholeCamera(320, 240, 262.0, 262.0, 160.0, 120.0)
BOXES = room(2.2, TABLE, ((-0.6, 1.4, 0.0), (1.2, 2.0, 0.9)))


def view(T, boxes=BOXES, noise=0.0, keep=1.0):
    """Organised points in the optical frame, with depth noise that grows as that of a camera."""
    rng = np.random.default_rng(1)
    depth = cast(boxes, CAMERA, T)
    depth += (noise * depth**2 * rng.standard_normal(depth.shape)).astype(np.float32)
    depth[rng.random(depth.shape) > keep] = np.nan
    return CAMERA.backproject(depth)


def tilt_error(level, T):
    """Angle between the found and the true up, degrees."""
    up = T[:3, :3] @ level.T_level_camera[2, :3]
    return float(np.degrees(np.arccos(np.clip(up[2], -1.0, 1.0))))


@pytest.mark.parametrize('pitch', [0, 5, 10, 20, 30, 40])
@pytest.mark.parametrize('yaw', [0, 25, 70])
def test_tilt_and_height_in_a_room(pitch, yaw):
    T = camera_pose(x=-1.0, y=-0.5, z=1.2, yaw=yaw, pitch=pitch)
    level = find_level(view(T, noise=0.0015))
    assert level is not None
    assert tilt_error(level, T) < 0.5
    assert level.confidence > 0.3
    if pitch >= 10:
        assert level.floor_seen
    if level.floor_seen:
        assert level.T_level_camera[2, 3] == pytest.approx(1.2, abs=0.02)


@pytest.mark.parametrize('roll', [-20, 10, 35])
def test_roll(roll):
    T = camera_pose(x=-1.0, z=1.2, yaw=20, pitch=15, roll=roll)
    level = find_level(view(T, noise=0.0015))
    assert level is not None and tilt_error(level, T) < 0.5


def test_frame_has_z_up_x_forward_and_its_origin_on_the_floor():
    T = camera_pose(z=1.0, yaw=0, pitch=30)
    T_level_camera = find_level(view(T)).T_level_camera
    R = T_level_camera[:3, :3]
    assert np.allclose(R @ R.T, np.eye(3), atol=1e-12) and np.linalg.det(R) > 0
    forward = R @ (0.0, 0.0, 1.0)
    assert forward[1] == pytest.approx(0.0, abs=1e-12)
    assert forward[0] == pytest.approx(np.cos(np.deg2rad(30)), abs=0.01)
    assert np.allclose(T_level_camera[:2, 3], 0.0)
    assert T_level_camera[2, 3] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(('keep', 'noise'), [(0.05, 0.0015), (0.05, 0.0), (1.0, 0.004)])
def test_sparse_and_noisy_depth(keep, noise):
    T = camera_pose(x=-1.0, z=1.2, yaw=25, pitch=25)
    level = find_level(view(T, noise=noise, keep=keep))
    assert level is not None
    assert tilt_error(level, T) < 1.0
    assert level.floor_seen and level.T_level_camera[2, 3] == pytest.approx(1.2, abs=0.03)


def test_walls_that_are_not_square_do_not_matter():
    T = camera_pose(x=-1.0, z=1.2, yaw=30, pitch=20)
    points = view(T, noise=0.0015)
    slanted = exp_so3(np.array([0.0, 0.0, np.deg2rad(17)]))
    world = points @ T[:3, :3].T + T[:3, 3]
    far = world[..., 1] > 1.3
    world[far] = world[far] @ slanted.T
    level = find_level(((world - T[:3, 3]) @ T[:3, :3]).astype(np.float32))
    assert tilt_error(level, T) < 0.7


def test_lone_walls_give_up_without_a_floor():
    T = camera_pose(z=1.2, yaw=40, pitch=-5)
    level = find_level(view(T, boxes=room(1.2)[1:]))
    assert level is not None and tilt_error(level, T) < 0.5
    assert not level.floor_seen
    assert np.allclose(level.T_level_camera[:3, 3], 0.0)


def test_table_is_not_the_floor_where_something_is_seen_below_it():
    T = camera_pose(x=-0.2, z=1.3, pitch=35)
    level = find_level(view(T))
    assert level.floor_seen and level.T_level_camera[2, 3] == pytest.approx(1.3, abs=0.02)


@pytest.mark.parametrize(
    'points',
    [
        np.full((240, 320, 3), np.nan, np.float32),
        np.zeros((240, 320, 3), np.float32),
        np.full((240, 320, 3), np.inf, np.float32),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 0, 3), np.float32),
    ],
)
def test_cloud_that_says_nothing(points):
    assert find_level(points) is None


def test_one_wall_alone_does_not_say_which_way_is_up():
    wall = np.array([((2.0, -9.0, -9.0), (2.2, 9.0, 9.0))])
    assert find_level(view(camera_pose(z=1.0), boxes=wall, noise=0.0015)) is None


def test_shape_is_checked():
    with pytest.raises(InputError, match='image of points'):
        find_level(np.zeros((100, 3), np.float32))


def test_same_cloud_gives_the_same_level():
    points = view(camera_pose(z=1.2, pitch=20), noise=0.0015)
    assert np.array_equal(find_level(points).T_level_camera, find_level(points).T_level_camera)
