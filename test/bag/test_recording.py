# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Recordings to frames: every encoding through real CDR, and every broken input we know."""

from __future__ import annotations

import logging
import os
import struct

import cv2
import numpy as np
import pytest
from make_bag import (
    CAMERA,
    DEPTH,
    DEPTH_INFO,
    IMAGE,
    INFO,
    START,
    STEP,
    compressed,
    depth,
    image,
    info,
    rgb,
    rgbd,
    stamps,
    write,
)

from loc3r_ros.bag.recording import Recording
from loc3r_ros.bag.typestore import humble, messages
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import pose
from loc3r_ros.ingest.depth import register


def take(path, start=0, **options):
    """All samples and the problems of a pass."""
    with Recording(path, **options) as recording:
        return list(recording.samples(start)), recording.problems


def raw_image(stamp, encoding, data, step, width=64, height=48, big_endian=0):
    return messages().new(
        'sensor_msgs/msg/Image',
        header=messages().header(stamp, 'camera_optical'),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=big_endian,
        step=step,
        data=np.frombuffer(data, np.uint8),
    )


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_whole_recording(tmp_path, storage):
    path = write(tmp_path / 'bag', rgbd(5), storage=storage)
    with Recording(path) as recording:
        assert recording.len_hint == 5
        samples = list(recording)
        assert recording.problems == []
        assert recording.slop_s == pytest.approx(0.05)
    assert [s.index for s in samples] == [0, 1, 2, 3, 4]
    assert [s.stamp_ns for s in samples] == stamps(5)
    for k, sample in enumerate(samples):
        np.testing.assert_array_equal(sample.frame.rgb, rgb(k))
        np.testing.assert_allclose(sample.frame.depth, k + 1.0, rtol=1e-6)
        assert sample.frame.stamp == pytest.approx(1.6e9 + 0.1 * k, abs=1e-6)
        assert sample.frame_id == 'camera_optical'
        assert sample.frame.camera == CAMERA
    assert samples[0].frame.camera is samples[4].frame.camera, 'its rays are computed once'


def test_start_gives_the_same_samples_from_there_on(tmp_path):
    path = write(tmp_path / 'bag', rgbd(6))
    with Recording(path) as recording:
        everything = list(recording)
        rest = list(recording.samples(start=4))
        assert list(recording.samples(start=6)) == []
    assert [s.index for s in rest] == [4, 5]
    for a, b in zip(everything[4:], rest, strict=True):
        assert a.stamp_ns == b.stamp_ns
        np.testing.assert_array_equal(a.frame.rgb, b.frame.rgb)
        np.testing.assert_array_equal(a.frame.depth, b.frame.depth)


PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
ALPHA = np.full((48, 64, 1), 7, np.uint8)
ENCODED = {
    'rgb8': PIXELS,
    'bgr8': PIXELS[..., ::-1],
    'rgba8': np.concatenate([PIXELS, ALPHA], 2),
    'bgra8': np.concatenate([PIXELS[..., ::-1], ALPHA], 2),
    'mono8': PIXELS[..., :1],
}


@pytest.mark.parametrize('pad', [0, 3])
@pytest.mark.parametrize('encoding', ENCODED)
def test_color_encodings(tmp_path, encoding, pad):
    rows = np.pad(ENCODED[encoding].reshape(48, -1), ((0, 0), (0, pad)), constant_values=99)
    message = raw_image(START, encoding, rows.tobytes(), rows.shape[1])
    (sample,), _ = take(write(tmp_path / 'bag', [(IMAGE, START, message)]))
    expected = np.repeat(PIXELS[..., :1], 3, 2) if encoding == 'mono8' else PIXELS
    np.testing.assert_array_equal(sample.frame.rgb, expected)


MM = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)


def deep_messages():
    metres = np.where(MM, MM / 1000, np.nan).astype('f4')
    png = cv2.imencode('.png', MM)[1].tobytes()
    return {
        '16UC1': raw_image(START, '16UC1', MM.tobytes(), 128),
        '16UC1 big': raw_image(START, '16UC1', MM.astype('>u2').tobytes(), 128, big_endian=1),
        '32FC1': raw_image(START, '32FC1', metres.tobytes(), 256),
        '32FC1 big': raw_image(START, '32FC1', metres.astype('>f4').tobytes(), 256, big_endian=1),
        'png': compressed(START, '16UC1; png compressed', png),
        'compressedDepth': compressed(
            START, '16UC1; compressedDepth png', struct.pack('<iff', 0, 0, 0) + png
        ),
    }


@pytest.mark.parametrize('kind', deep_messages())
def test_depth_encodings(tmp_path, kind):
    rows = [(IMAGE, START, image(START, PIXELS)), ('/deep', START, deep_messages()[kind])]
    (sample,), problems = take(write(tmp_path / 'bag', rows))
    expected = np.where(MM, MM / np.float32(1000), np.nan)
    np.testing.assert_allclose(sample.frame.depth, expected, rtol=1e-6)
    assert len(problems) == 1, 'no camera_info'


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_compressed_color(tmp_path, suffix):
    smooth = cv2.resize(PIXELS[:6, :8], (64, 48))
    data = cv2.imencode(suffix, smooth[..., ::-1])[1].tobytes()
    rows = [(IMAGE + '/compressed', START, compressed(START, 'rgb8; jpeg compressed bgr8', data))]
    (sample,), _ = take(write(tmp_path / 'bag', rows))
    assert np.abs(sample.frame.rgb.astype(int) - smooth).mean() < (4 if suffix == '.jpg' else 0.01)


