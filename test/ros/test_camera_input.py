# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Camera topics in, frames out: pairing, encodings, transports, QoS, and what goes wrong."""

from __future__ import annotations

import array
import logging
import sys
from types import ModuleType

import cv2
import numpy as np
import pytest
from box_room import CAMERA
from rclpy.parameter import Parameter as RosParameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from ros.box_camera import OPTICAL, BoxCamera, shot, stamp_of
from sensor_msgs.msg import CompressedImage

from loc3r_ros.ingest.frames import Sample
from loc3r_ros.ros import bridge
from loc3r_ros.ros.camera_input import CameraInput, Shot
from loc3r_ros.ros.conversion import messages
from loc3r_ros.ros.current_problems import CurrentProblems
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.pose_table import TABLE
from loc3r_ros.ros.tf import TfTree
from loc3r_ros.ros.watchdog import Watchdog

BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


class Eye(Stage):
    """Decodes what its camera gives."""

    def __init__(self, **options) -> None:
        super().__init__('eye', TABLE, **options)

    def activate(self) -> None:
        self.samples: list[Sample] = []
        self.shots: list[Shot] = []
        self.fallen: list[int] = []
        self.problems = CurrentProblems()
        self.watchdog = Watchdog(self)
        self.camera = CameraInput(
            self,
            TfTree(self),
            self.problems,
            self.watchdog,
            self.take,
            self.fallen.append,
            depth_only=True,
        )

    def take(self, given: Shot) -> None:
        self.shots.append(given)
        sample = self.camera.decode(given)
        if sample is not None:
            self.samples.append(sample)


@pytest.fixture
def make(ros):
    def eye(**values) -> Eye:
        overrides = [RosParameter(name, value=value) for name, value in values.items()]
        node = Eye(parameter_overrides=overrides)
        assert node.start()
        ros.spin(node)
        return node

    return eye


def test_frames_are_those_that_were_published(ros, make):
    eye, camera = make(), BoxCamera(ros)
    for index in range(3):
        camera.show(index)
        # It leaves at once, and does not wait for the next image.
        ros.wait_for(lambda count=index + 1: len(eye.samples) == count)
    for index, sample in enumerate(eye.samples):
        want = shot(index)
        np.testing.assert_array_equal(sample.frame.rgb, want.rgb)
        np.testing.assert_array_equal(sample.frame.depth, want.depth)
        assert sample.frame.camera == CAMERA
        assert (sample.stamp_ns, sample.frame.stamp) == (stamp_of(index), want.stamp)
    assert eye.camera.has_intrinsics
    assert (eye.camera.frame_id, eye.camera.rate.count) == (OPTICAL, 3)
    assert eye.problems.texts() == []


def test_depth_that_does_not_come_holds_back_few_images(ros, make):
    eye, camera = make(), BoxCamera(ros)
    camera.show(0)
    for index in range(1, 8):
        camera.show(index, depth=False)
        ros.wait_for(lambda count=index + 1: eye.camera.rate.count == count)
    ros.wait_for(lambda: len(eye.samples) == 3)
    assert [s.frame.depth is None for s in eye.samples] == [False, True, True]
    assert eye.problems.texts() == ['image without depth near in time on /depth']


def test_without_use_depth_none_is_waited_for(ros, make):
    eye, camera = make(use_depth=False), BoxCamera(ros)
    for index in range(3):
        camera.show(index, depth=False)
    ros.wait_for(lambda: len(eye.samples) == 3)
    assert ros.node.count_subscribers('/depth') == 0
    assert eye.problems.texts() == []


def test_a_wrong_encoding_is_told_once_and_mends_itself(ros, make, caplog):
    eye, camera = make(), BoxCamera(ros)
    with caplog.at_level(logging.WARNING, 'loc3r_ros'):
        for index in range(3):
            camera.show(index, encoding='yuv420_nv99')
        ros.wait_for(lambda: len(eye.shots) == 3)
    (text,) = eye.problems.texts()
    assert text.startswith("/image: image 2 cannot be decoded: image encoding 'yuv420_nv99' is not")
    assert 'publish one of rgb8' in text
    assert len(caplog.records) == 1
    assert eye.samples == []
    camera.show(3)
    ros.wait_for(lambda: len(eye.samples) == 1)


