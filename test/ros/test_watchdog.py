# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

from typing import Any

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from loc3r_ros.ros import qos
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.parameters import Parameter
from loc3r_ros.ros.watchdog import SILENCE_S, Watchdog

TABLE = (Parameter('image_qos', 'reliable', 'Quality.', choices=qos.CHOICES),)
WARN = 30


class Watching(Stage):
    """Waits for an image, raw or compressed, its camera_info, and maybe depth."""

    def __init__(self, **values: Any) -> None:
        overrides = [RosParameter(name, value=value) for name, value in values.items()]
        super().__init__('waiting', TABLE, namespace='/loc3r', parameter_overrides=overrides)
        self.now = 100.0
        self.missing = ''

    def activate(self) -> None:
        self.dog = Watchdog(self, lambda: self.now)
        images = [self._take(Image, 'image'), self._take(CompressedImage, 'image/compressed')]
        self.dog.watch('image', images, parameter='image_qos')
        info = self._take(CameraInfo, 'camera_info')
        self.dog.watch('camera_info', [info], parameter='image_qos', hint='or set intrinsics')
        self.dog.watch('depth', [self._take(Image, 'depth')], required=False)
        self.dog.expect('transform', lambda: self.missing)

    def _take(self, kind: type, topic: str) -> Any:
        profile = qos.input_profile(self, topic, self.settings['image_qos'])
        return self.subscribe(kind, topic, lambda _: None, profile)

    def feed(self, *names: str) -> None:
        for name in names:
            self.dog.fed(name)

    def pass_time(self, seconds: float, *fed: str) -> None:
        """Let time go by in steps of the watchdog's timer, while some inputs have data."""
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.feed(*fed)
            if round(self.now * 10) % 10 == 0:
                self.dog.check()


@pytest.fixture
def watching(ros):
    stages = []

    def make(**values: Any) -> Watching:
        stages.append(Watching(**values))
        stages[-1].start()
        return stages[-1]

    yield make
    for stage in stages:
        stage.destroy_node()


@pytest.fixture
def camera(ros):
    node = Node('camera', namespace='/front')
    yield node
    node.destroy_node()


def warnings(ros: Any, count: int) -> list[str]:
    """The texts of the watchdog, once there are as many as expected; and no more."""
    ros.wait_for(lambda: len(ros.logged('still waiting', WARN)) >= count)
    return [log.text for log in ros.logged('still waiting', WARN)]


def lines_of(text: str) -> dict[str, str]:
    """Topic or first word to what is said of it."""
    lines = [line.removeprefix('  - ') for line in text.splitlines()[1:]]
    return {line.split()[0].rstrip(':'): line for line in lines}


def see(ros: Any, stage: Stage, topic: str, count: int = 1) -> None:
    ros.wait_for(lambda: len(stage.get_publishers_info_by_topic(topic)) >= count)


def test_silence_is_told_once_after_five_seconds(ros, watching):
    stage = watching()
    stage.pass_time(SILENCE_S - 0.1)
    assert not ros.logged('still waiting')
    stage.pass_time(20.0)
    (text,) = warnings(ros, 1)
    assert text.splitlines()[0] == 'still waiting after 5 s:'
    assert set(lines_of(text)) == {'/loc3r/image', '/loc3r/camera_info'}


def test_without_a_publisher_it_names_the_remapping_and_what_there_is(ros, watching, camera):
    stage = watching()
    camera.create_publisher(Image, 'color/image_raw', 1)
    camera.create_publisher(CameraInfo, 'color/camera_info', 1)
    see(ros, stage, '/front/color/image_raw')
    see(ros, stage, '/front/color/camera_info')
    stage.pass_time(6.0)
    lines = lines_of(warnings(ros, 1)[0])
    assert lines['/loc3r/image'] == (
        '/loc3r/image (sensor_msgs/msg/Image): no publisher; '
        'remap image:=/your/topic (published now: /front/color/image_raw)'
    )
    assert lines['/loc3r/camera_info'].endswith(
        'remap camera_info:=/your/topic (published now: /front/color/camera_info); '
        'or set intrinsics'
    )


def test_publishers_are_named_with_their_qos_and_why_nothing_comes(ros, watching, camera):
    stage = watching()
    camera.create_publisher(Image, '/loc3r/image', qos.sensor_data())
    camera.create_publisher(CameraInfo, '/loc3r/camera_info', qos.reliable())
    see(ros, stage, '/loc3r/image')
    see(ros, stage, '/loc3r/camera_info')
    stage.pass_time(6.0)
    lines = lines_of(warnings(ros, 1)[0])
    assert lines['/loc3r/image'] == (
        '/loc3r/image: 1 publisher: /front/camera (best effort, volatile) is not compatible, '
        'we asked reliable, volatile: set image_qos:=sensor_data'
    )
    assert lines['/loc3r/camera_info'] == (
        '/loc3r/camera_info: 1 publisher: /front/camera (reliable, volatile) sends nothing: '
        'is the driver streaming, or the recording paused?; or set intrinsics'
    )


