# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r world record`, read back by a foreign reader."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import Reader

from loc3r_ros.bag.typestore import humble
from loc3r_ros.cli import world
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import invert, pose, rotation_from_quaternion, transform
from loc3r_ros.world import drive as drive_module
from loc3r_ros.world import sheet
from loc3r_ros.world.apartment import generate_apartment
from loc3r_ros.world.depth_noise import DepthNoise
from loc3r_ros.world.robot import camera_of, optical_poses
from loc3r_ros.world.room import generate_room
from loc3r_ros.world.tour import Tour

SEED, FRAMES, PERIOD_NS = 5, 6, 33_333_333


def record(*words: object) -> int:
    parser = argparse.ArgumentParser()
    world.add_parser(parser.add_subparsers())
    args = parser.parse_args(['world', 'record', *map(str, words)])
    return args.execute(args)


def read(path: Path) -> dict[str, list]:
    """Messages by topic, with the log time in front."""
    out = defaultdict(list)
    with Reader(path) as bag:
        for connection, stamp, data in bag.messages():
            out[connection.topic].append(
                (stamp, humble().deserialize_cdr(data, connection.msgtype))
            )
    return out


def matrix(message) -> np.ndarray:
    p, q = message.position, message.orientation
    return pose(rotation_from_quaternion([q.x, q.y, q.z, q.w]), [p.x, p.y, p.z])


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    path = tmp_path_factory.mktemp('world') / 'room'
    assert record(path, '--seed', SEED, '--frames', FRAMES, '--rate', 30, '--size', '160x120') == 0
    return path, read(path)


def test_topics_types_and_counts(bag):
    with Reader(bag[0]) as reader:
        found = {c.topic: (c.msgtype, c.msgcount) for c in reader.connections}
    assert found == {
        '/tf_static': ('tf2_msgs/msg/TFMessage', 1),
        '/tf': ('tf2_msgs/msg/TFMessage', FRAMES),
        '/odom': ('nav_msgs/msg/Odometry', FRAMES),
        '/camera/color/image_raw': ('sensor_msgs/msg/Image', FRAMES),
        '/camera/color/camera_info': ('sensor_msgs/msg/CameraInfo', FRAMES),
        '/camera/depth/image_raw': ('sensor_msgs/msg/Image', FRAMES),
        '/camera/depth/camera_info': ('sensor_msgs/msg/CameraInfo', FRAMES),
        '/ground_truth/pose': ('geometry_msgs/msg/PoseStamped', FRAMES),
    }


def test_stamps_are_multiples_of_the_period(bag):
    for topic, messages in bag[1].items():
        if topic.startswith('/tf'):
            continue
        for k, (logged, message) in enumerate(messages):
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            assert stamp == logged == world.START_NS + k * PERIOD_NS, topic


def test_frames_and_static_transforms(bag):
    ((_, static),) = bag[1]['/tf_static']
    chain = [(t.header.frame_id, t.child_frame_id) for t in static.transforms]
    assert chain == [('base_link', 'camera_link'), ('camera_link', 'camera_color_optical_frame')]
    assert 0.6 <= static.transforms[0].transform.translation.z <= 1.0
    for topic in ('color', 'depth'):
        for kind in ('image_raw', 'camera_info'):
            _, message = bag[1][f'/camera/{topic}/{kind}'][0]
            assert message.header.frame_id == 'camera_color_optical_frame'
    _, truth = bag[1]['/ground_truth/pose'][0]
    assert truth.header.frame_id == 'map'


def test_images_and_intrinsics(bag):
    _, colour = bag[1]['/camera/color/image_raw'][0]
    assert (colour.encoding, colour.width, colour.height, colour.step) == ('rgb8', 160, 120, 480)
    _, depth = bag[1]['/camera/depth/image_raw'][0]
    assert (depth.encoding, depth.width, depth.height, depth.step) == ('16UC1', 160, 120, 320)
    _, info = bag[1]['/camera/color/camera_info'][0]
    np.testing.assert_array_equal(info.k.reshape(3, 3), camera_of(160, 120).matrix)
    millimetres = depth_of(bag, 0)
    assert ((millimetres == 0) | ((millimetres >= 300) & (millimetres <= 6000))).all()
    assert (millimetres > 0).mean() > 0.8


def depth_of(bag, k: int) -> np.ndarray:
    _, message = bag[1]['/camera/depth/image_raw'][k]
    return message.data.view('<u2').reshape(message.height, message.width)


