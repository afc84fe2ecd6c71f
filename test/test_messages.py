# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Our values as ROS messages: through real CDR and back, and as rclpy wants them."""

from __future__ import annotations

import array
from types import SimpleNamespace

import numpy as np
import pytest

from loc3r_ros.bag.typestore import humble, messages
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.messages import UNKNOWN_VARIANCE, Messages, as_array
from loc3r_ros.types import OccupancyGrid

STAMP = 1_600_000_000_123_456_789
T = pose(exp_so3([0.1, -0.2, 0.3]), [1.0, 2.0, 3.0])


def through_cdr(message):
    data = humble().serialize_cdr(message, message.__msgtype__)
    return humble().deserialize_cdr(data, message.__msgtype__)


def test_stamp_is_exact():
    header = through_cdr(messages().pose_stamped(STAMP, 'map', T)).header
    assert (header.stamp.sec, header.stamp.nanosec) == (1_600_000_000, 123_456_789)
    assert header.frame_id == 'map'


def test_odometry_has_pose_covariance_and_no_certainty_of_twist():
    covariance = np.arange(36.0).reshape(6, 6)
    m = through_cdr(messages().odometry(STAMP, 'odom', 'base_link', T, covariance))
    assert m.child_frame_id == 'base_link'
    np.testing.assert_array_equal(m.pose.covariance, np.arange(36.0))
    assert (m.pose.pose.position.x, m.pose.pose.position.z) == (1.0, 3.0)
    q = m.pose.pose.orientation
    angle = 2 * np.arctan2(np.linalg.norm([q.x, q.y, q.z]), q.w)
    assert angle == pytest.approx(np.linalg.norm([0.1, -0.2, 0.3]))
    assert np.all(np.diag(m.twist.covariance.reshape(6, 6)) == UNKNOWN_VARIANCE)


def test_pose_with_covariance_path_and_tf():
    make = messages()
    with_covariance = make.pose_with_covariance_stamped(STAMP, 'map', T, np.eye(6))
    assert through_cdr(with_covariance).pose.covariance.sum() == 6.0
    path = make.path(STAMP, 'map', [make.pose_stamped(k, 'map', T) for k in range(3)])
    assert [p.header.stamp.nanosec for p in through_cdr(path).poses] == [0, 1, 2]
    tf = through_cdr(make.tf(make.transform_stamped(STAMP, 'map', 'odom', T)))
    assert tf.transforms[0].child_frame_id == 'odom'
    assert tf.transforms[0].transform.translation.y == 2.0


def test_occupancy_grid_is_row_major_from_the_lower_left():
    data = np.array([[0, 100, -1], [7, 8, 9]], np.int8)
    grid = OccupancyGrid(0.0, data, 0.05, (-1.0, 2.5))
    m = through_cdr(messages().occupancy_grid(STAMP, 'map', grid))
    assert (m.info.width, m.info.height) == (3, 2)
    assert m.info.resolution == pytest.approx(0.05)
    assert (m.info.origin.position.x, m.info.origin.position.y) == (-1.0, 2.5)
    assert m.info.origin.orientation.w == 1.0
    np.testing.assert_array_equal(m.data, [0, 100, -1, 7, 8, 9])


def test_point_cloud_packs_colour_as_pcl_does():
    points = np.array([[1, 2, 3], [4, 5, np.nan]], np.float32)
    rgb = np.array([[255, 128, 1], [0, 0, 7]], np.uint8)
    m = through_cdr(messages().point_cloud(STAMP, 'map', points, rgb))
    assert [f.name for f in m.fields] == ['x', 'y', 'z', 'rgb']
    assert (m.width, m.height, m.point_step, m.row_step, m.is_dense) == (2, 1, 16, 32, False)
    table = m.data.view(np.uint32).reshape(2, 4)
    assert table[:, 3].tolist() == [0xFF8001, 7]
    np.testing.assert_array_equal(table[:, :3].copy().view(np.float32), points)
    assert messages().point_cloud(STAMP, 'map', points[:1]).is_dense is True
    assert through_cdr(messages().point_cloud(STAMP, 'map', np.empty((0, 3)))).width == 0


@pytest.mark.parametrize(
    ('dtype', 'channels', 'encoding'),
    [('u1', 3, 'rgb8'), ('u1', 0, 'mono8'), ('u2', 0, '16UC1'), ('f4', 0, '32FC1')],
)
def test_image_of_a_strided_view(dtype, channels, encoding):
    shape = (8, 12, channels) if channels else (8, 12)
    pixels = np.arange(np.prod(shape)).reshape(shape).astype(dtype)[::2, ::3]
    m = through_cdr(messages().image(STAMP, 'camera', pixels))
    assert (m.height, m.width, m.encoding, m.is_bigendian) == (4, 4, encoding, 0)
    assert m.step == 4 * pixels.dtype.itemsize * (channels or 1)
    np.testing.assert_array_equal(m.data.view(dtype).reshape(pixels.shape), pixels)


def test_image_of_another_kind_is_refused():
    with pytest.raises(InputError, match=r'\(4, 4, 2\) of uint8; give'):
        messages().image(STAMP, 'camera', np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(InputError, match='float64'):
        messages().image(STAMP, 'camera', np.zeros((4, 4)))


def test_camera_info():
    camera = PinholeCamera(64, 48, 50.0, 51.0, 31.5, 23.5, (0.1, 0.0, 0.0, 0.0, -0.2))
    m = through_cdr(messages().camera_info(STAMP, 'camera', camera))
    assert (m.width, m.height, m.distortion_model) == (64, 48, 'plumb_bob')
    assert m.k.tolist() == [50.0, 0, 31.5, 0, 51.0, 23.5, 0, 0, 1]
    assert m.p.reshape(3, 4)[:, :3].reshape(-1).tolist() == m.k.tolist()
    assert m.d.tolist() == [0.1, 0.0, 0.0, 0.0, -0.2]


def strict(value, path='message'):
    """Refuse what rclpy would store as garbage: numpy scalars and arrays, but for fixed arrays."""
    if isinstance(value, SimpleNamespace):
        for name, field in vars(value).items():
            strict(field, f'{path}.{name}')
    elif isinstance(value, list):
        for k, item in enumerate(value):
            strict(item, f'{path}[{k}]')
    elif isinstance(value, np.ndarray):
        assert value.dtype == np.float64, path
        assert value.size in (9, 12, 36), path
    else:
        assert type(value) in (bool, int, float, str, array.array), f'{path}: {type(value)}'


def test_values_are_plain_python_for_rclpy():
    make = Messages(lambda name: SimpleNamespace, as_array)
    stamp, camera = np.int64(STAMP), PinholeCamera(64, 48, *np.array([50.0, 50.0, 32.0, 24.0]))
    grid = OccupancyGrid(0.0, np.zeros((2, 3), np.int8), np.float32(0.05), (np.float64(1), 2))
    built = [
        make.odometry(stamp, 'map', 'base_link', T, np.eye(6)),
        make.occupancy_grid(stamp, 'map', grid),
        make.point_cloud(stamp, 'map', np.zeros((2, 3)), np.zeros((2, 3), np.uint8)),
        make.image(stamp, 'camera', np.zeros((4, 5, 3), np.uint8)),
        make.camera_info(stamp, 'camera', camera),
        make.tf(make.transform_stamped(stamp, 'a', 'b', T)),
    ]
    for message in built:
        strict(message)
    assert built[1].data.typecode == 'b'
    assert built[3].data.typecode == 'B'
    assert built[4].d.typecode == 'd'
