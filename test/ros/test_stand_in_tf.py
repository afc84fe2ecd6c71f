# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Transforms and point clouds: passes on the real tf2_ros and on the stand-in alike."""

import array
import math

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.time import Time
from sensor_msgs.msg import PointCloud2, PointField
from sensor_msgs_py.point_cloud2 import read_points
from tf2_ros import (
    Buffer,
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)


def transform(parent, child, seconds, x=0.0, yaw=0.0):
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id = parent
    message.header.stamp = Time(nanoseconds=int(seconds * 1e9)).to_msg()
    message.transform.translation.x = x
    message.transform.rotation.z = math.sin(yaw / 2)
    message.transform.rotation.w = math.cos(yaw / 2)
    return message


@pytest.fixture
def buffer():
    """A robot that turns and drives from 10 s to 12 s, with a camera on it."""
    buffer = Buffer()
    buffer.set_transform_static(transform('base', 'camera', 0, x=1.0), '')
    for seconds in (10, 11, 12):
        buffer.set_transform(
            transform('odom', 'base', seconds, x=seconds - 10.0, yaw=(seconds - 10) * 0.5), ''
        )
    buffer.set_transform(transform('map', 'odom', 10, x=5.0), '')
    buffer.set_transform(transform('map', 'odom', 11, x=7.0), '')
    buffer.set_transform_static(transform('island', 'palm', 0), '')
    return buffer


def at(seconds):
    return Time(nanoseconds=int(seconds * 1e9))


def knows(buffer, target, source, seconds):
    try:
        buffer.lookup_transform(target, source, at(seconds))
    except TransformException:
        return False
    return True


def test_transforms_are_joined_and_interpolated(buffer):
    found = buffer.lookup_transform('map', 'camera', at(10.5))
    assert (found.header.frame_id, found.child_frame_id) == ('map', 'camera')
    assert (found.header.stamp.sec, found.header.stamp.nanosec) == (10, 500_000_000)
    yaw = 2 * math.atan2(found.transform.rotation.z, found.transform.rotation.w)
    assert yaw == pytest.approx(0.25, abs=1e-9)
    assert found.transform.translation.x == pytest.approx(6.5 + math.cos(0.25), abs=1e-9)
    assert found.transform.translation.y == pytest.approx(math.sin(0.25), abs=1e-9)
    back = buffer.lookup_transform('camera', 'map', at(10.5))
    assert back.transform.rotation.z == pytest.approx(-math.sin(0.125), abs=1e-9)


def test_time_zero_is_the_latest_that_all_have(buffer):
    assert buffer.lookup_transform('map', 'base', Time()).header.stamp.sec == 11
    assert buffer.lookup_transform('odom', 'base', Time()).header.stamp.sec == 12
    assert buffer.lookup_transform('base', 'camera', Time()).transform.translation.x == 1.0


@pytest.mark.parametrize(
    ('target', 'source', 'seconds', 'error'),
    [
        ('map', 'nowhere', 10.5, LookupException),
        ('map', 'palm', 10.5, ConnectivityException),
        ('map', 'base', 11.5, ExtrapolationException),
        ('map', 'base', 9.5, ExtrapolationException),
        ('odom', 'camera', 12.5, ExtrapolationException),
        ('map', '/base', 10.5, InvalidArgumentException),
        ('map', '', 10.5, InvalidArgumentException),
    ],
)
def test_what_cannot_be_known_is_an_exception(buffer, target, source, seconds, error):
    assert issubclass(error, TransformException)
    with pytest.raises(error):
        buffer.lookup_transform(target, source, at(seconds))


def test_a_single_transform_holds_at_its_stamp_only():
    buffer = Buffer()
    buffer.set_transform(transform('map', 'base', 10), '')
    assert knows(buffer, 'map', 'base', 10)
    assert knows(buffer, 'map', 'base', 0)
    assert not knows(buffer, 'map', 'base', 10.001)


def test_the_buffer_forgets_and_refuses_what_is_old(buffer):
    for seconds in (21.5, 21.6):
        buffer.set_transform(transform('odom', 'base', seconds, x=9.0), '')
    assert not knows(buffer, 'odom', 'base', 11.4)
    assert knows(buffer, 'odom', 'base', 13)
    buffer.set_transform(transform('odom', 'base', 5, x=9.0), '')
    assert not knows(buffer, 'odom', 'base', 5)
    short = Buffer(cache_time=Duration(seconds=1))
    for seconds in (1, 2, 3, 4):
        short.set_transform(transform('map', 'base', seconds), '')
    assert not knows(short, 'map', 'base', 1.5)
    assert knows(short, 'map', 'base', 2.5)


def test_cleared_buffers_take_the_past_again_and_keep_what_is_static(buffer):
    buffer.clear()
    assert knows(buffer, 'base', 'camera', 1)
    for time in (at(11), at(0)):
        with pytest.raises(TransformException):
            buffer.lookup_transform('odom', 'base', time)
    buffer.set_transform(transform('odom', 'base', 1, x=3.0), '')
    assert buffer.lookup_transform('odom', 'camera', at(1)).transform.translation.x == 4.0


@pytest.mark.parametrize(
    'bad',
    [
        transform('map', 'map', 1),
        transform('', 'base', 1),
        transform('map', '', 1),
        transform('map', 'base', 1, x=math.nan),
    ],
)
def test_nonsense_is_ignored(bad):
    buffer = Buffer()
    buffer.set_transform(bad, '')
    assert not knows(buffer, 'map', 'base', 1)


def test_points_are_read_by_name():
    table = np.array([[1, 2, 3, 9], [4, np.nan, 6, 9]], np.float32)
    cloud = PointCloud2(height=1, width=2, point_step=16, row_step=32, is_dense=False)
    cloud.fields = [
        PointField(name=name, offset=4 * k, datatype=PointField.FLOAT32, count=1)
        for k, name in enumerate('xyz')
    ]
    cloud.data = array.array('B', table.tobytes())
    points = read_points(cloud)
    assert points.shape == (2,) and points['x'].tolist() == [1.0, 4.0]
    assert read_points(cloud, ('z', 'x')).dtype.names == ('z', 'x')
    assert read_points(cloud, skip_nans=True)['z'].tolist() == [3.0]
