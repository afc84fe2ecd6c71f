# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that answers, with a scripted engine: every way an answer can come about, or not."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from loc3r_ros.action import Query
from loc3r_ros.msg import Answer, PoseToken
from loc3r_ros.srv import Ask, Localize
from rclpy.parameter import Parameter
from ros.harness import LATCHED
from ros.scripted_engine import (
    COVARIANCE,
    ScriptedEngine,
    agent_at,
    camera_at,
    hall,
    posed,
    publish_map,
    start,
)
from sensor_msgs.msg import Image
from std_msgs.msg import String
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import Marker, MarkerArray

import loc3r_ros.ros.spatial_vlm
from loc3r_ros.geometry import rotation_from_quaternion
from loc3r_ros.ros.conversion import messages
from loc3r_ros.ros.spatial_vlm import no_model
from loc3r_ros.types import Target, TrackingState
from loc3r_ros.vlm.engine import NoAnswerError

TEXT = 'The red chair is behind you.'
SUCCEEDED, CANCELED, ABORTED = (
    GoalStatus.STATUS_SUCCEEDED,
    GoalStatus.STATUS_CANCELED,
    GoalStatus.STATUS_ABORTED,
)


def ask(ros, question='where is the red chair?', situation=''):
    return ros.call('/loc3r/ask', Ask, Ask.Request(question=question, situation=situation))


def query(ros, question='where is the red chair?', feedback=None, **fields):
    goal = Query.Goal(question=question, **fields)
    handle = ros.send_goal('/loc3r/query', Query, goal, feedback)
    assert handle.accepted
    return handle


def result(ros, handle):
    answer = ros.result(handle.get_result_async(), 'the result of the query')
    return answer.status, answer.result


def position(pose):
    return np.array([pose.position.x, pose.position.y, pose.position.z])


def yaw_of(pose):
    q = pose.orientation
    R = rotation_from_quaternion((q.x, q.y, q.z, q.w))
    return np.arctan2(R[1, 0], R[0, 0])


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


# --- words


def test_ask_gives_the_whole_answer(ros):
    node, engine = start(ros)
    node.take(posed(5_300_000_001, x=1.0, y=0.5, yaw=0.3, keyframe=False))
    response = ask(ros)
    answer = response.answer
    assert (response.success, response.message) == (True, '')
    assert (answer.text, answer.engine, answer.found) == (TEXT, 'scripted', True)
    assert (answer.question, answer.situation) == ('where is the red chair?', '')
    assert 0.0 < answer.first_word <= answer.duration
    assert np.isnan(answer.confidence)
    # Without a situation the asker is the camera, at its newest image.
    assert answer.has_pose and stamp_of(answer) == 5_300_000_001
    np.testing.assert_allclose(position(answer.pose.pose), (1.0, 0.5, 0.6))
    assert yaw_of(answer.pose.pose) == pytest.approx(0.3)
    np.testing.assert_allclose(np.reshape(answer.pose.covariance, (6, 6)), COVARIANCE)
    assert engine.asked() == ['where is the red chair?']


def test_the_answer_is_published_for_who_comes_late(ros):
    start(ros)
    ask(ros)
    answers = ros.collect('/loc3r/answer', Answer, LATCHED)
    ros.wait_for(lambda: answers)
    assert (answers[0].text, answers[0].header.frame_id) == (TEXT, 'map')


def test_a_question_on_the_topic_is_answered_on_the_topic(ros):
    start(ros)
    answers = ros.collect('/loc3r/answer', Answer, LATCHED, publishers=1)
    ros.publish('/loc3r/question', String(data='what is this?'))
    ros.wait_for(lambda: answers)
    assert (answers[0].question, answers[0].text, answers[0].found) == ('what is this?', TEXT, True)


def test_words_stream_as_feedback(ros):
    start(ros)
    heard = []
    status, answer = result(ros, query(ros, feedback=heard.append))
    assert status == SUCCEEDED and answer.answer.text == TEXT
    ros.wait_for(lambda: ''.join(f.words for f in heard) == TEXT)
    assert [f.words for f in heard if f.words] == ScriptedEngine().words
    assert [f.stage for f in heard[:2]] == [Query.Feedback.QUEUED, Query.Feedback.ANSWERING]
    assert answer.time_queued >= 0.0 and answer.time_answering > 0.0
    assert answer.time_queued + answer.time_answering == pytest.approx(answer.answer.duration)
    assert (answer.arrived, answer.time_navigating) == (False, 0.0)