@pytest.fixture
def cv_bridge(monkeypatch):
    """As cv_bridge answers, or as it fails; nothing of it is needed for a known encoding."""
    module = ModuleType('cv_bridge')
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)
    bridge._cv_bridge.cache_clear()
    yield module
    bridge._cv_bridge.cache_clear()


def wide(index: int) -> dict:
    """Fields of an rgb16 image."""
    pixels = shot(index).rgb.astype('<u2') << 8
    data = array.array('B', pixels.tobytes())
    return {'encoding': 'rgb16', 'step': 6 * pixels.shape[1], 'data': data}


def test_a_rare_encoding_is_left_to_cv_bridge(ros, make, cv_bridge):
    class CvBridge:
        def imgmsg_to_cv2(self, message, desired_encoding):
            assert (message.encoding, desired_encoding) == ('rgb16', 'rgb8')
            pixels = np.frombuffer(message.data, '<u2').reshape(message.height, message.width, 3)
            return (pixels >> 8).astype(np.uint8)

    cv_bridge.CvBridge = CvBridge
    eye = make(use_depth=False)
    stamp = BoxCamera(ros).show(0, depth=False, **wide(0))
    ros.wait_for(lambda: eye.samples)
    np.testing.assert_array_equal(eye.samples[0].frame.rgb, shot(0).rgb)
    assert (eye.samples[0].stamp_ns, eye.samples[0].frame_id) == (stamp, OPTICAL)


def test_a_cv_bridge_that_does_not_import_is_done_without(ros, make, cv_bridge):
    eye, camera = make(use_depth=False), BoxCamera(ros)
    camera.show(0, depth=False, **wide(0))
    ros.wait_for(lambda: eye.shots)
    ros.wait_for(lambda: eye.problems.texts())
    assert "image encoding 'rgb16' is not supported" in eye.problems.texts()[0]
    camera.show(1, depth=False)
    ros.wait_for(lambda: eye.samples)


def test_intrinsics_by_parameter_need_no_camera_info(ros, make):
    eye = make(intrinsics=[200.0, 201.0, 160.0, 120.0], use_depth=False)
    assert eye.camera.has_intrinsics
    BoxCamera(ros).show(0, depth=False, info=False)
    ros.wait_for(lambda: eye.samples)
    camera = eye.samples[0].frame.camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (200.0, 201.0, 160.0, 120.0)


def test_an_image_without_a_stamp_has_the_time_of_its_receipt(ros, make):
    eye = make(use_depth=False)
    before = eye.get_clock().now().nanoseconds
    BoxCamera(ros).show(0, stamp_ns=0, depth=False)
    ros.wait_for(lambda: eye.samples)
    assert before <= eye.samples[0].stamp_ns <= eye.get_clock().now().nanoseconds
    assert eye.problems.texts() == ['image without a stamp: the time of receipt is taken']


@pytest.mark.parametrize('given', ['', 'my_camera'])
def test_the_frame_of_images_that_name_none(ros, make, given):
    eye = make(use_depth=False, camera_frame=given)
    image = messages().image(5, '', shot(0).rgb)
    BoxCamera(ros).put('image', image)
    ros.wait_for(lambda: eye.samples)
    assert eye.camera.frame_id == (given or 'camera')


def jpeg(index: int, extension: str = '.png') -> CompressedImage:
    data = cv2.imencode(extension, shot(index).rgb[..., ::-1])[1].tobytes()
    return CompressedImage(
        header=messages().header(stamp_of(index), OPTICAL),
        format=extension[1:],
        data=array.array('B', data),
    )


