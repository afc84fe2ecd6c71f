# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

from typing import Any

import pytest
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, ReliabilityPolicy
from std_msgs.msg import String

from loc3r_ros.ros import qos
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.parameters import Parameter

BEST_EFFORT, RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
VOLATILE, LATCHED = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL


class Listener(Stage):
    def __init__(self, choice: str) -> None:
        table = (Parameter('image_qos', choice, 'Quality.', choices=qos.CHOICES),)
        super().__init__('listener', table, namespace='/loc3r')
        self.received: list[str] = []

    def activate(self) -> None:
        self.subscription = qos.subscribe_input(
            self, String, 'image', lambda m: self.received.append(m.data), 'image_qos'
        )


@pytest.fixture
def camera(ros):
    node = Node('camera')
    yield node
    node.destroy_node()


def see(ros: Any, node: Any, topic: str, count: int) -> None:
    ros.wait_for(lambda: len(node.get_publishers_info_by_topic(topic)) == count)


@pytest.mark.parametrize(
    ('profile', 'policies', 'depth'),
    [
        (qos.sensor_data(), (BEST_EFFORT, VOLATILE), 5),
        (qos.reliable(), (RELIABLE, VOLATILE), 5),
        (qos.reliable(2), (RELIABLE, VOLATILE), 2),
        (qos.latched(), (RELIABLE, LATCHED), 1),
    ],
)
def test_the_three_profiles(profile, policies, depth):
    assert (profile.reliability, profile.durability) == policies
    assert (profile.history, profile.depth) == (HistoryPolicy.KEEP_LAST, depth)


@pytest.mark.parametrize(
    ('offered', 'chosen'),
    [
        ([], BEST_EFFORT),
        ([qos.sensor_data()], BEST_EFFORT),
        ([qos.reliable()], RELIABLE),
        ([qos.latched()], RELIABLE),
        ([qos.reliable(), qos.sensor_data()], BEST_EFFORT),
        ([qos.reliable(), qos.latched()], RELIABLE),
    ],
)
def test_auto_asks_no_more_than_every_publisher_offers(ros, camera, offered, chosen):
    for profile in offered:
        camera.create_publisher(String, '/image', profile)
    see(ros, camera, '/image', len(offered))
    profile = qos.input_profile(camera, 'image', 'auto')
    assert (profile.reliability, profile.durability) == (chosen, VOLATILE)


@pytest.mark.parametrize(
    ('choice', 'asked'), [('sensor_data', BEST_EFFORT), ('reliable', RELIABLE)]
)
def test_a_stated_choice_is_taken_whatever_is_offered(ros, camera, choice, asked):
    for profile in (qos.reliable(), qos.sensor_data()):
        camera.create_publisher(String, '/image', profile)
    see(ros, camera, '/image', 2)
    assert qos.input_profile(camera, 'image', choice, depth=3).reliability == asked
    assert qos.input_profile(camera, 'image', choice, depth=3).depth == 3


def test_auto_looks_at_the_topic_as_it_is_remapped(ros):
    camera = Node('camera', cli_args=['--ros-args', '-r', 'image:=/front/color'])
    camera.create_publisher(String, '/front/color', qos.reliable())
    see(ros, camera, '/front/color', 1)
    assert qos.input_profile(camera, 'image', 'auto').reliability == RELIABLE
    camera.destroy_node()


@pytest.mark.parametrize('offer', [qos.sensor_data(), qos.reliable(), qos.latched()])
@pytest.mark.parametrize('is_first', [True, False])
def test_with_auto_every_message_arrives_whoever_comes_first(ros, camera, offer, is_first):
    if is_first:
        publisher = camera.create_publisher(String, '/loc3r/image', offer)
        see(ros, camera, '/loc3r/image', 1)
    listener = Listener('auto')
    ros.spin(listener)
    listener.start()
    if not is_first:
        publisher = camera.create_publisher(String, '/loc3r/image', offer)
    ros.wait_for(lambda: publisher.get_subscription_count() == 1)
    for number in range(3):
        publisher.publish(String(data=str(number)))
    ros.wait_for(lambda: len(listener.received) == 3)
    assert listener.received == ['0', '1', '2']
    assert not ros.logged('nothing of it arrives')


def test_a_publisher_that_offers_less_is_named_with_the_remedy(ros, camera):
    listener = Listener('reliable')
    ros.spin(listener)
    listener.start()
    publisher = camera.create_publisher(String, '/loc3r/image', qos.sensor_data())
    ros.wait_for(lambda: ros.logged('nothing of it arrives', 30))
    assert ros.logged('nothing of it arrives')[0].text == (
        '/loc3r/image: /camera offers best effort, volatile, we asked reliable, volatile: '
        'nothing of it arrives; set image_qos:=sensor_data'
    )
    publisher.publish(String(data='lost'))
    camera.create_publisher(String, '/loc3r/image', qos.reliable()).publish(String(data='seen'))
    ros.wait_for(lambda: publisher.get_subscription_count() == 0)
    assert 'lost' not in listener.received


@pytest.mark.parametrize(
    ('offered', 'asked', 'is_compatible'),
    [
        (qos.reliable(), qos.sensor_data(), True),
        (qos.sensor_data(), qos.sensor_data(), True),
        (qos.latched(), qos.reliable(), True),
        (qos.latched(), qos.latched(), True),
        (qos.sensor_data(), qos.reliable(), False),
        (qos.reliable(), qos.latched(), False),
    ],
)
def test_what_is_compatible(offered, asked, is_compatible):
    assert qos.is_compatible(offered, asked) is is_compatible


def test_policies_in_words():
    assert qos.describe(qos.sensor_data()) == 'best effort, volatile'
    assert qos.describe(qos.latched()) == 'reliable, transient local'
