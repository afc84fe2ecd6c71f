# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A recording played as if it came from the robot: everything, in order, with its clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from box_bag import DEPTH, IMAGE, INFO, PERIOD_NS, START_NS, TRUTH, shots, write_bag
from rclpy.qos import QoSProfile, ReliabilityPolicy
from ros.harness import LATCHED
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

from loc3r_ros.bag.typestore import messages as bag_messages
from loc3r_ros.bag.writer import BagWriter
from loc3r_ros.errors import InputError
from loc3r_ros.ros import play
from loc3r_ros.ros.conversion import stamp_ns

TEST_FOLDER = Path(__file__).parents[1]
FRAMES = 12
CLOCK = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp('bags') / 'walk', shots(FRAMES))


@pytest.fixture
def player(ros):
    def make(bag, **options) -> play.Player:
        node = play.Player(bag, **options)
        assert node.start()
        ros.spin(node)
        return node

    return make


def time_ns(message) -> int:
    return message.clock.sec * 10**9 + message.clock.nanosec


def test_every_message_comes_as_it_was_recorded_at_its_time(ros, player, bag):
    arrived: list = []

    def take(message) -> None:
        arrived.append((monotonic(), stamp_ns(message), bytes(message.data), message.encoding))

    ros.node.create_subscription(Image, IMAGE, take, 100)
    depths = ros.collect(DEPTH, Image, 100)
    infos = ros.collect(INFO, CameraInfo, 100)
    clocks = ros.collect('/clock', Clock, CLOCK)
    node = player(bag)
    ros.wait_for(lambda: not node.context.ok(), what='the end of the recording')
    assert [stamp for _, stamp, *_ in arrived] == [START_NS + k * PERIOD_NS for k in range(FRAMES)]
    for (_, _, data, encoding), shot in zip(arrived, shots(FRAMES), strict=True):
        assert (data, encoding) == (shot.rgb.tobytes(), 'rgb8')
    assert (len(depths), len(infos)) == (FRAMES, FRAMES)
    walls = np.array([wall for wall, *_ in arrived])
    assert walls[-1] - walls[0] > 0.9 * (FRAMES - 1) * PERIOD_NS * 1e-9, 'no faster than real'
    times = np.array([time_ns(clock) for clock in clocks])
    assert (np.diff(times) > 0).all()
    assert np.diff(times).max() <= play.CLOCK_PERIOD_NS, '40 Hz at least'
    assert {START_NS + k * PERIOD_NS for k in range(FRAMES)} <= set(times.tolist()), 'exact times'


def test_nothing_is_played_before_someone_listens(ros, player, bag):
    infos = ros.collect(INFO, CameraInfo, 100)
    node = player(bag, rate=20.0, topics=[IMAGE, INFO])
    (told,) = ros.wait_for(lambda: ros.logged('waiting for a listener of'))
    assert told.text.endswith(IMAGE)
    end = monotonic() + 1.0
    ros.wait_for(lambda: monotonic() > end)
    assert infos == []
    images = ros.collect(IMAGE, Image, 100)
    ros.wait_for(lambda: not node.context.ok())
    assert (len(images), len(infos)) == (FRAMES, FRAMES), 'none of the first is lost'


def test_a_loop_lets_the_clock_fall_back(ros, player, bag):
    images = ros.collect(IMAGE, Image, 100)
    clocks = ros.collect('/clock', Clock, CLOCK)
    node = player(bag, rate=10.0, loops=3)
    ros.wait_for(lambda: not node.context.ok())
    stamps = [stamp_ns(message) for message in images]
    assert stamps == [START_NS + k * PERIOD_NS for k in range(FRAMES)] * 3
    times = np.array([time_ns(clock) for clock in clocks])
    assert np.count_nonzero(np.diff(times) < 0) == 2
    assert {*times.tolist()} >= {START_NS, START_NS + (FRAMES - 1) * PERIOD_NS}


def test_only_the_topics_that_are_named_and_no_clock(ros, player, bag):
    images = ros.collect(IMAGE, Image, 100)
    node = player(bag, rate=20.0, topics=[IMAGE], clock=False)
    assert ros.node.count_publishers('/clock') == 0
    assert ros.node.count_publishers(TRUTH) == 0
    ros.wait_for(lambda: not node.context.ok())
    assert len(images) == FRAMES


def test_static_transforms_are_latched(ros, player, tmp_path):
    make = bag_messages()
    with BagWriter(tmp_path / 'bag') as bag:
        tf = make.tf(make.transform_stamped(START_NS, 'base_link', 'camera', np.eye(4)))
        bag.write('/tf_static', tf, START_NS)
        for k in range(20):
            bag.write(IMAGE, make.image(START_NS, 'camera', shots(1)[0].rgb), START_NS + k * 10**8)
    images = ros.collect(IMAGE, Image, 100)
    player(tmp_path / 'bag', rate=2.0)
    ros.wait_for(lambda: images)
    late = ros.collect('/tf_static', TFMessage, LATCHED)
    ros.wait_for(lambda: late)
    assert late[0].transforms[0].child_frame_id == 'camera'


def test_what_cannot_be_played_is_refused(ros, bag, tmp_path):
    with pytest.raises(InputError, match='no recording at'):
        play.Player(tmp_path / 'none')
    with pytest.raises(InputError, match='/nothing; it holds'):
        play.Player(bag, topics=['/nothing'])


@pytest.mark.parametrize('arguments', [['--rate', '0'], ['--rate', 'fast'], []])
def test_wrong_arguments_are_refused(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, 'argv', ['play', *(['bag'] if arguments else []), *arguments])
    with pytest.raises(SystemExit) as ended:
        play.nodes()
    assert ended.value.code == 2
    assert 'usage: ros2 run loc3r_ros play' in capsys.readouterr().err


def test_help_has_an_example(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['play', '--help', '--ros-args', '-r', '__node:=player'])
    with pytest.raises(SystemExit) as ended:
        play.nodes()
    assert ended.value.code == 0
    assert 'Example: ros2 run loc3r_ros play my_bag --rate 2' in capsys.readouterr().out


def test_an_interrupt_ends_it_with_code_0(ros, bag, monkeypatch):
    folders = [TEST_FOLDER, TEST_FOLDER.parent, os.environ.get('PYTHONPATH', '')]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(map(str, folders)))
    process = subprocess.Popen(
        ros.command('ros.play_script', str(bag), '--no-wait', '--loop', '0'),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = ''
        while 'round 1' not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        begun = monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10.0) == 0, process.stdout.read()
        assert monotonic() - begun < 3.0
    finally:
        process.kill()
        process.communicate()