@pytest.mark.parametrize(
    ('transport', 'topic'),
    [('auto', '/image/compressed'), ('compressed', '/image/compressed'), ('auto', '/image')],
)
def test_compressed_images_are_found(ros, make, transport, topic):
    ros.publisher(topic, CompressedImage)
    eye = make(use_depth=False, image_transport=transport)
    ros.publish(topic, jpeg(0))
    ros.wait_for(lambda: eye.samples)
    np.testing.assert_array_equal(eye.samples[0].frame.rgb, shot(0).rgb)


def test_compressed_images_are_found_when_they_come_later(ros, make):
    eye = make(use_depth=False)
    assert eye.camera.topics.image == '/image'
    ros.publish('/image/compressed', jpeg(0))
    ros.wait_for(lambda: eye.samples)
    ros.wait_for(lambda: ros.node.count_subscribers('/image') == 0)


def test_raw_goes_before_compressed(ros, make):
    ros.publisher('/image/compressed', CompressedImage)
    eye = make(use_depth=False)
    BoxCamera(ros).show(0, depth=False)
    ros.wait_for(lambda: eye.samples)
    ros.wait_for(lambda: ros.node.count_subscribers('/image/compressed') == 0)


def reliability(ros) -> list[ReliabilityPolicy]:
    infos = ros.node.get_subscriptions_info_by_topic('/image')
    return [info.qos_profile.reliability for info in infos]


def test_auto_qos_follows_the_publisher(ros, make):
    eye = make(use_depth=False)
    ros.wait_for(lambda: reliability(ros) == [ReliabilityPolicy.BEST_EFFORT])
    BoxCamera(ros).show(0, depth=False)
    ros.wait_for(lambda: reliability(ros) == [ReliabilityPolicy.RELIABLE])
    BoxCamera(ros).show(1, depth=False)
    ros.wait_for(lambda: eye.samples and eye.samples[-1].stamp_ns == stamp_of(1))


def test_auto_qos_takes_what_is_best_effort(ros, make):
    eye = make(use_depth=False)
    ros.publish('/image', messages().image(7, OPTICAL, shot(0).rgb), BEST_EFFORT)
    ros.wait_for(lambda: eye.samples)
    assert reliability(ros) == [ReliabilityPolicy.BEST_EFFORT]


def test_a_mismatch_is_told_with_its_remedy(ros, make):
    make(use_depth=False, image_qos='reliable')
    ros.publisher('/image', type(messages().image(7, OPTICAL, shot(0).rgb)), BEST_EFFORT)
    (told,) = ros.wait_for(lambda: ros.logged('set image_qos:=', level=30))
    assert '/image' in told.text
    assert 'best effort' in told.text


def test_time_that_falls_back_begins_a_round(ros, make):
    eye, camera = make(), BoxCamera(ros)
    for count, index in enumerate((0, 8, 16, 0, 8, 16, 0), 1):
        camera.show(index)
        ros.wait_for(lambda count=count: len(eye.samples) == count)
    assert [s.round for s in eye.shots] == [0, 0, 0, 1, 1, 1, 2]
    assert [s.frame.depth is None for s in eye.samples] == [False] * 7
    assert eye.fallen == [stamp_of(0), stamp_of(0)]


def test_what_is_left_over_from_a_round_is_taken_or_dropped(ros, make):
    eye, camera = make(), BoxCamera(ros)
    camera.show(24)
    camera.show(25, depth=False)
    ros.wait_for(lambda: eye.camera.rate.count == 2)
    camera.show(0, depth=False)
    ros.wait_for(lambda: len(eye.shots) == 2)
    assert [(s.round, s.depth is None) for s in eye.shots] == [(0, False), (0, True)]
    camera.put('depth', messages().image(stamp_of(25), OPTICAL, shot(25).depth))
    camera.put('depth', messages().image(stamp_of(0), OPTICAL, shot(0).depth))
    ros.wait_for(lambda: len(eye.shots) == 3)
    assert (eye.shots[2].round, eye.shots[2].depth.stamp_ns) == (1, stamp_of(0))
