# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Goals with Nav2: what its costmap says, the drive, and every way the drive can end."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from loc3r_ros.action import Query
from loc3r_ros.srv import Ask
from nav2_msgs import srv as nav2_services
from nav2_msgs.action import NavigateToPose
from ros.answering_node import posed, publish_map, start
from ros.scripted_nav2 import INSCRIBED, LETHAL, STEP_S, UNKNOWN, ScriptedCostmap, ScriptedNav2
from scripted_engine import ScriptedEngine, hall

import loc3r_ros.ros.costmap
import loc3r_ros.ros.navigation
from loc3r_ros.types import Target

NEWER_RESULT = 'error_code' in NavigateToPose.Result.get_fields_and_field_types()


@pytest.fixture
def vlm(ros):
    """The node in an empty hall, with a target at (2, 0)."""
    engine = ScriptedEngine()
    engine.target = Target(True, np.array([2.0, 0.0, 0.0]), 'sofa')
    node, _ = start(ros, engine)
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    return node


def go(ros, feedback=None, question='go to the sofa', navigate=True):
    goal = Query.Goal(question=question, navigate=navigate)
    handle = ros.send_goal('/loc3r/query', Query, goal, feedback)
    assert handle.accepted
    return handle


def ended(ros, handle):
    answer = ros.result(handle.get_result_async(), 'the end of the drive')
    return answer.status, answer.result


def resolved(ros):
    return ros.call('/loc3r/ask', Ask, Ask.Request(question='go to the sofa'))


def xy(response):
    position = response.answer.pose.pose.position
    return position.x, position.y


# --- the drive


def test_the_robot_arrives(ros, vlm):
    nav2, heard = ScriptedNav2(ros), []
    status, result = ended(ros, go(ros, heard.append))
    assert status == GoalStatus.STATUS_SUCCEEDED and result.arrived
    (pose,) = nav2.goals
    assert (pose.header.frame_id, pose.header.stamp.sec, pose.header.stamp.nanosec) == ('map', 0, 0)
    assert (pose.pose.position.x, pose.pose.position.y) == (2.0, 0.0)
    assert result.answer.found and result.answer.text.endswith('Arrived.')
    assert result.time_navigating > 3 * STEP_S
    ros.wait_for(lambda: any(f.distance_remaining == 0.5 for f in heard))
    on_the_way = [f for f in heard if f.stage == Query.Feedback.NAVIGATING]
    assert np.isnan(on_the_way[0].distance_remaining)
    remaining = [
        f.distance_remaining for f in on_the_way if f.distance_remaining == f.distance_remaining
    ]
    assert remaining == sorted(remaining, reverse=True) and remaining[0] == 1.5
    assert on_the_way[0].goal.pose == pose.pose and on_the_way[0].goal.header.frame_id == 'map'


def test_without_navigate_nothing_moves(ros, vlm):
    nav2 = ScriptedNav2(ros)
    status, result = ended(ros, go(ros, navigate=False))
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert result.answer.found and not result.arrived and nav2.goals == []


def test_a_question_that_names_no_goal_moves_nothing(ros, vlm):
    nav2 = ScriptedNav2(ros)
    status, result = ended(ros, go(ros, question='what is this?'))
    assert status == GoalStatus.STATUS_SUCCEEDED and not result.arrived and nav2.goals == []


def test_cancel_stops_nav2_too(ros, vlm):
    nav2 = ScriptedNav2(ros)
    nav2.go.clear()
    handle = go(ros)
    ros.wait_for(lambda: nav2.goals)
    ros.result(handle.cancel_goal_async())
    status, result = ended(ros, handle)
    assert status == GoalStatus.STATUS_CANCELED and not result.arrived
    assert nav2.ended == ['canceled']
    assert result.answer.found, 'the goal was found, even if nobody wants to go there any more'
    assert result.answer.text.endswith('Stopped: cancelled.')