def test_cancel_between_words_ends_the_answer(ros):
    engine = ScriptedEngine()
    engine.gates = {2: Event()}
    start(ros, engine)
    handle = query(ros)
    assert engine.reached[2].wait(10.0)
    canceling = ros.result(handle.cancel_goal_async())
    assert len(canceling.goals_canceling) == 1
    engine.gates[2].set()
    status, answer = result(ros, handle)
    assert status == CANCELED and answer.answer.found is False
    assert engine.said in (2, 3), 'the word that was on its way may still come'
    assert answer.answer.text in ('The red ', 'The red chair ')
    assert engine.open_answers == 0, 'the iterator is closed, so nothing is computed any more'
    engine.gates = {}
    assert ask(ros).answer.text == TEXT


def test_cancel_while_queued_leaves_the_engine_alone(ros):
    engine = ScriptedEngine()
    engine.gates = {1: Event()}
    node, _ = start(ros, engine)
    first = query(ros, 'first?')
    assert engine.reached[1].wait(10.0)
    second = query(ros, 'second?')
    ros.wait_for(lambda: node.status()[0].values['waiting'] == 1)
    ros.result(second.cancel_goal_async())
    status, answer = result(ros, second)
    assert status == CANCELED
    assert answer.time_queued > 0.0 and answer.time_answering == pytest.approx(0.0, abs=0.05)
    engine.gates[1].set()
    assert result(ros, first)[0] == SUCCEEDED
    assert engine.asked() == ['first?']


def test_four_wait_and_the_next_is_told_to_come_again(ros):
    engine = ScriptedEngine()
    engine.gates = {0: Event()}
    node, _ = start(ros, engine)
    handles = [query(ros, f'{n}?') for n in range(5)]
    ros.wait_for(lambda: node.status()[0].values['waiting'] == 4)
    response = ask(ros, 'sixth?')
    assert not response.success and 'busy' in response.message
    status, answer = result(ros, query(ros, 'seventh?'))
    assert status == ABORTED and 'busy' in answer.answer.text
    engine.gates[0].set()
    assert [result(ros, handle)[0] for handle in handles] == [SUCCEEDED] * 5
    assert engine.asked() == [f'{n}?' for n in range(5)]
    assert node.set_parameters([Parameter('max_waiting', value=0)])[0].successful
    assert not node.set_parameters([Parameter('max_waiting', value=5)])[0].successful


@pytest.mark.parametrize(
    ('question', 'situation', 'said'),
    [
        ('', '', 'question is empty'),
        (' \n ', '', 'question is empty'),
        ('a' * 2001, '', '2001 characters; 2000 are allowed'),
        ('what?', 'b' * 2001, 'situation has 2001'),
        ('what\x07?', '', 'control characters'),
    ],
    ids=['empty', 'blank', 'long', 'long situation', 'bell'],
)
def test_what_is_no_question_is_refused_with_the_reason(ros, question, situation, said):
    _, engine = start(ros)
    response = ask(ros, question, situation)
    assert not response.success and said in response.message
    status, answer = result(ros, query(ros, question, situation=situation))
    assert status == ABORTED and said in answer.answer.text
    assert engine.asked() == []


@pytest.mark.parametrize('number', [0, 3])
def test_an_engine_that_raises_is_an_answer_with_the_reason(ros, number):
    engine = ScriptedEngine()
    engine.gates = {number: Event()}
    node, _ = start(ros, engine)
    future = query(ros)
    assert engine.reached[number].wait(10.0)
    engine.ask_error = RuntimeError('CUDA out of memory')
    engine.gates[number].set()
    status, answer = result(ros, future)
    assert status == ABORTED and not answer.answer.found
    assert answer.answer.text == 'answering failed: RuntimeError: CUDA out of memory'
    engine.ask_error, engine.gates = None, {}
    assert ask(ros).success, 'the node lives'
    assert node.status()[0].values['failed'] == 1


