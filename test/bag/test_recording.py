# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Recordings to frames: every encoding through real CDR."""

from __future__ import annotations

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
from loc3r_ros.bag.typestore import messages
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import pose
from loc3r_ros.ingest.depth import register


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