def test_all_publishers_of_an_input_are_counted_raw_and_compressed(ros, watching, camera):
    stage = watching()
    camera.create_publisher(Image, '/loc3r/image', qos.reliable())
    camera.create_publisher(CompressedImage, '/loc3r/image/compressed', qos.reliable())
    see(ros, stage, '/loc3r/image')
    see(ros, stage, '/loc3r/image/compressed')
    stage.pass_time(6.0)
    line = lines_of(warnings(ros, 1)[0])['/loc3r/image']
    assert '2 publishers' in line
    assert line.count('/front/camera (reliable, volatile) sends nothing') == 2


def test_a_wrong_type_is_named(ros, watching, camera):
    stage = watching()
    camera.create_publisher(CompressedImage, '/loc3r/image', qos.reliable())
    see(ros, stage, '/loc3r/image')
    stage.pass_time(6.0)
    assert (
        'sends sensor_msgs/msg/CompressedImage, but sensor_msgs/msg/Image is expected'
        in lines_of(warnings(ros, 1)[0])['/loc3r/image']
    )


def test_it_speaks_again_only_after_data_came_and_stopped_again(ros, watching):
    stage = watching()
    stage.pass_time(30.0)
    assert len(warnings(ros, 1)) == 1
    stage.pass_time(3.0, 'image', 'camera_info')
    ros.wait_for(lambda: ros.logged('image is back after 30 s'))
    ros.wait_for(lambda: ros.logged('camera_info is back after 30 s'))
    stage.pass_time(30.0, 'camera_info')
    second = warnings(ros, 2)[1]
    assert set(lines_of(second)) == {'/loc3r/image'}
    stage.pass_time(1.0, 'image', 'camera_info')
    stage.pass_time(30.0)
    assert len(warnings(ros, 3)) == 3


def test_inputs_that_stop_together_share_one_message(ros, watching):
    stage = watching()
    stage.pass_time(2.0, 'image', 'camera_info')
    stage.pass_time(0.7, 'camera_info')  # the last of one comes a little later
    stage.pass_time(20.0)
    (text,) = warnings(ros, 1)
    assert set(lines_of(text)) == {'/loc3r/image', '/loc3r/camera_info'}


def test_an_optional_input_is_told_of_where_someone_publishes_it(ros, watching, camera):
    stage = watching()
    camera.create_publisher(Image, '/loc3r/depth', qos.reliable())
    see(ros, stage, '/loc3r/depth')
    stage.pass_time(6.0, 'image', 'camera_info')
    assert set(lines_of(warnings(ros, 1)[0])) == {'/loc3r/depth'}


def test_an_optional_input_is_told_of_once_it_has_stopped(ros, watching):
    stage = watching()
    stage.pass_time(20.0, 'image', 'camera_info')
    stage.pass_time(20.0, 'image', 'camera_info', 'depth')
    assert not ros.logged('still waiting')
    stage.pass_time(20.0, 'image', 'camera_info')
    assert set(lines_of(warnings(ros, 1)[0])) == {'/loc3r/depth'}


def test_a_condition_is_told_of_when_it_lasts_and_when_it_is_met(ros, watching):
    stage = watching()
    stage.pass_time(10.0, 'image', 'camera_info')
    stage.missing = 'no transform from base_link to camera: camera is not in the tree'
    stage.pass_time(3.0, 'image', 'camera_info')
    assert not ros.logged('still waiting')
    stage.pass_time(20.0, 'image', 'camera_info')
    (text,) = warnings(ros, 1)
    assert text.splitlines()[1:] == [f'  - {stage.missing}']
    stage.missing = ''
    stage.pass_time(2.0, 'image', 'camera_info')
    ros.wait_for(lambda: ros.logged('transform is back'))


def test_simulated_time_without_a_clock_is_named(ros, watching):
    stage = watching(use_sim_time=True)
    stage.pass_time(6.0)
    assert 'nobody publishes /clock' in lines_of(warnings(ros, 1)[0])['use_sim_time']


def test_a_clock_that_stands_still_is_named(ros, watching):
    stage = watching(use_sim_time=True)
    ros.node.create_publisher(Clock, '/clock', 1)
    see(ros, stage, '/clock')
    stage.pass_time(6.0)
    assert 'stands still' in lines_of(warnings(ros, 1)[0])['/clock']


def test_a_clock_that_is_not_used_is_named(ros, watching):
    stage = watching()
    ros.node.create_publisher(Clock, '/clock', 1)
    see(ros, stage, '/clock')
    stage.pass_time(6.0)
    assert 'set use_sim_time:=true' in lines_of(warnings(ros, 1)[0])['/clock']


def test_the_timer_goes_with_the_activation(ros, watching):
    stage = watching()
    active = len(list(stage.timers))
    stage.trigger_deactivate()
    assert len(list(stage.timers)) == active - 1
