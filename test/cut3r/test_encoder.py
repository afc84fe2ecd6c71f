# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The streaming encoder: observations, state, resets, sizes, memory."""

from __future__ import annotations

import logging
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import psutil
import pytest
import torch
from cut3r_networks import random_model

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.cut3r import PoseEncoder, View, forward_views, tiny
from loc3r_ros.cut3r.tensorfile import read_tensors, write_tensors
from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.geometry import transform
from loc3r_ros.types import Frame


def frame(index: int, width: int = 64, height: int = 64, camera=None) -> Frame:
    rgb = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(0.1 * index, rgb, camera)


def assert_identical(a, b):
    for field in fields(a):
        if field.name != 'camera':
            np.testing.assert_array_equal(
                getattr(a, field.name), getattr(b, field.name), err_msg=field.name
            )


def test_an_observation_is_what_the_network_says(linear):
    encoder = PoseEncoder(linear)
    rgb = [frame(t).rgb for t in range(3)]
    with torch.inference_mode():
        outputs = list(
            forward_views(
                linear,
                [View(torch.tensor(x / 127.5 - 1).float().permute(2, 0, 1)[None]) for x in rgb],
            )
        )
    for t, output in enumerate(outputs):
        seen = encoder.observe(frame(t))
        assert (seen.epoch, seen.index, seen.stamp) == (0, t, 0.1 * t)
        assert seen.camera_token.shape == (96,)
        assert seen.geometry_tokens.shape == (16, 96)
        np.testing.assert_allclose(seen.camera_token, output.camera_token[0], atol=1e-4)
        expected = output.named()['c2w'][0]
        np.testing.assert_allclose(seen.T_world_camera, expected, atol=1e-3)
        np.testing.assert_allclose(
            seen.T_world_camera[:3, :3] @ seen.T_world_camera[:3, :3].T, np.eye(3), atol=1e-12
        )
        assert seen.points_camera.shape == seen.points_world.shape == (64, 64, 3)
        assert seen.confidence_camera.min() >= 1
        assert np.abs(seen.rgb).max() < 1
        assert seen.focal >= 0
        assert all(
            value.base is None for value in vars(seen).values() if isinstance(value, np.ndarray)
        ), 'what is kept of an observation must not keep the rest'


def test_camera_only_tokens_and_pose_are_the_same(linear):
    full, bare = PoseEncoder(linear), PoseEncoder(linear, camera_only=True)
    for t in range(3):
        one, two = full.observe(frame(t)), bare.observe(frame(t))
        for name in ('camera_token', 'geometry_tokens', 'T_world_camera'):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert two.points_camera is None
        assert two.focal is None


@pytest.mark.parametrize(
    ('rule', 'every', 'taken'),
    [('cut3r', 0, 0.0), ('ttt3r', 0, 0.0), ('cut3r', 2, 0.0), ('cut3r', 2, 0.15)],
)
def test_a_saved_state_goes_on_bit_for_bit(linear, tmp_path, rule, every, taken):
    options = {'update_rule': rule, 'restart_every': every, 'take_every': taken}
    encoder = PoseEncoder(linear, **options)
    encoder.reset()
    for t in range(3):
        encoder.observe(frame(t))
    encoder.save_state(tmp_path / 'state.safetensors')
    expected = [encoder.observe(frame(t)) for t in range(3, 6)]
    other = PoseEncoder(random_model(tiny('linear')), **options)
    other.load_state(tmp_path / 'state.safetensors')
    for t, one in zip(range(3, 6), expected, strict=True):
        assert_identical(other.observe(frame(t)), one)
    assert one.epoch == 1
    assert list(tmp_path.iterdir()) == [tmp_path / 'state.safetensors']


def test_a_state_saved_before_the_first_frame(linear, tmp_path):
    encoder = PoseEncoder(linear)
    encoder.save_state(tmp_path / 'state')
    expected = encoder.observe(frame(0))
    encoder.load_state(tmp_path / 'state')
    assert_identical(encoder.observe(frame(0)), expected)


def test_reset_begins_a_new_epoch_as_if_new(linear, tmp_path):
    encoder = PoseEncoder(linear)
    fresh = encoder.observe(frame(0))
    encoder.observe(frame(1))
    encoder.save_state(tmp_path / 'state')
    encoder.reset()
    again = encoder.observe(frame(0))
    assert (again.epoch, again.index) == (1, 0)
    assert_identical(replace(again, epoch=0), fresh)
    encoder.reset()
    encoder.load_state(tmp_path / 'state')
    assert encoder.epoch == 0
    encoder.reset()
    assert encoder.epoch == 3, 'an epoch id must never come twice'


