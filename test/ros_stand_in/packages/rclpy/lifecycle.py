# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Nodes with the states unconfigured, inactive, active and finalized."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from lifecycle_msgs.msg import State as StateMsg
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node


class TransitionCallbackReturn(Enum):
    """What a transition's callback answers."""

    SUCCESS = Transition.TRANSITION_CALLBACK_SUCCESS
    FAILURE = Transition.TRANSITION_CALLBACK_FAILURE
    ERROR = Transition.TRANSITION_CALLBACK_ERROR


class LifecycleState(NamedTuple):
    """A state; what comes to a callback is the one that the node was in before."""

    label: str
    state_id: int


State = LifecycleState

_STATES = {
    'unconfigured': StateMsg.PRIMARY_STATE_UNCONFIGURED,
    'inactive': StateMsg.PRIMARY_STATE_INACTIVE,
    'active': StateMsg.PRIMARY_STATE_ACTIVE,
    'finalized': StateMsg.PRIMARY_STATE_FINALIZED,
}


class _Step(NamedTuple):
    label: str
    start: str
    callback: str
    goal: str


# Transitions by id, with where they begin and end; a failure leaves the node where it began.
_STEPS = {
    Transition.TRANSITION_CONFIGURE: _Step('configure', 'unconfigured', 'on_configure', 'inactive'),
    Transition.TRANSITION_CLEANUP: _Step('cleanup', 'inactive', 'on_cleanup', 'unconfigured'),
    Transition.TRANSITION_ACTIVATE: _Step('activate', 'inactive', 'on_activate', 'active'),
    Transition.TRANSITION_DEACTIVATE: _Step('deactivate', 'active', 'on_deactivate', 'inactive'),
    Transition.TRANSITION_UNCONFIGURED_SHUTDOWN: _Step(
        'shutdown', 'unconfigured', 'on_shutdown', 'finalized'
    ),
    Transition.TRANSITION_INACTIVE_SHUTDOWN: _Step(
        'shutdown', 'inactive', 'on_shutdown', 'finalized'
    ),
    Transition.TRANSITION_ACTIVE_SHUTDOWN: _Step('shutdown', 'active', 'on_shutdown', 'finalized'),
}


class LifecycleNode(Node):
    """A node whose work begins and ends by transitions."""

    def __init__(
        self,
        node_name: str,
        *,
        enable_communication_interface: bool = True,
        callback_group: CallbackGroup | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(node_name, **kwargs)
        self._state = 'unconfigured'
        if enable_communication_interface:
            self.create_service(
                ChangeState, '~/change_state', self._serve_change, callback_group=callback_group
            )
            self.create_service(
                GetState, '~/get_state', self._serve_get_state, callback_group=callback_group
            )

    def _succeed(self, state: LifecycleState) -> TransitionCallbackReturn:
        return TransitionCallbackReturn.SUCCESS

    on_configure = on_cleanup = on_activate = on_deactivate = _succeed
    on_shutdown = on_error = _succeed

    def trigger_configure(self) -> TransitionCallbackReturn:
        return self._change(Transition.TRANSITION_CONFIGURE)

    def trigger_cleanup(self) -> TransitionCallbackReturn:
        return self._change(Transition.TRANSITION_CLEANUP)

    def trigger_activate(self) -> TransitionCallbackReturn:
        return self._change(Transition.TRANSITION_ACTIVATE)

    def trigger_deactivate(self) -> TransitionCallbackReturn:
        return self._change(Transition.TRANSITION_DEACTIVATE)

    def trigger_shutdown(self) -> TransitionCallbackReturn:
        transition = self._transition('shutdown')
        if transition is None:
            raise RuntimeError('Shutdown transition not possible')
        return self._change(transition)

    def _transition(self, label: str) -> int | None:
        steps = _STEPS.items()
        return next((i for i, s in steps if s.label == label and s.start == self._state), None)

    def _change(self, transition: int) -> TransitionCallbackReturn:
        step = _STEPS.get(transition)
        if step is None or step.start != self._state:
            raise RuntimeError(f'Transition {transition} is not possible from {self._state}')
        before = LifecycleState(step.start, _STATES[step.start])
        answer = self._run(getattr(self, step.callback), before)
        if answer is TransitionCallbackReturn.SUCCESS:
            self._state = step.goal
        elif answer is TransitionCallbackReturn.ERROR:
            mended = self._run(self.on_error, before) is TransitionCallbackReturn.SUCCESS
            self._state = 'unconfigured' if mended else 'finalized'
        return answer

    def _run(
        self, callback: Callable[[LifecycleState], Any], before: LifecycleState
    ) -> TransitionCallbackReturn:
        try:
            return callback(before)
        except Exception:  # silently, as rclpy does
            return TransitionCallbackReturn.ERROR

    def _serve_change(self, request: Any, response: Any) -> Any:
        transition = request.transition.id
        if request.transition.label:
            transition = self._transition(request.transition.label)
        response.success = (
            transition is not None and self._change(transition) is TransitionCallbackReturn.SUCCESS
        )
        return response

    def _serve_get_state(self, request: Any, response: Any) -> Any:
        response.current_state.id = _STATES[self._state]
        response.current_state.label = self._state
        return response
