# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Level and map on a real hand-held recording of a kitchen, with its ground-truth poses."""

import numpy as np
import pytest

from loc3r_ros.bag.recording import Recording
from loc3r_ros.geometry import exp_so3, pose, transform
from loc3r_ros.mapping import BevMap
from loc3r_ros.mapping.agreement import compare
from loc3r_ros.mapping.level import find_level

pytestmark = pytest.mark.shared


@pytest.fixture(scope='module')
def views(shared_dir):
    """Every second frame: points (H, W, 3) in the optical frame, and T_map_camera."""
    bag = shared_dir / 'data/real_rgbd/sevenscenes_redkitchen/bag'
    if not bag.exists():
        pytest.skip(f'no recording at {bag}')
    with Recording(bag) as recording:
        truth = recording.poses('/ground_truth/pose')
        T_of = dict(zip(truth.stamps_ns.tolist(), truth.T, strict=True))
        return [
            (sample.frame.camera.backproject(sample.frame.depth), T_of[sample.stamp_ns])
            for sample in recording
            if sample.index % 2 == 0
        ]


def mapped(views, T_map_camera, floor_height=0.0):
    bev = BevMap(floor_height=floor_height)
    for (points, _), T in zip(views, T_map_camera, strict=True):
        bev.integrate(transform(T, points.reshape(-1, 3)), T[:3, 3])
    return bev


def test_each_frame_tells_which_way_is_up(views):
    tilt, height = [], []
    for points, T in views:
        level = find_level(points)
        assert level is not None
        up = T[:3, :3] @ level.T_level_camera[2, :3]
        tilt.append(np.degrees(np.arccos(min(1.0, up[2]))))
        if level.floor_seen:
            height.append(level.T_level_camera[2, 3] - T[2, 3])
    # The truth's own up differs from the normal of the floor by 0.7 degrees.
    assert np.median(tilt) < 1.2
    assert np.percentile(tilt, 95) < 3.0
    assert max(tilt) < 6.0
    assert len(height) >= 15
    assert np.abs(height).max() < 0.10


def test_up_from_sparse_depth(views):
    rng = np.random.default_rng(0)
    tilt = []
    for points, T in views[::3]:
        sparse = np.where(rng.random(points.shape[:2])[..., None] < 0.05, points, np.nan)
        level = find_level(sparse.astype(np.float32))
        if level is not None:
            up = T[:3, :3] @ level.T_level_camera[2, :3]
            tilt.append(np.degrees(np.arccos(min(1.0, up[2]))))
    assert len(tilt) >= 0.9 * len(views[::3])
    assert np.median(tilt) < 1.5 and max(tilt) < 6.0


def test_poses_that_jitter_and_drift_give_the_same_map(views):
    rng = np.random.default_rng(3)
    true = [T for _, T in views]
    reference = mapped(views, true).grid(0.0)
    jitter = [
        pose(exp_so3(np.deg2rad(1.0) * rng.standard_normal(3) / 3**0.5), np.zeros(3)) for _ in true
    ]
    shaken = [pose((J @ T)[:3, :3], T[:3, 3]) for J, T in zip(jitter, true, strict=True)]
    for T in shaken:
        T[:3, 3] += 0.02 * rng.standard_normal(3) / 3**0.5
    share = np.linspace(0.0, 1.0, len(true))
    drifted = [
        pose(exp_so3(s * np.deg2rad((0.8, 0.6, 1.0))), s * np.array((0.03, -0.03, 0.03))) @ T
        for s, T in zip(share, true, strict=True)
    ]
    for poses in (shaken, drifted):
        found = compare(mapped(views, poses).grid(0.0), reference)
        assert found.iou_occupied > 0.9
        assert found.false_free < 0.01
        assert found.free > 0.8 * found.reference_free


def test_floor_is_found_where_its_height_is_unknown(views):
    sunk = np.eye(4)
    sunk[2, 3] = -1.4
    bev = mapped(views, [sunk @ T for _, T in views], floor_height=None)
    assert bev.floor_height == pytest.approx(-1.4, abs=0.08)
    reference = mapped(views, [T for _, T in views]).grid(0.0)
    assert compare(bev.grid(0.0), reference).iou_occupied > 0.95
