# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The stages together: placing, time, an encoder beside the tracker, saving and going on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from box_room import CAMERA, circle, frame_at

from loc3r_ros.cut3r import Cut3r, PoseEncoder, tiny
from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import T_BODY_OPTICAL, invert
from loc3r_ros.localizer import Localizer
from loc3r_ros.pipeline import Pipeline
from loc3r_ros.types import Frame, TrackingState

WALK = circle()


@pytest.fixture(scope='module')
def weights(tmp_path_factory) -> Path:
    """A checkpoint of the tiny network; its poses mean nothing, its shapes everything."""
    torch.manual_seed(0)
    model = Cut3r(tiny('linear'))
    tensors = {k: torch.randn_like(v) * 0.1 for k, v in model.state_dict().items()}
    path = tmp_path_factory.mktemp('weights') / 'tiny.safetensors'
    write_checkpoint(Checkpoint(tiny('linear'), tensors), path)
    return path


def elsewhere(stamp: float) -> Frame:
    """A dark wall, close by."""
    return Frame(stamp, np.zeros((240, 320, 3), np.uint8), CAMERA, np.full((240, 320), 0.5, 'f4'))


def test_the_mount_on_the_robot_places_the_camera():
    T_base_camera = T_BODY_OPTICAL.copy()
    T_base_camera[:3, 3] = (0.2, 0.0, 1.1)
    pipeline = Pipeline(T_base_camera=T_base_camera)
    first = pipeline.step(frame_at(WALK[0], 0.0))
    np.testing.assert_array_equal(first.pose.T_map_camera, T_base_camera)


def test_without_tf_depth_tells_up_and_the_floor():
    pipeline = Pipeline()
    first = pipeline.step(frame_at(WALK[0], 0.0))
    D = invert(WALK[0]) @ first.pose.T_map_camera  # both see the same room
    up = WALK[0][:3, :3] @ invert(first.pose.T_map_camera)[:3, :3] @ [0, 0, 1]
    assert np.isfinite(D).all()
    assert np.degrees(np.arccos(up[2])) < 1.5
    assert first.pose.T_map_camera[2, 3] == pytest.approx(1.4, abs=0.05)


def test_points_are_on_the_floor_and_coloured():
    step = Pipeline().step(frame_at(WALK[0], 0.0))
    assert step.points.shape == step.colors.shape
    low = step.points[:, 2].min()
    assert abs(low) < 0.15
    assert (np.abs(step.points[:, 2]) < 0.05).mean() > 0.1


def test_late_frames_are_left_out_and_a_loop_starts_anew():
    pipeline = Pipeline()
    pipeline.step(frame_at(WALK[0], 10.0))
    pipeline.step(frame_at(WALK[1], 10.1))
    assert pipeline.step(frame_at(WALK[1], 10.05)) is None
    assert pipeline.localizer.late_frames == 1
    again = pipeline.step(frame_at(WALK[0], 0.0))
    assert again.epoch == 1
    assert again.pose.keyframe == 0
    assert len(pipeline.localizer.tracker.map) == 1


def test_only_trusted_frames_are_mapped():
    pipeline = Pipeline()
    pipeline.step(frame_at(WALK[0], 0.0))
    before = pipeline.mapper.map.state_dict()['odds']
    step = pipeline.step(elsewhere(0.1))
    assert step.pose.state is not TrackingState.TRACKING
    np.testing.assert_array_equal(pipeline.mapper.map.state_dict()['odds'], before)


def test_untrained_weights_are_refused():
    with pytest.raises(InputError, match='trained'):
        Pipeline(encoder=PoseEncoder(Cut3r(tiny('linear'))))


def test_a_useless_encoder_does_not_harm_tracking(weights):
    with_it, without = Pipeline(encoder=PoseEncoder.load(weights)), Pipeline()
    for i, T in enumerate(WALK[:10]):
        a = with_it.step(frame_at(T, 0.1 * i))
        b = without.step(frame_at(T, 0.1 * i))
        assert a.pose.state is TrackingState.TRACKING
        shift = np.linalg.norm(a.pose.T_map_camera[:3, 3] - b.pose.T_map_camera[:3, 3])
        assert shift < 0.01
    assert a.observation.index == 9
    assert a.pose.scale_source == 'depth'
    assert set(a.latency_ms) == {'encoder', 'cloud', 'tracking', 'mapping'}


