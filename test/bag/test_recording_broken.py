# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Broken recordings, each with a message and whatever can be saved."""

from __future__ import annotations

import logging
import os

import cv2
import numpy as np
import pytest
from make_bag import (
    CAMERA,
    DEPTH,
    IMAGE,
    INFO,
    START,
    STEP,
    compressed,
    depth,
    image,
    info,
    raw_image,
    rgb,
    rgbd,
    stamps,
    take,
    write,
)

from loc3r_ros.bag.recording import Recording
from loc3r_ros.bag.typestore import humble
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def test_truncated(tmp_path):
    path = write(tmp_path / 'bag', [r for r in rgbd(200) if r[0] != DEPTH])
    file = path / 'bag.mcap'
    os.truncate(file, file.stat().st_size // 2)
    samples, problems = take(path)
    assert 50 < len(samples) < 150
    assert any('is damaged' in p for p in problems)


def test_missing_camera_info(tmp_path):
    samples, problems = take(write(tmp_path / 'bag', [r for r in rgbd(2) if r[0] != INFO]))
    assert [s.frame.camera for s in samples] == [None, None]
    assert samples[0].frame.depth is not None
    assert problems == [
        f'no camera_info for {IMAGE}: pass --camera-info TOPIC or --intrinsics FX,FY,CX,CY'
    ]


def test_given_intrinsics_replace_camera_info(tmp_path):
    path = write(tmp_path / 'bag', rgbd(2))
    samples, problems = take(path, intrinsics=(70.0, 71.0, 32.0, 24.0))
    assert samples[0].frame.camera == PinholeCamera(64, 48, 70.0, 71.0, 32.0, 24.0)
    assert problems == []
    with pytest.raises(InputError, match='lies outside the 64x48 image'):
        take(path, intrinsics=(700.0, 700.0, 320.0, 240.0))


@pytest.mark.parametrize(
    ('K', 'words'),
    [
        (np.zeros(9), 'not calibrated'),
        (np.full(9, np.nan), 'not finite'),
        (np.array([600, 0, 320, 0, 600, 240, 0, 0, 1.0]), 'K belongs to another image size'),
    ],
)
def test_zero_or_wrong_intrinsics(tmp_path, K, words):
    rows = [(t, s, info(s, k=K) if t == INFO else m) for t, s, m in rgbd(3)]
    samples, (problem,) = take(write(tmp_path / 'bag', rows))
    assert [s.frame.camera for s in samples] == [None] * 3
    assert words in problem
    assert 'pass --camera-info TOPIC or --intrinsics FX,FY,CX,CY' in problem


@pytest.mark.parametrize(
    ('camera', 'expected', 'words'),
    [
        (CAMERA.resized(128, 96), CAMERA, 'is for 128x96, the image is 64x48: scaled'),
        (PinholeCamera(64, 64, 60.0, 60.0, 32.0, 32.0), None, 'another shape, not used; pass'),
    ],
)
def test_camera_info_of_another_size(tmp_path, camera, expected, words):
    rows = [(t, s, info(s, camera) if t == INFO else m) for t, s, m in rgbd(3)]
    samples, (problem,) = take(write(tmp_path / 'bag', rows))
    assert words in problem
    assert problem.endswith('(3 times)')
    for sample in samples:
        assert sample.frame.camera == expected
        assert sample.frame.camera is samples[0].frame.camera


@pytest.mark.parametrize(
    ('width', 'height', 'kept', 'words'),
    [(32, 24, True, 'resampled'), (48, 48, False, 'another shape')],
)
def test_depth_of_another_size(tmp_path, width, height, kept, words):
    rows = [(t, s, m) for t, s, m in rgbd(2) if t != DEPTH]
    rows += [(DEPTH, t, image(t, depth(k, width, height))) for k, t in enumerate(stamps(2))]
    samples, (problem,) = take(write(tmp_path / 'bag', rows))
    assert words in problem
    assert problem.endswith('(2 times)')
    for k, sample in enumerate(samples):
        assert (sample.frame.depth is not None) == kept
        if kept:
            assert sample.frame.depth.shape == (48, 64)
            np.testing.assert_allclose(sample.frame.depth, k + 1.0, rtol=1e-6)


@pytest.mark.parametrize('value', [0.0, np.nan])
def test_depth_without_a_measurement(tmp_path, value):
    rows = rgbd(4)
    rows[4] = (DEPTH, stamps(4)[1], image(stamps(4)[1], np.full((48, 64), value, np.float32)))
    samples, problems = take(write(tmp_path / 'bag', rows))
    assert [s.frame.depth is None for s in samples] == [False, True, False, False]
    assert problems == ['depth image without a single measurement']


def test_resolution_change_midway(tmp_path):
    small = CAMERA.resized(32, 24)
    rows = []
    for k, t in enumerate(stamps(6)):
        width, height, camera = (64, 48, CAMERA) if k < 3 else (32, 24, small)
        late = t + 60_000_000  # so the camera_info before the change is nearer than that behind it
        rows += [
            (IMAGE, t, image(t, rgb(k, width, height))),
            (DEPTH, t, image(t, depth(k, width, height))),
            (INFO, late, info(late, camera)),
        ]
    samples, problems = take(write(tmp_path / 'bag', rows))
    assert [s.frame.rgb.shape[1] for s in samples] == [64] * 3 + [32] * 3
    assert [s.frame.camera for s in samples] == [CAMERA] * 3 + [small] * 3
    assert [s.frame.depth.shape for s in samples] == [(48, 64)] * 3 + [(24, 32)] * 3
    assert problems == ['the image size changes from 64x48 to 32x24 at image 3']


def test_time_running_backwards(tmp_path):
    rows = []
    for round_, log in ((0, 0), (1, 40 * STEP)):
        for topic, t, message in rgbd(30):
            rows.append((topic, t + log + round_, message))
    samples, (jump, *_) = take(write(tmp_path / 'bag', rows))
    assert [s.stamp_ns for s in samples] == stamps(30) * 2
    assert jump == 'time runs backwards by 2.900 s at image 30'
    with_depth = [s for s in samples if s.frame.depth is not None]
    assert len(with_depth) >= 59
    for sample in with_depth:
        assert sample.frame.depth[0, 0] == pytest.approx(sample.frame.rgb[0, 0, 0] + 1)


def test_one_frame_that_cannot_be_decoded_is_left_out(tmp_path, caplog):
    data = cv2.imencode('.jpg', PIXELS)[1].tobytes()
    rows = [('/image/compressed', t, compressed(t, 'jpeg', data)) for t in stamps(5)]
    for k in (1, 3):
        rows[k] = ('/image/compressed', stamps(5)[k], compressed(stamps(5)[k], 'jpeg', data[:90]))
    with caplog.at_level(logging.WARNING):
        samples, problems = take(write(tmp_path / 'bag', rows), intrinsics=(60, 60, 32, 24))
    assert [s.index for s in samples] == [0, 2, 4]
    assert len(problems) == 1
    assert problems[0].startswith('/image/compressed: image 1 cannot be decoded: compressed')
    assert problems[0].endswith('(2 times)')
    assert sum('cannot be decoded' in r.message for r in caplog.records) == 1


def test_an_unknown_encoding_throughout(tmp_path):
    message = raw_image(START, 'nv21', PIXELS.tobytes(), 192)
    path = write(tmp_path / 'bag', [(IMAGE, t, message) for t in stamps(2)])
    with pytest.raises(InputError, match=r"not one image .* encoding 'nv21' is not supported"):
        take(path)


def test_depth_that_cannot_be_decoded_leaves_the_image(tmp_path):
    rows = [
        (t, s, raw_image(s, '64FC1', bytes(48 * 512), 512) if t == DEPTH else m)
        for t, s, m in rgbd(2)
    ]
    samples, (problem,) = take(write(tmp_path / 'bag', rows))
    assert [s.frame.depth for s in samples] == [None, None]
    assert "depth 0 cannot be decoded: image encoding '64FC1' is not depth" in problem


def test_messages_that_are_cut_short(tmp_path):
    kind = 'sensor_msgs/msg/Image'
    whole = bytes(humble().serialize_cdr(image(START, rgb(0)), kind))
    rows = [(IMAGE, START, image(START, rgb(0))), (IMAGE, START + 1, (kind, whole[:5000]))]
    rows += [(IMAGE, START + 2, (kind, b'\x00\x01'))]
    rows += [(INFO, START, ('sensor_msgs/msg/CameraInfo', bytes(8)))]
    rows += [('/tf_static', START, ('tf2_msgs/msg/TFMessage', b'\x00\x01\x00\x00\xff'))]
    samples, problems = take(write(tmp_path / 'bag', rows))
    assert [s.index for s in samples] == [0]
    assert len(problems) == 3
    assert any('image 1 cannot be decoded: a message of' in p for p in problems)


def test_no_image_topic(tmp_path):
    path = write(tmp_path / 'bag', [r for r in rgbd(2) if r[0] == INFO])
    with pytest.raises(InputError, match=rf'no image topic .* holds {INFO} \(sensor_msgs/msg/Cam'):
        Recording(path)
    with pytest.raises(InputError, match='topic /x is not in the recording'):
        Recording(write(tmp_path / 'other', rgbd(2)), image='/x')
