# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Lifecycle nodes and logs: passes on the real rclpy and on the stand-in alike."""

import pytest
from lifecycle_msgs.msg import State as StateMsg
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node


class Managed(LifecycleNode):
    """Remembers what was asked of it, and answers what it is told to."""

    def __init__(self, **answers):
        self.asked = []
        self.answers = answers
        super().__init__('managed')

    def _answer(self, name, state):
        self.asked.append((name, state.label))
        answer = self.answers.get(name, TransitionCallbackReturn.SUCCESS)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def on_configure(self, state):
        return self._answer('configure', state)

    def on_activate(self, state):
        return self._answer('activate', state)

    def on_deactivate(self, state):
        return self._answer('deactivate', state)

    def on_cleanup(self, state):
        return self._answer('cleanup', state)

    def on_shutdown(self, state):
        return self._answer('shutdown', state)

    def on_error(self, state):
        return self._answer('error', state)


def _state(ros):
    return ros.call('/managed/get_state', GetState).current_state.label


def test_transitions_run_through_services_and_triggers(ros):
    node = Managed()
    ros.spin(node)

    def change(transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        return ros.call('/managed/change_state', ChangeState, request).success

    state = ros.call('/managed/get_state', GetState).current_state
    assert (state.id, state.label) == (StateMsg.PRIMARY_STATE_UNCONFIGURED, 'unconfigured')
    assert change(Transition.TRANSITION_CONFIGURE) and _state(ros) == 'inactive'
    assert change(Transition.TRANSITION_ACTIVATE) and _state(ros) == 'active'
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    assert _state(ros) == 'unconfigured'
    assert node.trigger_shutdown() == TransitionCallbackReturn.SUCCESS
    assert _state(ros) == 'finalized'
    assert node.asked == [
        ('configure', 'unconfigured'),
        ('activate', 'inactive'),
        ('deactivate', 'active'),
        ('cleanup', 'inactive'),
        ('shutdown', 'unconfigured'),
    ]


def test_a_refused_transition_leaves_the_state(ros):
    node = Managed(configure=TransitionCallbackReturn.FAILURE)
    ros.spin(node)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert _state(ros) == 'unconfigured'


@pytest.mark.parametrize(
    ('mended', 'state'),
    [
        (TransitionCallbackReturn.SUCCESS, 'unconfigured'),
        (TransitionCallbackReturn.FAILURE, 'finalized'),
    ],
)
def test_an_exception_in_a_transition_goes_through_on_error(ros, mended, state):
    node = Managed(activate=ValueError('boom'), error=mended)
    ros.spin(node)
    node.trigger_configure()
    assert node.trigger_activate() == TransitionCallbackReturn.ERROR
    assert node.asked[-1] == ('error', 'inactive')
    assert _state(ros) == state


def test_an_impossible_transition_is_an_error(ros):
    node = Managed()
    with pytest.raises(Exception, match=r'[Tt]ransition'):
        node.trigger_activate()
    node.destroy_node()


def test_logs_reach_rosout_with_level_and_name(ros):
    node = Node('talker', namespace='/robot')
    ros.spin(node)
    logger = node.get_logger()
    logger.debug('too quiet')
    logger.warning('mind the gap')
    logger.error('broken')
    ros.wait_for(lambda: ros.logged('broken'))
    assert not ros.logged('too quiet')
    warning = ros.logged('mind the gap')[0]
    assert (warning.level, warning.name) == (30, 'robot.talker')
    assert ros.logged('broken')[0].level == 40


def test_logs_are_thinned_at_each_place(ros):
    node = Node('talker')
    ros.spin(node)
    for _ in range(5):
        node.get_logger().info('once only', once=True)
        node.get_logger().info('rarely', throttle_duration_sec=60.0)
        node.get_logger().info('not at first', skip_first=True)
    node.get_logger().info('last')
    ros.wait_for(lambda: ros.logged('last'))
    assert len(ros.logged('once only')) == len(ros.logged('rarely')) == 1
    assert len(ros.logged('not at first')) == 4
    with pytest.raises(TypeError):
        node.get_logger().info('text', often=True)