def test_an_engine_that_knows_no_answer_says_so(ros):
    engine = ScriptedEngine()
    engine.ask_error = NoAnswerError('I have not seen enough: drive around')
    node, _ = start(ros, engine)
    response = ask(ros)
    assert (response.success, response.message) == (False, 'I have not seen enough: drive around')
    assert (response.answer.found, response.answer.text) == (False, response.message)
    assert node.status()[0].values['failed'] == 0


def test_an_engine_that_says_nothing_has_not_answered(ros):
    engine = ScriptedEngine()
    engine.words = [' ', '']
    start(ros, engine)
    response = ask(ros)
    assert not response.success and 'scripted has nothing to say' in response.message
    assert np.isfinite(response.answer.duration)


def test_before_the_first_image_it_is_said_that_there_is_none(ros):
    node, engine = start(ros, seen=False)
    for response in (ask(ros), ros.call('/loc3r/localize', Localize)):
        assert not response.success and 'no image has been processed yet' in response.message
    assert engine.asked() == []
    (report,) = node.status()
    assert (report.level, report.message) == (1, 'no image has been processed yet')
    node.take(posed())
    ros.wait_for(lambda: ask(ros).success)


# --- where


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


# --- keyframes and epochs


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


# --- goals without Nav2


def test_a_goal_is_resolved_to_a_free_pose_that_faces_it(ros):
    engine = ScriptedEngine()
    engine.target = Target(
        True, np.array([2.0, 0.0, 0.45]), 'red chair', np.array([0.5, 0.5, 0.9]), confidence=0.7
    )
    node, _ = start(ros, engine)
    publish_map(ros, hall(((1.75, -0.25), (2.25, 0.25))))
    ros.wait_for(lambda: node.scene.grid)
    found = ros.collect('/loc3r/detections', Detection3DArray, publishers=1)
    markers = ros.collect('/loc3r/markers', MarkerArray, LATCHED, publishers=1)
    response = ask(ros, 'Could you go to the red chair, please?')
    answer = response.answer
    assert response.success and answer.found and answer.has_pose
    assert ('ground', 'the red chair') in engine.calls and engine.asked() == []
    x, y, _ = position(answer.pose.pose)
    # The edge is at 1.75, the robot's radius 0.25, and the cells are 0.05.
    assert 1.40 <= x <= 1.50 and abs(y) < 0.15
    assert yaw_of(answer.pose.pose) == pytest.approx(np.arctan2(-y, 2.0 - x))
    assert answer.confidence == pytest.approx(0.7)
    assert "not against Nav2's costmap: it does not run" in answer.text
    assert min(np.diagonal(np.reshape(answer.pose.covariance, (6, 6)))) > 0
    ros.wait_for(lambda: found and markers)
    (detection,) = found[0].detections
    assert detection.results[0].hypothesis.class_id == 'red chair'
    assert detection.results[0].hypothesis.score == pytest.approx(0.7)
    assert detection.bbox.center.position.x == 2.0 and detection.bbox.size.z == 0.9
    shown = {(m.ns, m.id): m for m in markers[-1].markers}
    assert set(shown) == {('goal', 0), ('target', 0)}
    assert shown['goal', 0].pose.position.x == pytest.approx(x)
    assert shown['target', 0].text == 'red chair'


@pytest.mark.parametrize(
    ('target', 'boxes', 'said'),
    [
        (Target(False, np.zeros(3), reason='I see no red chair'), (), 'I see no red chair'),
        (Target(True, np.array([2.0, 0.0, 0.0])), (((-4, -4), (4, 4)),), 'no free place'),
        (Target(True, np.array([9.0, 0.0, 0.0])), (), 'outside the map'),
        (Target(True, np.array([3.0, 0.0, 0.0])), (((1.0, -4), (1.2, 4)),), 'no way'),
    ],
)
def test_a_goal_that_cannot_be_taken_is_not_found_and_says_why(ros, target, boxes, said):
    engine = ScriptedEngine()
    engine.target = target
    node, _ = start(ros, engine)
    publish_map(ros, hall(*boxes))
    ros.wait_for(lambda: node.scene.grid)
    response = ask(ros, 'go to the red chair')
    assert not response.success and said in response.message
    assert (response.answer.found, response.answer.has_pose) == (False, False)