def test_nav2_that_gives_up_tells_why(ros, vlm):
    nav2 = ScriptedNav2(ros)
    nav2.ending, nav2.error = 'abort', {'error_code': 9002, 'error_msg': 'no transform'}
    status, result = ended(ros, go(ros))
    assert status == GoalStatus.STATUS_ABORTED and not result.arrived
    assert 'Nav2 gave up on the way' in result.answer.text
    if NEWER_RESULT:
        assert '(error 9002: no transform)' in result.answer.text


def test_nav2_that_rejects_the_goal(ros, vlm):
    ScriptedNav2(ros).accepts = False
    status, result = ended(ros, go(ros))
    assert status == GoalStatus.STATUS_ABORTED and result.answer.text.endswith(
        'Nav2 rejected the goal.'
    )


def test_without_nav2_the_goal_is_told_and_nothing_moves(ros, vlm):
    status, result = ended(ros, go(ros))
    assert status == GoalStatus.STATUS_ABORTED
    assert result.answer.found and result.answer.has_pose
    assert 'there is no action /navigate_to_pose' in result.answer.text.lower()


def test_without_nav2_msgs_the_package_is_named(ros, monkeypatch):
    monkeypatch.setattr(loc3r_ros.ros.navigation, 'NavigateToPose', None)
    monkeypatch.setattr(loc3r_ros.ros.costmap, 'nav2_services', None)
    engine = ScriptedEngine()
    engine.target = Target(True, np.array([2.0, 0.0, 0.0]))
    node, _ = start(ros, engine)
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    status, result = ended(ros, go(ros))
    assert status == GoalStatus.STATUS_ABORTED and result.answer.found
    assert 'costmap: nav2_msgs is not installed' in result.answer.text
    assert 'apt install ros-$ROS_DISTRO-nav2-msgs' in result.answer.text


def test_a_newer_goal_takes_the_place_of_the_one_before(ros, vlm):
    nav2 = ScriptedNav2(ros)
    nav2.go.clear()
    first = go(ros)
    ros.wait_for(lambda: len(nav2.goals) == 1)
    second = go(ros)
    status, result = ended(ros, first)
    assert status == GoalStatus.STATUS_ABORTED
    assert result.answer.text.endswith('A newer goal took its place.')
    ros.wait_for(lambda: len(nav2.goals) == 2)
    nav2.go.set()
    status, result = ended(ros, second)
    assert status == GoalStatus.STATUS_SUCCEEDED and result.arrived


