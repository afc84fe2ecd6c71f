# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Actions: passes on the real rclpy and on the stand-in alike."""

import threading

import pytest
from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from loc3r_ros.action import Query
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node


class Answerer(Node):
    """Answers with feedback; waits to be cancelled for `wait`, rejects `no`, stumbles on `boom`."""

    def __init__(self):
        super().__init__('answerer')
        self.waiting = threading.Event()
        self.errors = []
        self.server = ActionServer(
            self,
            Query,
            'query',
            self.execute,
            callback_group=ReentrantCallbackGroup(),
            goal_callback=self.judge,
            cancel_callback=lambda goal: CancelResponse.ACCEPT,
        )

    def judge(self, request):
        return GoalResponse.REJECT if request.question == 'no' else GoalResponse.ACCEPT

    def execute(self, goal):
        question = goal.request.question
        if question == 'boom':
            raise ValueError('boom')
        if question == 'wait':
            self.waiting.set()
            while not goal.is_cancel_requested:
                threading.Event().wait(0.005)
            goal.canceled()
            return Query.Result(time_answering=1.0)
        for word in ('two', 'words'):
            goal.publish_feedback(Query.Feedback(stage=Query.Feedback.ANSWERING, words=word))
        if question == 'unsaid':
            return Query.Result()
        goal.succeed()
        try:
            goal.abort()
        except Exception as error:
            self.errors.append(error)
        return Query.Result(time_answering=2.5)


@pytest.fixture
def answerer(ros):
    node = Answerer()
    ros.spin(node, executor=MultiThreadedExecutor(4))
    return node


def test_feedback_and_result_come_back(ros, answerer):
    feedback = []
    handle = ros.send_goal('/query', Query, Query.Goal(question='what'), feedback.append)
    assert handle.accepted
    result = ros.result(handle.get_result_async())
    assert result.status == GoalStatus.STATUS_SUCCEEDED
    assert result.result.time_answering == 2.5
    ros.wait_for(lambda: len(feedback) == 2)
    assert [each.words for each in feedback] == ['two', 'words']
    assert feedback[0].stage == Query.Feedback.ANSWERING
    assert len(answerer.errors) == 1  # a goal ends once


def test_a_goal_can_be_rejected(ros, answerer):
    assert not ros.send_goal('/query', Query, Query.Goal(question='no')).accepted


def test_a_goal_can_be_cancelled(ros, answerer):
    handle = ros.send_goal('/query', Query, Query.Goal(question='wait'))
    assert answerer.waiting.wait(5.0)
    answer = ros.result(handle.cancel_goal_async())
    assert len(answer.goals_canceling) == 1
    assert answer.return_code == CancelGoal.Response.ERROR_NONE
    result = ros.result(handle.get_result_async())
    assert (result.status, result.result.time_answering) == (GoalStatus.STATUS_CANCELED, 1.0)
    again = ros.result(handle.cancel_goal_async())
    assert again.return_code == CancelGoal.Response.ERROR_GOAL_TERMINATED


@pytest.mark.parametrize('question', ['boom', 'unsaid'])
def test_what_does_not_succeed_is_aborted(ros, answerer, question):
    handle = ros.send_goal('/query', Query, Query.Goal(question=question))
    result = ros.result(handle.get_result_async())
    assert result.status == GoalStatus.STATUS_ABORTED


def test_goals_run_at_the_same_time(ros, answerer):
    waiting = ros.send_goal('/query', Query, Query.Goal(question='wait'))
    other = ros.send_goal('/query', Query, Query.Goal(question='what'))
    assert ros.result(other.get_result_async()).status == GoalStatus.STATUS_SUCCEEDED
    ros.result(waiting.cancel_goal_async())
    assert ros.result(waiting.get_result_async()).status == GoalStatus.STATUS_CANCELED


def test_the_parts_of_an_action_do_not_show_among_those_of_the_node(answerer):
    assert not [s.srv_name for s in answerer.services if 'query' in s.srv_name]
    assert not [p.topic_name for p in answerer.publishers if 'query' in p.topic_name]