def test_a_goal_needs_a_map_and_a_tracked_camera(ros):
    engine = ScriptedEngine()
    engine.target = Target(True, np.array([2.0, 0.0, 0.0]))
    node, _ = start(ros, engine)
    assert 'no map yet' in ask(ros, 'go to the red chair').message
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    node.take(posed(6 * 10**9, state=TrackingState.LOST))
    assert 'camera is lost' in ask(ros, 'go to the red chair').message


# --- without a model, markers, life


def test_without_a_model_geometry_answers(ros):
    node, _ = start(ros, make_engine=no_model)
    node.take(posed(6 * 10**9, x=1.0, y=0.5, yaw=np.pi / 2))
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    answer = ask(ros, 'where am I?').answer
    assert answer.engine == 'no model loaded' and answer.found
    assert 'x = 1.00 m, y = 0.50 m' in answer.text and 'facing 90 degrees' in answer.text
    assert '64.0 square metres' in ask(ros, 'how much has been mapped?').answer.text
    goal = ask(ros, 'go to 2.0 -1.5').answer
    np.testing.assert_allclose(position(goal.pose.pose), (2.0, -1.5, 0.0), atol=1e-9)
    assert yaw_of(goal.pose.pose) == pytest.approx(np.arctan2(-2.0, 1.0))
    for refused in (ask(ros, 'how far is the sofa?'), ask(ros, 'go to the sofa')):
        assert not refused.success and 'no model loaded' in refused.message
    request = Localize.Request(situation='I stand at the sink')
    assert 'no model loaded' in ros.call('/loc3r/localize', Localize, request).message


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


def test_stopping_the_node_ends_what_is_asked(ros):
    engine = ScriptedEngine()
    engine.gates = {2: Event()}
    node, _ = start(ros, engine)
    first = query(ros, 'first?')
    assert engine.reached[2].wait(10.0)
    second = query(ros, 'second?')
    ros.wait_for(lambda: node.status()[0].values['waiting'] == 1)
    results = [handle.get_result_async() for handle in (second, first)]
    engine.gates[2].set()
    node.trigger_deactivate()
    assert node.state == 'inactive' and engine.open_answers == 0
    assert ros.logged('', level=30) == []
    for future in results:
        ended = ros.result(future)
        assert ended.status in (ABORTED, SUCCEEDED)
    node.trigger_activate()
    node.take(posed())
    ros.wait_for(lambda: ask(ros).success)


def test_ten_lives(ros):
    node, engine = start(ros)
    for _ in range(10):
        node.trigger_deactivate()
        node.trigger_cleanup()
        node.trigger_configure()
        node.trigger_activate()
    node.take(posed())
    ros.wait_for(lambda: engine.views)
    assert ask(ros).success
    assert len([n for n in ros.node.get_service_names_and_types() if n[0] == '/loc3r/ask']) == 1
    assert ros.logged('', level=40) == []


def test_diagnostics_say_what_answers(ros):
    start(ros)
    ask(ros)
    ask(ros, '')
    arrays = ros.collect('/diagnostics', DiagnosticArray)

    def values():
        found = [s for a in arrays for s in a.status if s.name == 'loc3r: vlm']
        return {v.key: v.value for v in found[-1].values} if found else {}

    ros.wait_for(lambda: values().get('answered') == '1')
    assert values()['engine'] == 'scripted' and values()['unanswered'] == '1'
    assert values()['keyframes'] == '1' and values()['waiting'] == '0'


def test_without_vision_msgs_the_package_is_named_and_the_rest_works(ros, monkeypatch):
    monkeypatch.setattr(loc3r_ros.ros.spatial_vlm, 'Detection3DArray', None)
    engine = ScriptedEngine()
    engine.target = Target(True, np.array([2.0, 0.0, 0.0]))
    node, _ = start(ros, engine)
    ros.wait_for(lambda: ros.logged('apt install ros-$ROS_DISTRO-vision-msgs', level=30))
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    assert ask(ros, 'go to the sofa').success
    assert ros.node.count_publishers('/loc3r/detections') == 0