def test_a_new_epoch_stops_the_robot(ros, vlm):
    nav2 = ScriptedNav2(ros)
    nav2.go.clear()
    handle = go(ros)
    ros.wait_for(lambda: nav2.goals)
    vlm.take(posed(10**9, epoch=1))
    status, result = ended(ros, handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert result.answer.text.endswith('Stopped: the map began anew.')
    assert nav2.ended == ['canceled']


def test_stopping_the_node_stops_the_robot(ros, vlm):
    nav2 = ScriptedNav2(ros)
    nav2.go.clear()
    handle = go(ros)
    ros.wait_for(lambda: nav2.goals)
    future = handle.get_result_async()
    vlm.trigger_deactivate()
    assert ros.result(future).status == GoalStatus.STATUS_ABORTED
    assert nav2.ended == ['canceled']


def test_nav2_that_dies_on_the_way_is_not_waited_for(ros, vlm, monkeypatch):
    monkeypatch.setattr(loc3r_ros.ros.navigation, '_GONE_S', 0.3)
    nav2 = ScriptedNav2(ros)
    nav2.go.clear()
    handle = go(ros)
    ros.wait_for(lambda: nav2.goals)
    nav2.vanish()
    status, result = ended(ros, handle)
    assert status == GoalStatus.STATUS_ABORTED and not result.arrived
    assert 'Nav2 is gone' in result.answer.text


def test_questions_are_answered_while_the_robot_drives(ros, vlm):
    nav2 = ScriptedNav2(ros)
    nav2.go.clear()
    handle = go(ros)
    ros.wait_for(lambda: nav2.goals)
    response = ros.call('/loc3r/ask', Ask, Ask.Request(question='what is this?'))
    assert response.success
    nav2.go.set()
    assert ended(ros, handle)[1].arrived


# --- the costmap


def near_the_target(cost):
    """A cost within 0.6 m of (2, 0), and free floor elsewhere."""
    return lambda x, y: cost if np.hypot(x - 2.0, y) < 0.6 else 0


KINDS = [kind for kind in ('GetCost', 'GetCosts', 'GetCostmap') if hasattr(nav2_services, kind)]


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('cost', [INSCRIBED, LETHAL, UNKNOWN, -1])
def test_a_goal_that_the_costmap_refuses_gives_way_to_the_next(ros, vlm, kind, cost):
    if kind == 'GetCostmap' and cost == -1:
        pytest.skip('a costmap has no negative costs')
    costmap = ScriptedCostmap(ros, kind, near_the_target(cost))
    ros.wait_for(
        lambda: (response := resolved(ros)) and 'it does not run' not in response.answer.text
    )
    response = resolved(ros)
    assert response.success and "our map and against Nav2's costmap" in response.answer.text
    assert costmap.asked
    moved = np.hypot(xy(response)[0] - 2.0, xy(response)[1])
    # The choice is 0.25 m apart; a costmap's cells of 0.1 m are right to half their diagonal.
    assert 0.6 - 0.071 <= moved <= 0.9


@pytest.mark.parametrize('kind', KINDS)
def test_a_goal_that_the_costmap_lets_pass_stays(ros, vlm, kind):
    costmap = ScriptedCostmap(ros, kind, lambda _x, _y: 252)
    ros.wait_for(lambda: resolved(ros).success and costmap.asked)
    assert xy(resolved(ros)) == (2.0, 0.0)


@pytest.mark.parametrize('kind', KINDS)
def test_a_costmap_that_refuses_all_leaves_no_goal(ros, vlm, kind):
    costmap = ScriptedCostmap(ros, kind, lambda _x, _y: LETHAL)
    ros.wait_for(lambda: resolved(ros) and costmap.asked)
    response = resolved(ros)
    assert not response.success and not response.answer.has_pose
    assert 'lets none of them pass' in response.message


def test_outside_the_costmap_is_not_free(ros, vlm):
    costmap = ScriptedCostmap(ros, 'GetCostmap', lambda _x, _y: 0)
    ros.wait_for(lambda: resolved(ros) and costmap.asked)
    question = Ask.Request(question='go to the sofa')
    vlm._engine.target = Target(True, np.array([-2.3, 0.0, 0.0]))
    response = ros.call('/loc3r/ask', Ask, question)
    assert -2.0 <= xy(response)[0] < -1.7


def test_a_costmap_in_another_frame_is_not_believed(ros, vlm):
    costmap = ScriptedCostmap(ros, 'GetCostmap', lambda _x, _y: LETHAL)
    costmap.frame = 'odom'
    ros.wait_for(lambda: resolved(ros) and costmap.asked)
    response = resolved(ros)
    assert response.success and 'it is in odom, not in map' in response.answer.text


def test_a_costmap_that_is_silent_is_not_waited_for(ros, vlm, monkeypatch):
    monkeypatch.setattr(loc3r_ros.ros.costmap, '_TIMEOUT_S', 0.2)
    shut = Event()
    costmap = ScriptedCostmap(ros, 'GetCostmap', lambda _x, _y: shut.wait(10.0) and 0)
    try:
        ros.wait_for(lambda: 'did not answer' in resolved(ros).answer.text)
        assert xy(resolved(ros)) == (2.0, 0.0) and costmap.asked
    finally:
        shut.set()
