# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The side of an action that works."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from enum import Enum
from threading import Lock
from typing import Any

from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray

from rclpy._entities import run
from rclpy.callback_groups import CallbackGroup
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.service import Answer, Service
from rclpy.task import Future

ACCEPTED, EXECUTING = GoalStatus.STATUS_ACCEPTED, GoalStatus.STATUS_EXECUTING
CANCELING, SUCCEEDED = GoalStatus.STATUS_CANCELING, GoalStatus.STATUS_SUCCEEDED
CANCELED, ABORTED = GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED


class GoalResponse(Enum):
    """Whether a goal is taken."""

    REJECT = 1
    ACCEPT = 2


class CancelResponse(Enum):
    """Whether a goal may be cancelled."""

    REJECT = 1
    ACCEPT = 2


class ServerGoalHandle:
    """One goal on its way."""

    def __init__(self, server: ActionServer, info: Any, request: Any) -> None:
        self._server = server
        self._info = info
        self._lock = Lock()
        self._result: Future = Future()
        self.request = request
        self.status = ACCEPTED

    @property
    def goal_id(self) -> Any:
        return self._info.goal_id

    @property
    def is_active(self) -> bool:
        return self.status in (ACCEPTED, EXECUTING, CANCELING)

    @property
    def is_cancel_requested(self) -> bool:
        return self.status == CANCELING

    def _move(self, status: int, *allowed: int) -> None:
        with self._lock:
            if self.status not in allowed:
                raise RuntimeError(f'goal cannot go from status {self.status} to {status}')
            self.status = status
        self._server._publish_status()

    def execute(self, execute_callback: Callable[[ServerGoalHandle], Any] | None = None) -> None:
        if not self.is_cancel_requested:
            self._move(EXECUTING, ACCEPTED)
        self._server._start(self, execute_callback)

    def succeed(self) -> None:
        self._move(SUCCEEDED, EXECUTING, CANCELING)

    def abort(self) -> None:
        self._move(ABORTED, EXECUTING, CANCELING)

    def canceled(self) -> None:
        self._move(CANCELED, CANCELING)

    def publish_feedback(self, feedback: Any) -> None:
        if not isinstance(feedback, self._server.action_type.Feedback):
            raise TypeError(f'Expected {self._server.action_type.Feedback}')
        message = self._server.action_type.Impl.FeedbackMessage(goal_id=self.goal_id)
        message.feedback = feedback
        self._server._feedback.publish(message)


class _ResultService(Service):
    """Answers when the goal has ended, not when it was asked."""

    def __init__(self, server: ActionServer, *args: Any) -> None:
        self._server = server
        super().__init__(*args)

    def _send_response(self, future: Any, answer: Answer) -> None:
        future.add_done_callback(
            lambda done: super(_ResultService, self)._send_response(done.result(), answer)
        )


class ActionServer:
    """Takes goals; `execute_callback` runs as a task of the node's executor."""

    def __init__(
        self,
        node: Any,
        action_type: Any,
        action_name: str,
        execute_callback: Callable[[ServerGoalHandle], Any],
        *,
        callback_group: CallbackGroup | None = None,
        goal_callback: Callable[[Any], GoalResponse] = lambda request: GoalResponse.ACCEPT,
        handle_accepted_callback: Callable[[ServerGoalHandle], Any] = ServerGoalHandle.execute,
        cancel_callback: Callable[[Any], CancelResponse] = lambda handle: CancelResponse.REJECT,
        result_timeout: int = 900,
    ) -> None:
        self._node = node
        self.action_type = action_type
        self._callbacks = goal_callback, handle_accepted_callback, cancel_callback
        self._execute_callback = execute_callback
        self._goals: dict[bytes, ServerGoalHandle] = {}
        name = node.resolve_service_name(action_name)
        group = callback_group or node.default_callback_group
        impl = action_type.Impl
        self._send_goal = node.create_service(
            impl.SendGoalService, f'{name}/_action/send_goal', self._on_goal, callback_group=group
        )
        self._cancel_goal = node.create_service(
            impl.CancelGoalService,
            f'{name}/_action/cancel_goal',
            self._on_cancel,
            callback_group=group,
        )
        self._get_result = _ResultService(
            self, node, impl.GetResultService, f'{name}/_action/get_result', self._on_result, group
        )
        self._feedback = node.create_publisher(impl.FeedbackMessage, f'{name}/_action/feedback', 10)
        self._status = node.create_publisher(
            GoalStatusArray,
            f'{name}/_action/status',
            QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
        )

        self._parts = (
            self._send_goal,
            self._cancel_goal,
            self._get_result,
            self._feedback,
            self._status,
        )
        for part in self._parts:
            part._internal = True

    def _on_goal(self, request: Any, response: Any) -> Any:
        goal_callback, handle_accepted, _ = self._callbacks
        response.accepted = run(goal_callback, request.goal) is GoalResponse.ACCEPT
        if response.accepted:
            response.stamp = self._node.get_clock().now().to_msg()
            info = GoalInfo(goal_id=request.goal_id, stamp=response.stamp)
            handle = ServerGoalHandle(self, info, request.goal)
            self._goals[request.goal_id.uuid.tobytes()] = handle
            # After the response, so that a client knows the goal before its first feedback.
            self._node.executor.create_task(handle_accepted, handle)
        return response

    def _start(self, handle: ServerGoalHandle, callback: Any) -> None:
        self._node.executor.create_task(self._execute, handle, callback or self._execute_callback)

    def _execute(self, handle: ServerGoalHandle, callback: Any) -> None:
        logger = self._node.get_logger()
        try:
            result = run(callback, handle)
        except Exception as error:
            result = self.action_type.Result()
            logger.error(f'Error raised in execute callback: {error}')
            traceback.print_exc()
        if handle.is_active:
            logger.warning('Goal state not set, assuming aborted.')
            handle.abort()
        response = self.action_type.Impl.GetResultService.Response(status=handle.status)
        response.result = result
        handle._result.set_result(response)

    def _on_result(self, request: Any, response: Any) -> Any:
        handle = self._goals.get(request.goal_id.uuid.tobytes())
        if handle is not None:
            return handle._result
        unknown = Future()
        unknown.set_result(response)
        return unknown

    def _on_cancel(self, request: Any, response: Any) -> Any:
        wanted = request.goal_info.goal_id.uuid.tobytes()
        every = not any(wanted)  # the id of zeros means all goals
        asked = [g for key, g in self._goals.items() if every or key == wanted]
        active = [goal for goal in asked if goal.is_active and not goal.is_cancel_requested]
        for goal in active:
            if run(self._callbacks[2], goal) is CancelResponse.ACCEPT and goal.is_active:
                goal._move(CANCELING, ACCEPTED, EXECUTING)
                response.goals_canceling.append(goal._info)
        if not asked and not every:
            response.return_code = response.ERROR_UNKNOWN_GOAL_ID
        elif asked and not active:
            response.return_code = response.ERROR_GOAL_TERMINATED
        elif not response.goals_canceling:
            response.return_code = response.ERROR_REJECTED
        return response

    def _publish_status(self) -> None:
        goals = [GoalStatus(goal_info=g._info, status=g.status) for g in self._goals.values()]
        self._status.publish(GoalStatusArray(status_list=goals))

    def destroy(self) -> None:
        for part in self._parts:
            part.destroy()