def test_truth_is_the_camera_pose_and_odometry_follows_it(bag):
    scene = generate_room(SEED)
    T_base = Tour(scene).poses(1e-9 * PERIOD_NS * np.arange(FRAMES))
    for k in range(FRAMES):
        _, truth = bag[1]['/ground_truth/pose'][k]
        np.testing.assert_allclose(matrix(truth.pose), optical_poses(T_base)[k], atol=1e-12)
        _, odometry = bag[1]['/odom'][k]
        assert (odometry.header.frame_id, odometry.child_frame_id) == ('odom', 'base_link')
        expected = invert(T_base[0]) @ T_base[k]
        np.testing.assert_allclose(matrix(odometry.pose.pose), expected, atol=0.02)
        _, tf = bag[1]['/tf'][k]
        at = tf.transforms[0].transform.translation
        assert [at.x, at.y] == [odometry.pose.pose.position.x, odometry.pose.pose.position.y]


def test_depth_of_two_frames_agrees_in_the_map(bag):
    camera = camera_of(160, 120)
    a, b = (matrix(bag[1]['/ground_truth/pose'][k][1].pose) for k in (0, FRAMES - 1))
    z = depth_of(bag, 0).astype(np.float32) / 1000
    points = camera.backproject(z)[z > 0].astype(np.float64)
    seen = transform(invert(b) @ a, points)
    pixels = np.round(camera.project(seen))
    inside = (np.abs(pixels - (79.5, 59.5)) < (80, 60)).all(1)
    other = depth_of(bag, FRAMES - 1)[tuple(pixels[inside].astype(int).T[::-1])] / 1000
    known = other > 0
    noise = DepthNoise()
    sigma = np.sqrt(2) * (noise.base + noise.growth * other[known] ** 2)
    off = np.abs(other - seen[inside, 2])[known] / sigma
    assert known.sum() > 5000
    # The median of the absolute value of a normal deviate is 0.674.
    assert np.median(off) == pytest.approx(0.674, abs=0.12)


def test_the_same_command_writes_the_same_messages(bag, tmp_path):
    record(tmp_path / 'b', '--seed', SEED, '--frames', 2, '--rate', 30, '--size', '160x120')
    again = read(tmp_path / 'b')
    for topic in ('/camera/color/image_raw', '/camera/depth/image_raw'):
        for k in range(2):
            np.testing.assert_array_equal(again[topic][k][1].data, bag[1][topic][k][1].data)


def test_nothing_is_replaced_unasked(tmp_path):
    small = ('--frames', 1, '--size', '32x24')
    record(tmp_path / 'bag', *small)
    with pytest.raises(InputError, match='there already; name another folder, or add --overwrite'):
        record(tmp_path / 'bag', *small)
    assert record(tmp_path / 'bag', *small, '--seed', 1, '--overwrite') == 0
    precious = tmp_path / 'home'
    precious.mkdir()
    (precious / 'thesis.tex').touch()
    with pytest.raises(InputError, match='is not a bag and will not be replaced'):
        record(precious, *small, '--overwrite')
    assert (precious / 'thesis.tex').exists()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('--size', '320'), 'give WIDTHxHEIGHT'),
        (('--rate', '0'), 'give 0.1 to 1000'),
        (('--frames', '0'), 'give at least one'),
        (('--seconds', 'nan'), 'give 0 to 86400'),
        (('--seconds', '-1'), 'give 0 to 86400'),
        (('--depth-noise', '-1'), 'give 0 .exact. or more'),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(tmp_path, words, message):
    with pytest.raises(InputError, match=message):
        record(tmp_path / 'bag', *words)
    assert not (tmp_path / 'bag').exists()


def test_an_interrupted_recording_is_a_whole_bag(tmp_path, monkeypatch):
    whole = drive_module.drive

    def interrupted(*args, **kwargs):
        for k, moment in enumerate(whole(*args, **kwargs)):
            if k == 3:
                raise KeyboardInterrupt
            yield moment

    monkeypatch.setattr(drive_module, 'drive', interrupted)
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path / 'bag', '--frames', 9, '--size', '32x24')
    assert len(read(tmp_path / 'bag')['/camera/color/image_raw']) == 3


def test_a_flat_is_recorded_and_bad_numbers_of_rooms_are_refused(tmp_path, capsys):
    words = ('--apartment', 2, '--seed', 1, '--frames', 1, '--size', '32x24')
    assert record(tmp_path / 'flat', *words) == 0
    assert '1 frames of flat 1' in capsys.readouterr().out
    assert len(read(tmp_path / 'flat')['/camera/color/image_raw']) == 1
    with pytest.raises(InputError, match='a flat of 5 rooms: give 1 to 4'):
        record(tmp_path / 'other', '--apartment', 5)


def test_a_contact_sheet_has_the_plan_and_the_views(monkeypatch):
    monkeypatch.setattr(sheet, 'TILE', (64, 48))
    scene = generate_apartment(1, 2)
    image = sheet.contact_sheet(scene, Tour(scene), views=6)
    assert image.shape == (2 * 48, 2 * 48 + sheet.COLUMNS * 64, 3)
    assert image[:, :96].std() > 10
    assert image[48:, 96 + 2 * 64 :].max() == 0
    assert image[48:, 96 : 96 + 2 * 64].std() > 10