def test_a_life_begins_with_the_last_image_of_the_one_before(linear):
    encoder = PoseEncoder(linear, restart_every=3)
    found = [encoder.observe(frame(t)) for t in range(7)]
    assert [(one.epoch, one.index) for one in found] == [(0, t) for t in range(7)]
    T_world_life = np.eye(4)
    for frames in ([0, 1, 2], [2, 3, 4], [4, 5, 6]):
        alone = PoseEncoder(linear)
        life = [alone.observe(frame(t)) for t in frames]
        for t, one in list(zip(frames, life, strict=True))[frames[0] > 0 :]:
            T = T_world_life @ one.T_world_camera
            np.testing.assert_allclose(found[t].T_world_camera, T, atol=1e-6)
            points = transform(T_world_life, one.points_world)
            np.testing.assert_allclose(found[t].points_world, points, atol=1e-4)
            np.testing.assert_allclose(found[t].camera_token, one.camera_token, atol=1e-5)
        T_world_life = T
    encoder.reset()
    np.testing.assert_array_equal(encoder.observe(frame(0)).T_world_camera, found[0].T_world_camera)


def test_images_in_quick_succession_are_told_their_pose_and_leave_the_state(linear):
    encoder, alone = PoseEncoder(linear, take_every=0.25), PoseEncoder(linear)
    stamps = (0.0, 0.1, 0.2, 0.3, 0.4)
    found = [encoder.observe(replace(frame(t), stamp=s)) for t, s in enumerate(stamps)]
    assert [one.index for one in found] == [0, 1, 2, 3, 4]
    # The first and the fourth are taken up.
    for t, one in ((0, found[0]), (3, found[3])):
        seen = alone.observe(frame(t))
        np.testing.assert_allclose(one.T_world_camera, seen.T_world_camera, atol=1e-6)
        np.testing.assert_allclose(one.camera_token, seen.camera_token, atol=1e-5)
    for name, value in alone.state().items():
        np.testing.assert_allclose(encoder.state()[name], value, atol=1e-5)
    # Time that runs backwards does not stop it.
    before = encoder.state()
    encoder.observe(replace(frame(5), stamp=-5.0))
    assert any((encoder.state()[name] != value).any() for name, value in before.items())
    for wrong in (-0.1, np.inf, np.nan):
        with pytest.raises(InputError, match='take_every'):
            PoseEncoder(linear, take_every=wrong)
        with pytest.raises(InputError, match='take_every'):
            replace(tiny('linear'), take_every=wrong)


def test_a_life_is_as_long_as_what_it_took_up(linear):
    encoder = PoseEncoder(linear, take_every=0.25, restart_every=2)
    starts = [encoder.state()]
    for t, stamp in enumerate((0.0, 0.1, 0.3, 0.4, 0.6)):
        encoder.observe(replace(frame(t), stamp=stamp))
        starts.append(encoder.state())
    kept = [all((a[name] == b[name]).all() for name in a) for a, b in pairwise(starts)]
    assert kept == [False, True, False, True, False]


def test_a_loaded_state_that_is_older_than_a_life_ends_with_the_next_image(linear, tmp_path):
    old = PoseEncoder(linear)
    for t in range(4):
        old.observe(frame(t))
    old.save_state(tmp_path / 'state')
    encoder = PoseEncoder(linear, restart_every=2)
    encoder.load_state(tmp_path / 'state')
    T = encoder.observe(frame(4)).T_world_camera
    alone = PoseEncoder(linear)
    alone.observe(frame(4))
    expected = T @ alone.observe(frame(5)).T_world_camera
    np.testing.assert_allclose(encoder.observe(frame(5)).T_world_camera, expected, atol=1e-6)


def test_lives_are_as_long_as_the_weights_say_or_as_is_asked(linear):
    model = random_model(replace(tiny('linear'), restart_every=5))
    assert PoseEncoder(linear).restart_every == 0
    assert PoseEncoder(model).restart_every == 5
    assert PoseEncoder(model, restart_every=0).restart_every == 0
    for wrong in (1, -3):
        with pytest.raises(InputError, match='2 or more'):
            PoseEncoder(linear, restart_every=wrong)
        with pytest.raises(InputError, match='2 or more'):
            replace(tiny('linear'), restart_every=wrong)


def test_update_rules_agree_on_the_first_frame_and_part_after_the_second(linear):
    plain, gated = PoseEncoder(linear), PoseEncoder(linear, update_rule='ttt3r')
    pairs = [(plain.observe(frame(t)), gated.observe(frame(t))) for t in range(3)]
    differences = [np.abs(a.camera_token - b.camera_token).max() for a, b in pairs]
    assert differences[0] == differences[1] == 0
    assert differences[2] > 1e-3


