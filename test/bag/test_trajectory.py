# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Poses from every message type that has any, and TUM files to the nanosecond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_bag import image, rgb, write

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.trajectory import read_poses, read_tum, write_tum
from loc3r_ros.bag.typestore import messages
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import exp_so3, pose

STAMPS = [1_600_000_000_000_000_001, 1_600_000_000_100_000_002, 1_600_000_000_200_000_003]
POSES = [pose(exp_so3([0.1 * k, 0.2, -0.3]), [k, 2.0, 3.0]) for k in range(3)]


def rows():
    make, out = messages(), [('/image', STAMPS[0], image(STAMPS[0], rgb(0)))]
    stamped = [make.pose_stamped(t, 'map', T) for t, T in zip(STAMPS, POSES, strict=True)]
    for t, T, message in zip(STAMPS, POSES, stamped, strict=True):
        transform = make.transform_stamped(t, 'map', 'cam', T)
        other = make.transform_stamped(t, 'map', 'base', np.eye(4))
        out += [
            ('/pose', t, message),
            ('/pose_cov', t, make.pose_with_covariance_stamped(t, 'map', T, np.eye(6))),
            ('/odom', t, make.odometry(t, 'map', 'cam', T, np.eye(6))),
            ('/transform', t, transform),
            ('/tf', t, make.tf(other, transform)),
            ('/tf_one', t, make.tf(transform)),
        ]
    out += [('/path', STAMPS[k], make.path(STAMPS[k], 'map', stamped[: k + 1])) for k in range(3)]
    return out


@pytest.fixture(scope='module')
def reader(tmp_path_factory):
    with BagReader(write(tmp_path_factory.mktemp('poses') / 'bag', rows())) as opened:
        yield opened


@pytest.mark.parametrize(
    ('topic', 'child'),
    [
        ('/pose', ''),
        ('/pose_cov', ''),
        ('/odom', 'cam'),
        ('/transform', 'cam'),
        ('/path', ''),
        ('/tf:map:cam', 'cam'),
        ('/tf_one', 'cam'),
    ],
)
def test_every_type(reader, topic, child):
    poses = read_poses(reader, topic)
    assert poses.stamps_ns.tolist() == STAMPS
    assert poses.stamps_ns.dtype == np.int64
    np.testing.assert_allclose(poses.T, POSES, atol=1e-12)
    assert (poses.parent, poses.child) == ('map', child)


@pytest.mark.parametrize('topic', ['/image', '/absent'])
def test_a_topic_without_poses_lists_those_with(reader, topic):
    with pytest.raises(InputError, match=rf'no poses on topic {topic}; .*/odom \(nav_msgs/msg/Od'):
        read_poses(reader, topic)


@pytest.mark.parametrize('topic', ['/tf', '/tf:map:elsewhere'])
def test_tf_of_several_frames_must_name_one(reader, topic):
    with pytest.raises(InputError, match='name one: /tf:map:base, /tf:map:cam'):
        read_poses(reader, topic)


def test_a_pose_without_rotation_is_refused(tmp_path):
    broken = messages().pose_stamped(1, 'map', np.eye(4))
    broken.pose.orientation.w = 0.0
    with (
        BagReader(write(tmp_path / 'bag', [('/pose', 1, broken)])) as opened,
        pytest.raises(InputError, match=r'a pose on /pose: quaternion .* has no direction'),
    ):
        read_poses(opened, '/pose')


def test_tum_round_trip(tmp_path):
    write_tum(tmp_path / 't.txt', STAMPS, POSES)
    first = (tmp_path / 't.txt').read_text().split()
    assert first[0] == '1600000000.000000001'
    assert len(first) == 24
    poses = read_tum(tmp_path / 't.txt')
    assert poses.stamps_ns.tolist() == STAMPS
    np.testing.assert_allclose(poses.T, POSES, atol=1e-8)


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=5))
def test_tum_stamps_are_exact(tmp_path_factory, stamps):
    path = tmp_path_factory.mktemp('tum') / 't.txt'
    write_tum(path, stamps, [np.eye(4)] * len(stamps))
    assert read_tum(path).stamps_ns.tolist() == stamps


def test_tum_of_others(tmp_path):
    path = tmp_path / 't.txt'
    path.write_text(
        '# stamp x y z qx qy qz qw\n\n1305031102.175304 1 2 3 0 0 0 2  # scaled\n1e1 0 0 0 0 0 0 1'
    )
    poses = read_tum(path)
    assert poses.stamps_ns.tolist() == [1305031102175304000, 10**10]
    np.testing.assert_array_equal(poses.T[0][:3, 3], [1, 2, 3])


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('1 2 3\n', 'line 1: .* expected: timestamp tx'),
        ('0 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 x\n', 'line 2: could not convert'),
        ('0 0 0 0 0 0 0 0\n', 'line 1: quaternion'),
        ('# nothing\n', 'holds no poses'),
    ],
)
def test_tum_that_is_none(tmp_path, text, words):
    (tmp_path / 't.txt').write_text(text)
    with pytest.raises(InputError, match=words):
        read_tum(tmp_path / 't.txt')
