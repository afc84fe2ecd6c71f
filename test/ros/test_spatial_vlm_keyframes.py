# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that answers, with a scripted engine: keyframes in, and new epochs."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest
from loc3r_ros.msg import PoseToken
from loc3r_ros.srv import Localize
from ros.answering_node import (
    SUCCEEDED,
    TEXT,
    ask,
    posed,
    publish_map,
    query,
    result,
    stamp_of,
    start,
)
from ros.harness import LATCHED
from scripted_engine import COVARIANCE, ScriptedEngine, agent_at, camera_at, hall
from sensor_msgs.msg import Image
from visualization_msgs.msg import Marker, MarkerArray

from loc3r_ros.ros.conversion import messages


def test_keyframes_reach_the_engine_by_reference_and_in_order(ros):
    node, engine = start(ros, seen=False)
    images = [np.full((4, 4, 3), k, np.uint8) for k in range(6)]
    for k, image in enumerate(images):
        node.take(posed((k + 1) * 10**9, rgb=image, keyframe=k % 2 == 0))
    ros.wait_for(lambda: len(engine.views) == 3)
    assert [view.rgb is images[2 * k] for k, view in enumerate(engine.views)] == [True] * 3
    assert [view.stamp for view in engine.views] == [1.0, 3.0, 5.0]


def test_alone_the_same_comes_by_topics(ros):
    _, engine = start(ros, seen=False, composed=False)
    T = camera_at(1.0, 2.0, 0.5)
    rgb = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    make, stamp = messages(), 7_123_456_789
    for k, keyframe in enumerate((False, True)):
        token = PoseToken(epoch=3, index=k, state=1, keyframe=keyframe, map_frame='map')
        token.header = make.header(stamp + k, 'camera_optical')
        token.pose.pose = make.pose(T)
        token.pose.covariance = COVARIANCE.reshape(-1)
        token.token = [0.25, -1.5]
        ros.publish('/loc3r/pose_token', token)
        ros.publish('/loc3r/image', make.image(stamp + k, 'camera_optical', rgb))
    ros.wait_for(lambda: engine.views)
    (view,) = engine.views
    np.testing.assert_array_equal(view.rgb, rgb)
    np.testing.assert_array_equal(view.camera_token, np.float32([0.25, -1.5]))
    np.testing.assert_allclose(view.T_map_camera, T, atol=1e-12)
    assert (view.epoch, view.stamp) == (3, pytest.approx(7.12345679))
    response = ros.call('/loc3r/localize', Localize)
    assert response.success and stamp_of(response.pose) == stamp + 1
    np.testing.assert_allclose(np.reshape(response.pose.pose.covariance, (6, 6)), COVARIANCE)


def test_an_image_that_comes_after_its_pose_is_joined_too(ros):
    _, engine = start(ros, seen=False, composed=False)
    token = PoseToken(keyframe=True, state=1)
    token.header = messages().header(10**9, 'camera_optical')
    ros.publish('/loc3r/pose_token', token)
    ros.wait_for(lambda: ros.call('/loc3r/localize', Localize).success)
    image = Image(height=1, width=2, encoding='mono8', step=2, data=[7, 9])
    image.header = token.header
    ros.publish('/loc3r/image', image)
    ros.wait_for(lambda: engine.views)
    np.testing.assert_array_equal(engine.views[0].rgb, [[[7] * 3, [9] * 3]])


def test_a_new_epoch_forgets_all(ros):
    engine = ScriptedEngine()
    engine.agent = agent_at(1.0, 1.0)
    node, _ = start(ros, engine)
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    ask(ros, 'what is this?', 'at the sink')
    markers = ros.collect('/loc3r/markers', MarkerArray, LATCHED)
    ros.wait_for(lambda: markers)
    engine.calls.clear()
    node.take(posed(1_000_000_000, epoch=1))
    ros.wait_for(lambda: engine.calls == [('reset',), ('observe', 1)])
    assert node.scene.grid is None
    ros.wait_for(lambda: [m.action for m in markers[-1].markers] == [Marker.DELETEALL])
    response = ask(ros, 'go to the red chair')
    assert not response.success
    publish_map(ros, hall(), 5_100_000_000)
    node.take(posed(1_100_000_000, epoch=1))
    publish_map(ros, hall(), 1_100_000_000)
    ros.wait_for(lambda: node.scene.grid)
    assert node.scene.grid.stamp == pytest.approx(1.1), 'the map of the old epoch came late'


def test_an_answer_across_a_new_epoch_has_words_and_no_pose(ros):
    engine = ScriptedEngine()
    engine.gates = {3: Event()}
    node, _ = start(ros, engine)
    handle = query(ros)
    assert engine.reached[3].wait(10.0)
    node.take(posed(1_000_000_000, epoch=1))
    engine.gates[3].set()
    status, answer = result(ros, handle)
    assert (status, answer.answer.text) == (SUCCEEDED, TEXT)
    assert not answer.answer.has_pose
    ros.wait_for(lambda: engine.calls[-2:] == [('reset',), ('observe', 1)])


def test_a_broken_keyframe_does_not_stop_the_node(ros):
    node, engine = start(ros)
    observe, engine.observe = engine.observe, lambda _view: 1 / 0
    node.take(posed(6 * 10**9))
    ros.wait_for(lambda: node.status()[0].level == 2)
    assert 'ZeroDivisionError' in node.status()[0].message
    engine.observe = observe
    node.take(posed(7 * 10**9))
    ros.wait_for(lambda: len(engine.views) == 2)
    assert ask(ros).success