def test_a_new_size_on_the_network_grid_resets_with_one_warning(linear, caplog):
    model = random_model(replace(tiny('linear'), square_crop=False))
    encoder = PoseEncoder(model)
    caplog.set_level(logging.WARNING, 'loc3r_ros')
    assert encoder.observe(frame(0, 640, 480)).points_camera.shape == (48, 64, 3)
    encoder.observe(frame(1, 320, 240))
    assert not caplog.records
    seen = encoder.observe(frame(2, 480, 640))
    assert (seen.epoch, seen.index) == (1, 0)
    assert seen.points_camera.shape == (64, 48, 3)
    assert [record.getMessage() for record in caplog.records] == [
        'network input changed from 64x48 to 48x64: state reset, epoch 1 begins'
    ]


def test_intrinsics_come_along(linear):
    camera = PinholeCamera(640, 480, 500, 505, 320, 240)
    seen = PoseEncoder(linear).observe(frame(0, 640, 480, camera))
    assert (seen.camera.width, seen.camera.height) == (64, 64)
    # 640 x 480 becomes 85 x 64, of which columns 10 to 73 stay.
    assert seen.camera.fx == pytest.approx(500 * 85 / 640)
    assert seen.camera.cx == pytest.approx(320.5 * 85 / 640 - 0.5 - 10)
    with pytest.raises(InputError, match='one size'):
        PoseEncoder(linear).observe(frame(0, 320, 240, camera))


def test_states_that_do_not_fit_are_refused_and_change_nothing(linear, tmp_path):
    encoder = PoseEncoder(linear)
    encoder.observe(frame(0))
    path = tmp_path / 'state'
    encoder.save_state(path)
    refusals = [
        (PoseEncoder(random_model(tiny('linear'), seed=1)), path, 'another model'),
        (PoseEncoder(linear, update_rule='ttt3r'), path, 'update_rule=cut3r'),
    ]
    tensors, about = read_tensors(path)
    for name, change in {
        'other': ({**about, 'format': 'x'}, tensors, 'not a CUT3R state'),
        'older': ({**about, 'format': 'loc3r_cut3r_state_2'}, tensors, 'another version'),
        'index': ({**about, 'index': 'x'}, tensors, 'damaged'),
        'pose': ({**about, 'T_world_life': '[1, 2]'}, tensors, 'damaged'),
        'shape': (about, {**tensors, 'state': tensors['state'][:, :3]}, 'damaged'),
        'tensor': (about, {'state': tensors['state']}, 'damaged'),
    }.items():
        write_tensors(tmp_path / name, change[1], change[0])
        refusals.append((encoder, tmp_path / name, change[2]))
    (tmp_path / 'cut').write_bytes(path.read_bytes()[:-100])
    refusals += [(encoder, tmp_path / 'cut', 'whole'), (encoder, tmp_path / 'none', 'whole')]
    for who, file, told in refusals:
        with pytest.raises(InputError, match=told):
            who.load_state(file)
    with pytest.raises(InputError, match='cannot write'):
        encoder.save_state(tmp_path / 'missing' / 'state')
    assert encoder.observe(frame(1)).index == 1


def test_damaged_weights_are_told_and_not_published():
    model = random_model(tiny('linear'))
    with torch.no_grad():
        model.dec_norm.weight.fill_(torch.nan)
    encoder = PoseEncoder(model)
    with pytest.raises(CheckpointError, match='damaged'):
        encoder.observe(frame(0))
    assert not encoder.trained


def test_unknown_options_are_refused(linear):
    with pytest.raises(InputError, match='update_rule'):
        PoseEncoder(linear, update_rule='mem3r')
    with pytest.raises(InputError, match='device'):
        PoseEncoder(linear, device='warp')


def test_bfloat16_keeps_the_state_in_float32(linear):
    model = random_model(tiny('linear'))
    encoder = PoseEncoder(model, dtype=torch.bfloat16)
    exact = PoseEncoder(linear)
    for t in range(3):
        narrow, wide = encoder.observe(frame(t)), exact.observe(frame(t))
    assert {array.dtype.name for array in encoder.state().values()} == {'float32'}
    error = np.linalg.norm(narrow.camera_token - wide.camera_token)
    assert 1e-4 < error / np.linalg.norm(wide.camera_token) < 0.05


def growth(model, frames: int) -> float:
    """Growth of the process over a stream, as a part of what it holds once warm."""
    encoder, process = PoseEncoder(model), psutil.Process()
    for t in range(50):
        encoder.observe(frame(t))
    before = process.memory_info().rss
    for t in range(frames):
        encoder.observe(frame(t))
    return process.memory_info().rss / before - 1


def test_memory_stays_within_a_percent(linear):
    assert growth(linear, 200) < 0.01


@pytest.mark.slow
def test_memory_stays_within_a_percent_over_2000_frames(linear):
    assert growth(linear, 2000) < 0.01
