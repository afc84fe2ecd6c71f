"""What the stand-in promises, as a table of behaviours of ROS.

The same tests run on the real rclpy where it is installed: that both pass is what makes the node
tests on the stand-in worth believing.
"""

import array
import signal
import subprocess
import threading
import time

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseWithCovariance, PoseWithCovarianceStamped, Quaternion
from geometry_msgs.msg import TransformStamped
from lifecycle_msgs.msg import State as StateMsg
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    InvalidTopicNameException,
    NotInitializedException,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from rclpy.executors import (
    ExternalShutdownException,
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import (
    DurabilityPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from rclpy.serialization import deserialize_message, serialize_message
from rclpy.time import Time
from rosidl_runtime_py.utilities import get_message
from ros.harness import LATCHED
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Float32MultiArray, Header, Int32, String, UInt8MultiArray
from std_srvs.srv import SetBool, Trigger

BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=5)


# Messages


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


# Topics


def test_messages_arrive_in_order_and_as_copies(ros):
    received = ros.collect('numbers', Int32)
    for number in range(10):
        ros.publish('numbers', Int32(data=number))
    ros.wait_for(lambda: len(received) == 10)
    assert [message.data for message in received] == list(range(10))
    sent = UInt8MultiArray(data=[1, 2])
    copies = ros.collect('octets', UInt8MultiArray)
    ros.publish('octets', sent)
    ros.wait_for(lambda: copies)
    assert copies[0] == sent and copies[0].data is not sent.data




def test_topics_expand_in_the_namespace_of_their_node(ros):
    node = Node('camera', namespace='robot')
    ros.spin(node)
    assert node.get_fully_qualified_name() == '/robot/camera'
    assert node.resolve_topic_name('image') == '/robot/image'
    assert node.resolve_topic_name('~/image') == '/robot/camera/image'
    assert node.resolve_topic_name('/image') == '/image'
    assert node.create_publisher(String, 'image', 1).topic_name == '/robot/image'
    with pytest.raises(InvalidTopicNameException):
        node.create_publisher(String, 'an image', 1)


def test_names_can_be_remapped(ros):
    remaps = ('__ns:=/left', 'image:=/raw', '__node:=eye')
    node = Node('camera', cli_args=['--ros-args', *(w for r in remaps for w in ('-r', r))])
    ros.spin(node)
    assert node.get_fully_qualified_name() == '/left/eye'
    assert node.resolve_topic_name('image') == '/raw'
    assert node.resolve_topic_name('depth') == '/left/depth'


def test_only_latched_messages_reach_who_comes_late(ros):
    keep = ros.publisher('latched', String, LATCHED)
    keep.publish(String(data='first'))
    keep.publish(String(data='last'))
    ros.publisher('volatile', String).publish(String(data='gone'))
    latched = ros.collect('latched', String, LATCHED)
    volatile = ros.collect('volatile', String)
    plain = ros.collect('latched', String)
    ros.wait_for(lambda: latched)
    time.sleep(0.2)
    assert [message.data for message in latched] == ['last']
    assert volatile == [] and plain == []


def test_a_queue_keeps_the_newest(ros):
    node = Node('slow')
    received = []
    node.create_subscription(Int32, 'numbers', received.append, QoSProfile(depth=3))
    ros.publisher('numbers', Int32, QoSProfile(depth=100))
    for number in range(10):
        ros.publish('numbers', Int32(data=number))
    time.sleep(0.3)
    ros.spin(node)
    ros.wait_for(lambda: len(received) == 3)
    time.sleep(0.1)
    assert [message.data for message in received] == [7, 8, 9]


@pytest.mark.parametrize(
    ('offered', 'requested', 'policy'),
    [
        (RELIABLE, RELIABLE, None),
        (RELIABLE, BEST_EFFORT, None),
        (BEST_EFFORT, BEST_EFFORT, None),
        (BEST_EFFORT, RELIABLE, QoSPolicyKind.RELIABILITY),
        (RELIABLE, LATCHED, QoSPolicyKind.DURABILITY),
        (LATCHED, RELIABLE, None),
    ],
)
def test_a_subscription_must_not_ask_for_more_than_is_offered(ros, offered, requested, policy):
    node = Node('ends')
    received, refused = [], []
    subscriber_events = SubscriptionEventCallbacks(incompatible_qos=refused.append)
    publisher_events = PublisherEventCallbacks(incompatible_qos=refused.append)
    node.create_subscription(
        String, 'words', received.append, requested, event_callbacks=subscriber_events
    )
    publisher = node.create_publisher(String, 'words', offered, event_callbacks=publisher_events)
    ros.spin(node)
    if policy is None:
        ros.wait_for(lambda: publisher.get_subscription_count() == 1)
        publisher.publish(String(data='hello'))
        ros.wait_for(lambda: received)
        assert not refused
    else:
        ros.wait_for(lambda: len(refused) == 2)
        assert {info.last_policy_kind for info in refused} == {policy}
        assert {(info.total_count, info.total_count_change) for info in refused} == {(1, 1)}
        publisher.publish(String(data='hello'))
        time.sleep(0.1)
        assert not received and publisher.get_subscription_count() == 0


def test_a_mismatch_is_logged_where_nobody_asked(ros):
    node = Node('ends')
    node.create_subscription(String, 'words', print, RELIABLE)
    node.create_publisher(String, 'words', BEST_EFFORT)
    ros.spin(node)
    ros.wait_for(lambda: ros.logged('incompatible QoS', level=30))
    assert ros.logged('RELIABILITY')


def test_sensor_data_is_best_effort():
    assert qos_profile_sensor_data.reliability == ReliabilityPolicy.BEST_EFFORT
    assert qos_profile_sensor_data.durability == DurabilityPolicy.VOLATILE
    assert qos_profile_sensor_data.depth == 5
    assert QoSProfile(depth=1) == QoSProfile(depth=1) != QoSProfile(depth=2)


def test_bytes_are_published_and_received_as_they_are(ros):
    raw, read = [], []
    node = Node('bytes')
    node.create_subscription(String, 'words', raw.append, 10, raw=True)
    node.create_subscription(String, 'words', read.append, 10)
    ros.spin(node)
    data = serialize_message(String(data='hello'))
    publisher = ros.publisher('words', String)
    ros.wait_for(lambda: publisher.get_subscription_count() == 2)
    publisher.publish(data)
    ros.wait_for(lambda: raw and read)
    assert read == [String(data='hello')]
    assert isinstance(raw[0], bytes) and raw[0].startswith(data)  # the wire may pad it
    with pytest.raises(TypeError):
        publisher.publish(Int32())


def test_the_graph_names_publishers_with_their_qos(ros):
    node = Node('camera', namespace='robot')
    node.create_publisher(Image, '/image', qos_profile_sensor_data)
    ros.spin(node)
    info = ros.wait_for(lambda: ros.node.get_publishers_info_by_topic('/image'))[0]
    assert (info.node_name, info.node_namespace) == ('camera', '/robot')
    assert info.topic_type == 'sensor_msgs/msg/Image'
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    assert ros.node.count_publishers('/image') == 1 and ros.node.count_subscribers('/image') == 0
    assert ('camera', '/robot') in ros.node.get_node_names_and_namespaces()
    assert ('/image', ['sensor_msgs/msg/Image']) in ros.node.get_topic_names_and_types()
    ros.stop(node)
    ros.wait_for(lambda: ros.node.count_publishers('/image') == 0)


def test_a_destroyed_subscription_receives_nothing(ros):
    node = Node('listener')
    received = []
    subscription = node.create_subscription(String, 'words', received.append, 10)
    ros.spin(node)
    ros.publish('words', String(data='one'))
    ros.wait_for(lambda: received)
    assert node.destroy_subscription(subscription)
    ros.wait_for(lambda: ros.publisher('words', String).get_subscription_count() == 0)
    ros.publish('words', String(data='two'), subscribers=0)
    time.sleep(0.1)
    assert len(received) == 1


# Timers and clocks


def test_a_timer_calls_back_until_it_is_cancelled(ros):
    node = Node('clockwork')
    calls = []
    timer = node.create_timer(0.02, lambda: calls.append(time.monotonic()))
    ros.spin(node)
    ros.wait_for(lambda: len(calls) >= 6)
    assert 0.015 < (calls[5] - calls[0]) / 5 < 0.1
    timer.cancel()
    assert timer.is_canceled()
    time.sleep(0.05)
    count = len(calls)
    time.sleep(0.1)
    assert len(calls) == count
    timer.reset()
    ros.wait_for(lambda: len(calls) > count)
    assert node.destroy_timer(timer)


def test_a_late_timer_does_not_make_up_for_what_it_missed(ros):
    node = Node('clockwork')
    calls = []
    node.create_timer(0.02, lambda: calls.append(time.monotonic()) or time.sleep(0.1))
    ros.spin(node)
    time.sleep(0.55)
    assert 3 <= len(calls) <= 6


def test_simulated_time_stands_still_between_clock_messages(ros):
    node = Node('simulated', parameter_overrides=[Parameter('use_sim_time', value=True)])
    simulated, steady = [], []
    node.create_timer(1.0, lambda: simulated.append(node.get_clock().now().nanoseconds))
    node.create_timer(0.05, lambda: steady.append(1), clock=Clock(clock_type=ClockType.STEADY_TIME))
    ros.spin(node)
    assert node.get_clock().now().nanoseconds == 0 and node.get_clock().ros_time_is_active
    for tenths in range(100, 121):
        ros.set_time(tenths * 10**8)
        time.sleep(0.01)
    ros.wait_for(lambda: node.get_clock().now() == Time(seconds=12, clock_type=ClockType.ROS_TIME))
    ros.wait_for(lambda: len(steady) >= 3)
    assert [round(stamp / 1e9) for stamp in simulated] == [10, 11, 12]


def test_jumps_of_time_call_back(ros):
    node = Node('simulated', parameter_overrides=[Parameter('use_sim_time', value=True)])
    back, change, forward = [], [], []

    def on_jump(jumps, forward_s, back_s, on_change):
        threshold = JumpThreshold(
            min_forward=forward_s and Duration(seconds=forward_s),
            min_backward=back_s and Duration(seconds=back_s),
            on_clock_change=on_change,
        )
        return node.get_clock().create_jump_callback(threshold, post_callback=jumps.append)

    handles = [
        on_jump(back, None, -1.0, False),
        on_jump(forward, 5.0, None, False),
        on_jump(change, None, None, True),
    ]
    ros.spin(node)
    for seconds in (100, 101, 100.5, 98, 99, 104):
        ros.set_time(int(seconds * 1e9))
        ros.wait_for(lambda s=seconds: node.get_clock().now().nanoseconds == int(s * 1e9))
    assert [jump.delta.nanoseconds for jump in back] == [int(-2.5e9)]
    assert [jump.delta.nanoseconds for jump in forward] == [int(100e9), int(5e9)]
    node.set_parameters([Parameter('use_sim_time', value=False)])
    assert [jump.clock_change.name for jump in change] == ['ROS_TIME_DEACTIVATED']
    for handle in handles:
        handle.unregister()
    assert abs(node.get_clock().now().nanoseconds - time.time_ns()) < 1e9


def test_times_of_different_clocks_do_not_mix():
    ros_time = Time(seconds=2, nanoseconds=5, clock_type=ClockType.ROS_TIME)
    assert ros_time.seconds_nanoseconds() == (2, 5)
    assert Time.from_msg(ros_time.to_msg()) == ros_time
    assert (ros_time - Duration(seconds=1)).nanoseconds == 1_000_000_005
    assert ros_time - Time(seconds=1, clock_type=ClockType.ROS_TIME) == Duration(
        seconds=1, nanoseconds=5
    )
    assert Duration(seconds=-1) < Duration()
    with pytest.raises(TypeError):
        _ = ros_time < Time()
    with pytest.raises(ValueError):
        Time(seconds=-1)


# Parameters


def _descriptor(**fields):
    return ParameterDescriptor(**fields)


def test_parameters_have_the_type_of_their_default(ros):
    node = Node('settings', parameter_overrides=[Parameter('rate', value=5.0)])
    assert node.declare_parameter('rate', 1.0).value == 5.0
    assert node.declare_parameter('frame', 'map').value == 'map'
    assert node.get_parameter('rate').type_ == Parameter.Type.DOUBLE
    with pytest.raises(ParameterAlreadyDeclaredException):
        node.declare_parameter('rate', 1.0)
    with pytest.raises(ParameterNotDeclaredException):
        node.get_parameter('none')
    assert not node.set_parameters([Parameter('rate', value=2)])[0].successful
    assert node.set_parameters([Parameter('rate', value=2.0)])[0].successful
    assert node.get_parameter('rate').value == 2.0
    node.declare_parameter('typed', Parameter.Type.DOUBLE_ARRAY)
    with pytest.raises(ParameterUninitializedException):
        node.get_parameter('typed')
    node.destroy_node()


def test_what_is_given_at_start_must_fit(ros):
    overrides = [Parameter('rate', value=5), Parameter('size', value=50)]
    node = Node('settings', parameter_overrides=overrides)
    with pytest.raises(InvalidParameterTypeException):
        node.declare_parameter('rate', 1.0)
    bounded = _descriptor(integer_range=[IntegerRange(from_value=1, to_value=9, step=1)])
    with pytest.raises(InvalidParameterValueException):
        node.declare_parameter('size', 5, bounded)
    assert not node.has_parameter('size')
    node.destroy_node()


@pytest.mark.parametrize(
    ('value', 'type_name'),
    [
        (True, 'BOOL'),
        (1, 'INTEGER'),
        (1.0, 'DOUBLE'),
        ('a', 'STRING'),
        ([], 'BYTE_ARRAY'),
        ([True], 'BOOL_ARRAY'),
        ([1, 2], 'INTEGER_ARRAY'),
        ([1.0], 'DOUBLE_ARRAY'),
        (('a',), 'STRING_ARRAY'),
        (None, 'NOT_SET'),
    ],
)
def test_the_type_of_a_parameter_follows_from_its_value(value, type_name):
    assert Parameter('x', value=value).type_.name == type_name
    with pytest.raises(TypeError):
        Parameter('x', value=[1, 'a'])


def test_command_lines_and_files_give_parameters(ros, tmp_path):
    file = tmp_path / 'settings.yaml'
    file.write_text(
        '/**:\n  ros__parameters: {a: 1, b: 1e-3, c: y, d: "y", e: {f: [1.5, 2.0]}, g: []}\n'
        '/robot/settings:\n  ros__parameters: {a: 2}\n'
        '/robot/others:\n  ros__parameters: {b: 3.0}\n'
    )
    arguments = ['--ros-args', '--params-file', str(file), '-p', 'h:=7', '-p', 'others:b:=4.0']
    node = Node('settings', namespace='/robot', cli_args=arguments)
    values = {
        name: node.declare_parameter(name, None, _descriptor(dynamic_typing=True)).value
        for name in ('a', 'b', 'c', 'd', 'e.f', 'g', 'h')
    }
    values['e.f'] = list(values['e.f'])
    assert values == {
        'a': 2, 'b': 0.001, 'c': True, 'd': 'y', 'e.f': [1.5, 2.0], 'g': None, 'h': 7,
    }  # fmt: skip
    node.destroy_node()


def test_changes_are_refused_with_a_reason(ros):
    node = Node('settings')
    node.declare_parameter('fixed', 1, _descriptor(read_only=True))
    bounds = FloatingPointRange(from_value=0.0, to_value=1.0)
    node.declare_parameter('share', 0.5, _descriptor(floating_point_range=[bounds]))
    ros.spin(node)

    def change(**values):
        request = SetParameters.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        return ros.call('/settings/set_parameters', SetParameters, request).results

    fixed, share = change(fixed=2, share=1.5)
    assert not fixed.successful and 'read-only' in fixed.reason
    assert not share.successful and 'out of range' in share.reason
    assert not change(none=1)[0].successful

    def judge(parameters):
        bad = [p.name for p in parameters if p.value == 0.25]
        return SetParametersResult(successful=not bad, reason='no quarters' if bad else '')

    node.add_on_set_parameters_callback(judge)
    assert change(share=0.25)[0].reason == 'no quarters'
    assert change(share=0.75)[0].successful
    assert node.get_parameter('share').value == 0.75


def test_parameters_can_be_read_from_outside(ros):
    node = Node('settings')
    node.declare_parameter('share', 0.5, _descriptor(description='of the whole'))
    ros.spin(node)
    names = ros.call('/settings/list_parameters', ListParameters).result.names
    assert set(names) >= {'share', 'use_sim_time'}
    request = GetParameters.Request(names=['share'])
    value = ros.call('/settings/get_parameters', GetParameters, request).values[0]
    assert value.double_value == 0.5 and value.type == Parameter.Type.DOUBLE.value
    request = DescribeParameters.Request(names=['share'])
    descriptor = ros.call('/settings/describe_parameters', DescribeParameters, request)
    assert descriptor.descriptors[0].description == 'of the whole'


# Services and actions


def test_a_service_answers(ros):
    node = Node('server')
    asked = []

    def on_call(request, response):
        asked.append(request.data)
        response.success, response.message = True, 'done'
        return response

    service = node.create_service(SetBool, 'set', on_call)
    ros.spin(node)
    answer = ros.call('/set', SetBool, SetBool.Request(data=True))
    assert (answer.success, answer.message, asked) == (True, 'done', [True])
    assert ('/set', ['std_srvs/srv/SetBool']) in ros.node.get_service_names_and_types()
    node.destroy_service(service)
    client = ros.node.create_client(SetBool, '/set')
    ros.wait_for(lambda: not client.service_is_ready())
    assert not client.wait_for_service(0.05)
    with pytest.raises(TypeError):
        client.call_async(Trigger.Request())


def test_a_client_waits_in_another_callback_group(ros):
    """A callback may ask a service of its own node, where the executor has a thread for both."""
    node = Node('both')
    group = ReentrantCallbackGroup()
    client = node.create_client(Trigger, 'inner', callback_group=group)

    def inner(request, response):
        response.message = 'inner'
        return response

    def outer(request, response):
        response.message = 'outer ' + client.call(Trigger.Request()).message
        return response

    node.create_service(Trigger, 'inner', inner, callback_group=group)
    node.create_service(Trigger, 'outer', outer, callback_group=group)
    ros.spin(node, executor=MultiThreadedExecutor(4))
    assert ros.call('/outer', Trigger).message == 'outer inner'


# Executors


def test_callbacks_of_a_group_exclude_each_other(ros):
    node = Node('worker')
    running, most = [], {'exclusive': 0, 'reentrant': 0}

    def work(kind):
        running.append(kind)
        most[kind] = max(most[kind], running.count(kind))
        time.sleep(0.05)
        running.remove(kind)

    for kind, group in (
        ('exclusive', MutuallyExclusiveCallbackGroup()),
        ('reentrant', ReentrantCallbackGroup()),
    ):
        for _ in range(3):
            node.create_timer(0.01, lambda kind=kind: work(kind), callback_group=group)
    ros.spin(node, executor=MultiThreadedExecutor(8))
    time.sleep(0.5)
    assert most['exclusive'] == 1 and most['reentrant'] >= 2


def test_no_callback_starves_the_others(ros):
    node = Node('busy')
    busy, calm = [], []
    node.create_timer(0.0001, lambda: busy.append(1) or time.sleep(0.001))
    node.create_timer(0.05, lambda: calm.append(1))
    ros.spin(node)
    ros.wait_for(lambda: len(calm) >= 3 and len(busy) >= 30)


def test_a_guard_condition_wakes_from_another_thread(ros):
    node = Node('waiter')
    calls = []
    guard = node.create_guard_condition(lambda: calls.append(threading.current_thread().name))
    ros.spin(node)
    time.sleep(0.05)
    guard.trigger()
    ros.wait_for(lambda: calls)
    assert calls == ['spin']


def test_what_a_callback_raises_ends_spin(ros):
    node = Node('clumsy')
    node.create_timer(0.01, lambda: 1 / 0)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with pytest.raises(ZeroDivisionError):
        executor.spin()
    executor.shutdown()
    node.destroy_node()


def test_spinning_once_runs_at_most_one_callback(ros):
    node = Node('stepper')
    calls = []
    node.create_guard_condition(lambda: calls.append(1)).trigger()
    node.create_guard_condition(lambda: calls.append(2)).trigger()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    for count in (1, 2):
        executor.spin_once(timeout_sec=1.0)
        assert len(calls) == count
    start = time.monotonic()
    executor.spin_once(timeout_sec=0.1)
    assert 0.05 < time.monotonic() - start < 1.0
    future = executor.create_task(lambda a: a + 1, 2)
    executor.spin_until_future_complete(future, timeout_sec=1.0)
    assert future.done() and future.result() == 3
    executor.shutdown()
    node.destroy_node()


@pytest.mark.parametrize(
    ('executor_type', 'raises'), [(SingleThreadedExecutor, True), (MultiThreadedExecutor, False)]
)
def test_shutdown_ends_spin_in_another_thread(ros, executor_type, raises):
    node = Node('idle')
    executor = executor_type()
    executor.add_node(node)
    ended = []

    def spin():
        try:
            executor.spin()
            ended.append(False)
        except ExternalShutdownException:
            ended.append(True)

    thread = threading.Thread(target=spin)
    thread.start()
    time.sleep(0.2)
    called = []
    rclpy.get_default_context().on_shutdown(lambda: called.append(1))
    rclpy.shutdown()
    thread.join(5.0)
    assert ended == [raises] and called == [1]
    assert not rclpy.ok()
    with pytest.raises(RuntimeError):
        rclpy.shutdown()
    rclpy.try_shutdown()
    with pytest.raises(NotInitializedException):
        Node('late')


# Lifecycle


class Managed(LifecycleNode):
    """Remembers what was asked of it, and answers what it is told to."""

    def __init__(self, **answers):
        self.asked = []
        self.answers = answers
        super().__init__('managed')

    def _answer(self, name, state):
        self.asked.append((name, state.label))
        answer = self.answers.get(name, TransitionCallbackReturn.SUCCESS)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def on_configure(self, state):
        return self._answer('configure', state)

    def on_activate(self, state):
        return self._answer('activate', state)

    def on_deactivate(self, state):
        return self._answer('deactivate', state)

    def on_cleanup(self, state):
        return self._answer('cleanup', state)

    def on_shutdown(self, state):
        return self._answer('shutdown', state)

    def on_error(self, state):
        return self._answer('error', state)


def _state(ros):
    return ros.call('/managed/get_state', GetState).current_state.label


def test_transitions_run_through_services_and_triggers(ros):
    node = Managed()
    ros.spin(node)

    def change(transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        return ros.call('/managed/change_state', ChangeState, request).success

    state = ros.call('/managed/get_state', GetState).current_state
    assert (state.id, state.label) == (StateMsg.PRIMARY_STATE_UNCONFIGURED, 'unconfigured')
    assert change(Transition.TRANSITION_CONFIGURE) and _state(ros) == 'inactive'
    assert change(Transition.TRANSITION_ACTIVATE) and _state(ros) == 'active'
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    assert _state(ros) == 'unconfigured'
    assert node.trigger_shutdown() == TransitionCallbackReturn.SUCCESS
    assert _state(ros) == 'finalized'
    assert node.asked == [
        ('configure', 'unconfigured'),
        ('activate', 'inactive'),
        ('deactivate', 'active'),
        ('cleanup', 'inactive'),
        ('shutdown', 'unconfigured'),
    ]


def test_a_refused_transition_leaves_the_state(ros):
    node = Managed(configure=TransitionCallbackReturn.FAILURE)
    ros.spin(node)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert _state(ros) == 'unconfigured'


@pytest.mark.parametrize(
    ('mended', 'state'),
    [
        (TransitionCallbackReturn.SUCCESS, 'unconfigured'),
        (TransitionCallbackReturn.FAILURE, 'finalized'),
    ],
)
def test_an_exception_in_a_transition_goes_through_on_error(ros, mended, state):
    node = Managed(activate=ValueError('boom'), error=mended)
    ros.spin(node)
    node.trigger_configure()
    assert node.trigger_activate() == TransitionCallbackReturn.ERROR
    assert node.asked[-1] == ('error', 'inactive')
    assert _state(ros) == state


def test_an_impossible_transition_is_an_error(ros):
    node = Managed()
    with pytest.raises(Exception, match='[Tt]ransition'):
        node.trigger_activate()
    node.destroy_node()


def test_a_lifecycle_publisher_is_silent_until_active(ros):
    class Talker(LifecycleNode):
        pass

    node = Talker('talker')
    publisher = node.create_lifecycle_publisher(String, 'words', LATCHED)
    ros.spin(node)
    words = ros.collect('words', String, LATCHED)
    publisher.publish(String(data='inactive'))
    node.trigger_configure()
    node.trigger_activate()
    publisher.publish(String(data='active'))
    ros.wait_for(lambda: words)
    assert [word.data for word in words] == ['active'] and publisher.is_activated


# Logging


def test_logs_reach_rosout_with_level_and_name(ros):
    node = Node('talker', namespace='/robot')
    ros.spin(node)
    logger = node.get_logger()
    logger.debug('too quiet')
    logger.warning('mind the gap')
    logger.get_child('part').error('broken')
    ros.wait_for(lambda: ros.logged('broken'))
    assert not ros.logged('too quiet')
    warning = ros.logged('mind the gap')[0]
    assert (warning.level, warning.name) == (30, 'robot.talker')
    assert ros.logged('broken')[0].name == 'robot.talker.part'


def test_logs_are_thinned_at_each_place(ros):
    node = Node('talker')
    ros.spin(node)
    for _ in range(5):
        node.get_logger().info('once only', once=True)
        node.get_logger().info('rarely', throttle_duration_sec=60.0)
        node.get_logger().info('not at first', skip_first=True)
    node.get_logger().info('last')
    ros.wait_for(lambda: ros.logged('last'))
    assert len(ros.logged('once only')) == len(ros.logged('rarely')) == 1
    assert len(ros.logged('not at first')) == 4
    with pytest.raises(TypeError):
        node.get_logger().info('text', often=True)
