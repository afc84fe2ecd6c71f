# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Message classes and their serialised form: passes on the real rclpy and on the stand-in alike."""

import array

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import (
    PoseWithCovariance,
    PoseWithCovarianceStamped,
    Quaternion,
)
from rcl_interfaces.msg import (
    IntegerRange,
    ParameterDescriptor,
)
from rclpy.serialization import deserialize_message, serialize_message
from rosidl_runtime_py.utilities import get_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Float32MultiArray, Header, Int32, String
from std_srvs.srv import Trigger


def test_fields_begin_with_their_defaults():
    assert Quaternion().w == 1.0 and Quaternion().x == 0.0
    assert Header().frame_id == '' and Header().stamp.nanosec == 0
    assert isinstance(Image().data, array.array) and Image().data.typecode == 'B'
    assert CameraInfo().k.dtype == np.float64 and CameraInfo().k.shape == (9,)
    assert CameraInfo().d == array.array('d')
    assert DiagnosticArray().status == [] and DiagnosticStatus().level == b'\x00'
    assert DiagnosticStatus.ERROR == b'\x02' and PointField.FLOAT32 == 7


def test_what_is_assigned_is_held_as_rosidl_holds_it():
    image = Image(data=[1, 2, 3], height=2)
    assert image.data == array.array('B', [1, 2, 3]) and image.height == 2
    octets = array.array('B', b'abc')
    image.data = octets
    assert image.data is octets
    info = CameraInfo(k=[float(v) for v in range(9)])
    assert isinstance(info.k, np.ndarray) and info.k[8] == 8.0
    covariance = np.eye(6).ravel()
    pose = PoseWithCovariance(covariance=covariance)
    assert np.array_equal(pose.covariance, covariance)
    assert Image(encoding='rgb8') == Image(encoding='rgb8') != Image(encoding='bgr8')


@pytest.mark.parametrize(
    ('message_type', 'field', 'value'),
    [
        (Quaternion, 'x', 1),
        (Quaternion, 'x', np.float32(1)),
        (Quaternion, 'x', '1'),
        (Image, 'height', 1.0),
        (Image, 'height', np.int64(1)),
        (Image, 'height', -1),
        (Image, 'height', 2**32),
        (Image, 'encoding', b'rgb8'),
        (Image, 'header', None),
        (Image, 'data', np.zeros(3, np.uint8)),
        (Image, 'data', array.array('b', [1])),
        (Image, 'data', [256]),
        (Image, 'data', 'abc'),
        (CameraInfo, 'k', np.zeros(9, np.float32)),
        (CameraInfo, 'k', np.zeros(8)),
        (CameraInfo, 'k', [0] * 9),
        (CameraInfo, 'd', [0]),
        (CameraInfo, 'd', array.array('f', [0.0])),
        (DiagnosticStatus, 'level', 1),
        (DiagnosticStatus, 'level', b''),
        (DiagnosticStatus, 'values', [Header()]),
        (DiagnosticStatus, 'values', KeyValue()),
        (PointCloud2, 'is_dense', np.bool_(True)),
        (PointCloud2, 'is_dense', 1),
        (Float32MultiArray, 'data', [1e39]),
        (ParameterDescriptor, 'integer_range', [IntegerRange()] * 2),
    ],
)
def test_values_of_a_wrong_kind_are_refused(message_type, field, value):
    with pytest.raises(AssertionError):
        setattr(message_type(), field, value)


def test_unknown_fields_are_refused():
    with pytest.raises(AssertionError):
        Image(hight=1)
    with pytest.raises(AttributeError):
        Image().hight = 1


def test_float64_is_a_float_and_bytes_are_octets():
    assert Quaternion(x=np.float64(0.5)).x == 0.5
    assert Image(data=b'\x01\x02').data == array.array('B', [1, 2])
    assert Int32(data=True).data == 1  # a bool is an int to Python


def test_a_message_survives_its_serialised_form():
    message = PoseWithCovarianceStamped()
    message.header.frame_id = 'map'
    message.header.stamp.sec = -3
    message.pose.covariance[35] = 0.25
    status = DiagnosticStatus(level=DiagnosticStatus.WARN, values=[KeyValue(key='a', value='b')])
    cloud = PointCloud2(data=array.array('B', range(7)), fields=[PointField(name='x', count=1)])
    for each in (message, status, cloud, Trigger.Request(), String(data='für')):
        assert deserialize_message(serialize_message(each), type(each)) == each


def test_the_serialised_form_is_that_of_the_wire():
    status = DiagnosticStatus(level=b'\x01', name='ab', values=[KeyValue(key='k', value='')])
    assert serialize_message(status).hex() == (
        '00010000' '01000000' '0300000061620000' '0100000000000000' '0100000000000000'
        '01000000' '020000006b000000' '0100000000'
    )  # fmt: skip


def test_a_list_changed_for_the_worse_is_found_when_it_is_sent():
    status = DiagnosticStatus()
    status.values.append('not a KeyValue')
    with pytest.raises((AssertionError, AttributeError)):
        serialize_message(status)


def test_interfaces_are_found_by_name():
    assert get_message('sensor_msgs/msg/Image') is Image