def test_rgb_alone_runs_on_the_encoder(weights):
    pipeline = Pipeline(encoder=PoseEncoder.load(weights))
    for i, T in enumerate(WALK[:4]):
        step = pipeline.step(frame_at(T, 0.1 * i, depth=False))
    assert step.pose.scale_source == 'metric_model'
    assert step.pose.state in (TrackingState.TRACKING, TrackingState.DEGRADED)
    assert np.isfinite(step.pose.T_map_camera).all()


def test_what_was_saved_goes_on_with_the_same_numbers(weights, tmp_path):
    one = Pipeline(encoder=PoseEncoder.load(weights))
    for i, T in enumerate(WALK[:8]):
        one.step(frame_at(T, 0.1 * i))
    one.save(tmp_path / 'state')
    other = Pipeline(encoder=PoseEncoder.load(weights))
    other.load(tmp_path / 'state')
    for i, T in enumerate(WALK[8:14], start=8):
        a, b = one.step(frame_at(T, 0.1 * i)), other.step(frame_at(T, 0.1 * i))
        np.testing.assert_array_equal(a.pose.T_map_camera, b.pose.T_map_camera)
        np.testing.assert_array_equal(a.observation.camera_token, b.observation.camera_token)
    np.testing.assert_array_equal(one.grid().data, other.grid().data)


def test_depth_or_intrinsics_of_other_pixels_are_refused():
    seen = frame_at(WALK[0], 0.0)
    with pytest.raises(InputError, match='160x120'):
        Pipeline().step(Frame(0.0, seen.rgb, seen.camera, seen.depth[::2, ::2]))
    with pytest.raises(InputError, match='640x480'):
        Pipeline().step(Frame(0.0, seen.rgb, CAMERA.resized(640, 480), seen.depth))


def test_an_adopted_map_is_recognised_in_a_new_epoch(tmp_path):
    one = Localizer()
    for i, T in enumerate(WALK[:12]):
        before = one.step(frame_at(T, 100.0 + 0.1 * i))
    one.save(tmp_path)
    other = Localizer()
    other.adopt(tmp_path)
    assert other.epoch == 1
    again = other.step(frame_at(WALK[11], 5.0))  # another session, another clock
    assert again.pose.state is TrackingState.TRACKING
    shift = again.pose.T_map_camera[:3, 3] - before.pose.T_map_camera[:3, 3]
    assert np.linalg.norm(shift) < 0.02
    assert again.epoch == 1
    assert again.floor_height == before.floor_height


def test_an_adopted_map_stays_lost_in_another_place(tmp_path):
    one = Localizer()
    one.step(frame_at(WALK[0], 0.0))
    one.save(tmp_path)
    other = Localizer()
    other.adopt(tmp_path)
    elsewhere = Frame(
        0.1, np.zeros((240, 320, 3), np.uint8), CAMERA, np.full((240, 320), 0.5, 'f4')
    )
    step = other.step(elsewhere)
    assert step.pose.state is TrackingState.LOST
    assert step.pose.covariance[0, 0] == 100.0


def test_a_state_of_other_settings_is_refused_and_nothing_changes(weights, tmp_path):
    one = Localizer()
    one.step(frame_at(WALK[0], 0.0))
    one.save(tmp_path)
    other = Localizer(encoder=PoseEncoder.load(weights))
    with pytest.raises(InputError, match='same weights'):
        other.adopt(tmp_path)
    with pytest.raises(InputError, match='no saved state'):
        other.load(tmp_path / 'nowhere')
    (tmp_path / 'tracker.npz').write_bytes(b'cut short')
    with pytest.raises(InputError, match='damaged'):
        one.load(tmp_path)
    assert other.epoch == one.epoch == 0
    assert len(one.tracker.map) == 1


def test_depth_alone_needs_no_torch():
    hide = 'import sys; sys.modules["torch"] = None'
    code = f'{hide}; from loc3r_ros.pipeline import Pipeline; Pipeline()'
    subprocess.run([sys.executable, '-c', code], check=True)
