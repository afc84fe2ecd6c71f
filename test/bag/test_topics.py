# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which topics are the camera, in the namings of common drivers."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat

from loc3r_ros.bag.storage import TopicInfo
from loc3r_ros.bag.topics import CameraTopics, choose_topics
from loc3r_ros.errors import InputError

NONE = MessageDefinition(MessageDefinitionFormat.NONE, '')


def choose(recorded, **named):
    """Choose from {topic: encoding}; of compressed images the encoding starts with a `~`."""
    kinds = {'info': 'CameraInfo', 'imu': 'Imu'}
    topics, first = {}, {}
    for name, encoding in recorded.items():
        kind = kinds.get(encoding, 'CompressedImage' if encoding.startswith('~') else 'Image')
        topics[name] = TopicInfo(f'sensor_msgs/msg/{kind}', 0 if encoding == '' else 9, NONE)
        field = 'format' if kind == 'CompressedImage' else 'encoding'
        first[name] = SimpleNamespace(**{field: encoding.lstrip('~')})
    return choose_topics(topics, first.get, **named)


def test_realsense_aligned_depth_and_infrared():
    chosen = choose(
        {
            '/camera/camera/infra1/image_rect_raw': 'mono8',
            '/camera/camera/color/image_raw': 'rgb8',
            '/camera/camera/color/image_raw/compressed': '~rgb8; jpeg compressed bgr8',
            '/camera/camera/color/camera_info': 'info',
            '/camera/camera/depth/image_rect_raw': '16UC1',
            '/camera/camera/depth/camera_info': 'info',
            '/camera/camera/aligned_depth_to_color/image_raw': '16UC1',
            '/camera/camera/aligned_depth_to_color/camera_info': 'info',
            '/camera/camera/imu': 'imu',
        }
    )
    assert chosen == CameraTopics(
        image='/camera/camera/color/image_raw',
        camera_info='/camera/camera/color/camera_info',
        depth='/camera/camera/aligned_depth_to_color/image_raw',
        depth_info='/camera/camera/aligned_depth_to_color/camera_info',
    )
    assert chosen.depth_is_aligned
    assert not chosen.image_is_rectified


def test_kinect_names_and_only_compressed():
    chosen = choose(
        {
            '/rgb/image_raw/compressed': '~jpeg',
            '/rgb/camera_info': 'info',
            '/depth/image_raw/compressedDepth': '~16UC1; compressedDepth png',
            '/depth/camera_info': 'info',
            '/ir/image_raw': 'mono16',
        }
    )
    assert chosen == CameraTopics(
        image='/rgb/image_raw/compressed',
        camera_info='/rgb/camera_info',
        depth='/depth/image_raw/compressedDepth',
        depth_info='/depth/camera_info',
    )


def test_depth_by_encoding_where_no_name_says_so():
    chosen = choose({'/a': '32FC1', '/b': 'bgr8', '/camera_info': 'info'})
    assert chosen == CameraTopics('/b', '/camera_info', '/a', '/camera_info')


def test_infrared_is_the_last_resort():
    assert (
        choose({'/ir/image': 'mono8', '/main_camera/image': 'bgr8'}).image == '/main_camera/image'
    )
    assert choose({'/ir/image': 'mono8'}).image == '/ir/image'


def test_depth_of_the_same_camera_goes_before_aligned_depth_of_another():
    chosen = choose(
        {
            '/front/color/image_raw': 'rgb8',
            '/front/depth/image_raw': '16UC1',
            '/rear/aligned_depth_to_color/image_raw': '16UC1',
        }
    )
    assert chosen.depth == '/front/depth/image_raw'


def test_info_of_depth_or_infrared_does_not_serve_the_image(caplog):
    chosen = choose({'/rgb/image': 'rgb8', '/depth/camera_info': 'info', '/ir/camera_info': 'info'})
    assert chosen.camera_info is None


def test_rectified_images():
    chosen = choose({'/zed/rgb/image_rect_color': 'bgra8', '/zed/depth/depth_registered': '32FC1'})
    assert chosen.image_is_rectified
    assert chosen.depth_is_aligned


def test_what_is_named_is_taken_and_choices_are_logged(caplog):
    recorded = {
        '/left/image': 'rgb8',
        '/right/image': 'rgb8',
        '/left/camera_info': 'info',
        '/right/camera_info': 'info',
        '/d': '16UC1',
    }
    with caplog.at_level(logging.INFO):
        assert choose(recorded).image == '/left/image'
    assert '/left/image (not /right/image; choose with --image)' in caplog.text
    chosen = choose(recorded, image='/right/image', camera_info='/left/camera_info', depth='/d')
    assert (chosen.image, chosen.camera_info) == ('/right/image', '/left/camera_info')
    assert choose(recorded, image='/right/image').camera_info == '/right/camera_info'


@pytest.mark.parametrize(
    ('named', 'words'),
    [
        ({'image': '/x'}, r'topic /x is not in the recording; topics of type .*: /depth, /image$'),
        ({'depth': '/imu'}, r'topic /imu has type sensor_msgs/msg/Imu; topics of type'),
        ({'camera_info': '/image'}, r'CameraInfo: none$'),
        ({'depth_info': '/y'}, r'topic /y is not in'),
    ],
)
def test_a_wrong_name_lists_what_would_fit(named, words):
    with pytest.raises(InputError, match=words):
        choose({'/image': 'rgb8', '/depth': '16UC1', '/imu': 'imu'}, **named)


def test_no_image_lists_what_is_there():
    with pytest.raises(InputError, match=r'no image topic .* holds /imu \(sensor_msgs/msg/Imu, 9'):
        choose({'/imu': 'imu'})
    with pytest.raises(InputError, match='only depth: /depth/image; name the colour'):
        choose({'/depth/image': '16UC1'})
    with pytest.raises(InputError, match=r'no image topic .* holds /image \(.*, 0\)'):
        choose({'/image': ''})
