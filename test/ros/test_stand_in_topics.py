# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Topics, names, QoS and the graph: passes on the real rclpy and on the stand-in alike."""

import time

import pytest

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks
from rclpy.exceptions import (
    InvalidTopicNameException,
)
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from rclpy.serialization import serialize_message
from ros.harness import LATCHED
from sensor_msgs.msg import Image
from std_msgs.msg import Int32, String, UInt8MultiArray

BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=5)


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
    events = SubscriptionEventCallbacks(incompatible_qos=refused.append)
    node.create_subscription(String, 'words', received.append, requested, event_callbacks=events)
    publisher = node.create_publisher(String, 'words', offered)
    ros.spin(node)
    if policy is None:
        ros.wait_for(lambda: publisher.get_subscription_count() == 1)
        publisher.publish(String(data='hello'))
        ros.wait_for(lambda: received)
        assert not refused
    else:
        info = ros.wait_for(lambda: refused)[0]
        assert info.last_policy_kind == policy
        assert (info.total_count, info.total_count_change) == (1, 1)
        publisher.publish(String(data='hello'))
        time.sleep(0.1)
        assert not received and publisher.get_subscription_count() == 0


def test_a_mismatch_is_logged_where_nobody_asked(ros):
    node = Node('ends')
    node.create_subscription(String, 'words', print, RELIABLE)
    node.create_publisher(String, 'words', BEST_EFFORT)
    ros.spin(node)
    ros.wait_for(lambda: len(ros.logged('incompatible QoS', level=30)) == 2)  # by both ends
    assert len(ros.logged('RELIABILITY')) == 2


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