def test_jitter_and_dropped_frames(tmp_path):
    rng = np.random.default_rng(0)
    kept = rng.random((2, 40)) > 0.3
    rows = []
    for k, t in enumerate(stamps(40)):
        late = t + int(rng.integers(-20_000_000, 20_000_000))
        if kept[0, k]:
            rows.append((IMAGE, t, image(t, rgb(k))))
        if kept[1, k]:
            rows.append((DEPTH, t + 70_000_000, image(late, depth(k))))
    samples, _ = take(write(tmp_path / 'bag', rows))
    assert [int(s.frame.rgb[0, 0, 0]) for s in samples] == np.flatnonzero(kept[0]).tolist()
    for sample in samples:
        k = int(sample.frame.rgb[0, 0, 0])
        if kept[1, k]:
            np.testing.assert_allclose(sample.frame.depth, k + 1.0, rtol=1e-6)
        else:
            assert sample.frame.depth is None


@pytest.mark.parametrize(('interval', 'slop'), [(0.02, 0.01), (0.5, 0.05), (0.0, 0.05)])
def test_slop_follows_the_rate_of_depth(tmp_path, interval, slop):
    rows = [(IMAGE, START, image(START, rgb(0)))]
    for k in range(9):
        t = START + round(k * interval * 1e9)
        rows.append((DEPTH, t, image(t, depth(0))))
    with Recording(write(tmp_path / 'bag', rows)) as recording:
        assert recording.slop_s == pytest.approx(slop)
    with Recording(tmp_path / 'bag', slop_s=0.003) as recording:
        assert recording.slop_s == 0.003


def test_registered_by_static_transform_and_depth_info(tmp_path):
    deep = PinholeCamera(80, 60, 70.0, 70.0, 39.5, 29.5)
    T = pose(np.eye(3), [0.05, 0.0, 0.0])
    make = messages()
    rows = [
        ('/tf_static', START, make.tf(make.transform_stamped(0, 'link', 'color', np.eye(4)))),
        ('/tf_static', START, make.tf(make.transform_stamped(0, 'link', 'deep', T))),
        (IMAGE, START, image(START, rgb(0), 'color')),
        (INFO, START, info(START)),
        (DEPTH, START, image(START, depth(1, 80, 60), 'deep')),
        (DEPTH_INFO, START, info(START, deep)),
    ]
    with Recording(write(tmp_path / 'bag', rows)) as recording:
        (sample,) = recording
        assert recording.problems == []
        np.testing.assert_allclose(recording.static_transforms.lookup('color', 'deep'), T)
    expected = register(np.full((60, 80), 2.0, np.float32), deep, CAMERA, T)
    np.testing.assert_array_equal(sample.frame.depth, expected)
    assert np.isfinite(sample.frame.depth).mean() > 0.8


def test_camera_info_that_comes_late_and_seldom_serves_all(tmp_path):
    rows = [(IMAGE, t, image(t, rgb(k))) for k, t in enumerate(stamps(5))]
    rows.append((INFO, stamps(5)[3], info(stamps(5)[3])))
    samples, problems = take(write(tmp_path / 'bag', rows))
    assert [s.frame.camera for s in samples] == [CAMERA] * 5
    assert problems == []


def test_header_without_a_stamp_takes_the_log_time(tmp_path):
    rows = [(IMAGE, t, image(0, rgb(k))) for k, t in enumerate(stamps(3))]
    samples, _ = take(write(tmp_path / 'bag', rows))
    assert [s.stamp_ns for s in samples] == stamps(3)


def test_memory_is_bounded(tmp_path):
    rows = [(IMAGE, t, image(t, rgb(k))) for k, t in enumerate(stamps(200))]
    rows += [(DEPTH, START, image(START, depth(0)))]
    with Recording(write(tmp_path / 'bag', rows)) as recording:
        read = 0
        original = recording._reader.read

        def counting(topics):
            nonlocal read
            for raw in original(topics):
                read += 1
                yield raw

        recording._reader.read = counting
        for sample in recording:
            assert read - sample.index < 40, 'what was read waits for nothing any more'


# Broken recordings, each with a message and whatever can be saved.


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


@pytest.mark.shared
def test_seven_scenes(shared_dir):
    folder = shared_dir / 'data/real_rgbd/sevenscenes_redkitchen'
    with Recording(folder / 'bag') as recording:
        assert recording.topics.image == '/camera/color/image_raw'
        truth = recording.poses('/ground_truth/pose')
        assert truth.T.shape == (143, 4, 4)
        mount = recording.static_transforms.lookup('camera_link', 'camera_color_optical_frame')
        np.testing.assert_array_equal(mount[:3, :3], [[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        samples = 0
        for sample in recording:
            camera = sample.frame.camera
            assert (camera.fx, camera.fy, camera.cx, camera.cy) == (262.5, 262.5, 161, 118.5)
            assert sample.stamp_ns == truth.stamps_ns[sample.index]
            assert sample.frame.rgb.shape == (240, 320, 3)
            assert 0.5 < np.isfinite(sample.frame.depth).mean() < 0.9
            samples += 1
        assert (samples, recording.len_hint, recording.problems) == (143, 143, [])
