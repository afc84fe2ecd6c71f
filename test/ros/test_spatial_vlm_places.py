# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that answers, with a scripted engine: where somebody stands who describes it."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from loc3r_ros.srv import Localize
from ros.answering_node import TEXT, ask, posed, position, publish_map, stamp_of, start, yaw_of
from ros.harness import LATCHED
from scripted_engine import COVARIANCE, ScriptedEngine, agent_at, hall
from visualization_msgs.msg import MarkerArray

from loc3r_ros.types import Target, TrackingState
from loc3r_ros.vlm.engine import NoAnswerError


def test_localize_finds_who_describes_its_place(ros):
    engine = ScriptedEngine()
    covariance = np.diag([0.04, 0.09, 0.0, np.inf, np.nan, 0.02])
    covariance[0, 1] = covariance[1, 0] = 0.01
    engine.agent = agent_at(1.5, -0.5, 0.7, covariance)
    node, _ = start(ros, engine)
    node.take(posed(6_000_000_000, keyframe=False))
    poses = ros.collect('/loc3r/agent_pose', PoseWithCovarianceStamped, publishers=1)
    request = Localize.Request(situation='I stand at the sink')
    response = ros.call('/loc3r/localize', Localize, request)
    assert (response.success, response.message) == (True, '')
    assert response.confidence == pytest.approx(0.8)
    ros.wait_for(lambda: poses)
    for message in (response.pose, poses[0]):
        assert message.header.frame_id == 'map'
        assert stamp_of(message) == 5_000_000_000, 'words are placed by keyframes'
        np.testing.assert_allclose(position(message.pose.pose), (1.5, -0.5, 0.0), atol=1e-12)
        assert yaw_of(message.pose.pose) == pytest.approx(0.7)
        want = np.diag([0.04, 0.09, 1e4, 1e4, 1e4, 0.02])
        want[0, 1] = want[1, 0] = 0.01
        np.testing.assert_allclose(np.reshape(message.pose.covariance, (6, 6)), want)


def test_localize_without_words_is_where_the_camera_is(ros):
    node, engine = start(ros)
    node.take(posed(5_200_000_000, x=2.0, y=1.0, yaw=-0.4, keyframe=False))
    response = ros.call('/loc3r/localize', Localize)
    assert response.success and stamp_of(response.pose) == 5_200_000_000
    np.testing.assert_allclose(position(response.pose.pose.pose), (2.0, 1.0, 0.6))
    np.testing.assert_allclose(np.reshape(response.pose.pose.covariance, (6, 6)), COVARIANCE)
    node.take(posed(5_300_000_000, state=TrackingState.LOST))
    response = ros.call('/loc3r/localize', Localize)
    assert not response.success and 'lost' in response.message
    assert np.diagonal(np.reshape(response.pose.pose.covariance, (6, 6))).tolist() == [1e4] * 6
    assert not any(call[0] == 'localize' for call in engine.calls)


def test_who_is_not_found_has_no_pose(ros):
    _, engine = start(ros)
    poses = ros.collect('/loc3r/agent_pose', PoseWithCovarianceStamped, publishers=1)
    request = Localize.Request(situation='on the moon')
    response = ros.call('/loc3r/localize', Localize, request)
    assert (response.success, response.message) == (False, 'nobody stands there')
    answer = ask(ros, 'what is left of me?', 'on the moon').answer
    assert answer.found and not answer.has_pose, 'the answer does not need the place'
    assert min(np.diagonal(np.reshape(answer.pose.covariance, (6, 6)))) == 1e4
    engine.agent = agent_at(1.0, 0.0)
    ros.call('/loc3r/localize', Localize, request)
    ros.wait_for(lambda: poses)
    assert [pose.pose.pose.position.x for pose in poses] == [1.0]


def test_a_question_in_a_situation_tells_the_place_too(ros):
    engine = ScriptedEngine()
    engine.agent = agent_at(0.5, 2.0)
    start(ros, engine)
    poses = ros.collect('/loc3r/agent_pose', PoseWithCovarianceStamped, publishers=1)
    answer = ask(ros, 'what is left of me?', 'I stand at the sink').answer
    assert answer.has_pose and answer.situation == 'I stand at the sink'
    np.testing.assert_allclose(position(answer.pose.pose), (0.5, 2.0, 0.0), atol=1e-12)
    ros.wait_for(lambda: poses)
    ask(ros)
    engine.agent = agent_at(0.7, 2.0)
    ask(ros, 'what is left of me?', 'I stand at the stove')
    ros.wait_for(lambda: poses[-1].pose.pose.position.x == pytest.approx(0.7))
    assert len(poses) == 2, 'what was asked without a situation must not move an initialpose'


def test_an_engine_that_cannot_localize_still_answers(ros):
    engine = ScriptedEngine()
    engine.localize_error = NoAnswerError('too few keyframes')
    start(ros, engine)
    answer = ask(ros, 'what is left of me?', 'I stand at the sink').answer
    assert (answer.found, answer.has_pose, answer.text) == (True, False, TEXT)
    response = ros.call('/loc3r/localize', Localize, Localize.Request(situation='at the sink'))
    assert (response.success, response.message) == (False, 'too few keyframes')


def test_markers_are_complete_and_keep_their_ids(ros):
    engine = ScriptedEngine()
    engine.agent = agent_at(1.0, 2.0, 0.5, np.diag([0.01, 0.25, 1.0, 1.0, 1.0, 0.1]))
    engine.target = Target(True, np.array([2.0, 0.0, 0.0]), 'sofa')
    node, _ = start(ros, engine)
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    markers = ros.collect('/loc3r/markers', MarkerArray, LATCHED, publishers=1)
    agent, goal = [('agent', 0), ('agent', 1)], [('goal', 0), ('target', 0)]
    asked = (('what is this?', 'at the sink'), ('go to the sofa', ''))
    for count, (question, situation) in enumerate(asked * 2, 1):
        ask(ros, question, situation)
        # One at a time: what is latched is the last one, and an older one may be lost.
        ros.wait_for(lambda count=count: len(markers) == count)
        keys = sorted((m.ns, m.id) for m in markers[-1].markers)
        assert keys == (agent if count == 1 else agent + goal)
    arrow, ellipse = (m for m in markers[0].markers if m.ns == 'agent')
    assert yaw_of(arrow.pose) == pytest.approx(0.5)
    # 95 % of a Gaussian with 0.5 m along y and 0.1 m along x.
    assert ellipse.scale.x == pytest.approx(2 * 2.45 * 0.5)
    assert ellipse.scale.y == pytest.approx(2 * 2.45 * 0.1)
    assert abs(np.sin(yaw_of(ellipse.pose))) == pytest.approx(1.0)
