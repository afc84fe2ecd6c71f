# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The side of an action that asks for work."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalInfo, GoalStatus
from unique_identifier_msgs.msg import UUID

from rclpy._entities import run
from rclpy.callback_groups import CallbackGroup
from rclpy.task import Future


class ClientGoalHandle:
    """A goal that was sent."""

    def __init__(self, client: ActionClient, goal_id: Any, response: Any) -> None:
        self._client = client
        self.goal_id = goal_id
        self.accepted = response.accepted
        self.stamp = response.stamp
        self.status = GoalStatus.STATUS_UNKNOWN

    def get_result_async(self) -> Future:
        """The future of status and result, once the goal has ended."""
        request = self._client._action_type.Impl.GetResultService.Request(goal_id=self.goal_id)
        future = self._client._get_result.call_async(request)
        future.add_done_callback(lambda done: setattr(self, 'status', done.result().status))
        return future

    def cancel_goal_async(self) -> Future:
        """The future of which goals are being cancelled."""
        info = GoalInfo(goal_id=self.goal_id, stamp=self.stamp)
        request = self._client._action_type.Impl.CancelGoalService.Request(goal_info=info)
        return self._client._cancel_goal.call_async(request)


class ActionClient:
    """Sends goals to an action."""

    def __init__(
        self,
        node: Any,
        action_type: Any,
        action_name: str,
        *,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        self._node = node
        self._action_type = action_type
        self._feedback_callbacks: dict[bytes, Callable[[Any], Any]] = {}
        name = f'{node.resolve_service_name(action_name)}/_action'
        impl, group = action_type.Impl, callback_group
        self._send_goal = node.create_client(
            impl.SendGoalService, f'{name}/send_goal', callback_group=group
        )
        self._cancel_goal = node.create_client(
            impl.CancelGoalService, f'{name}/cancel_goal', callback_group=group
        )
        self._get_result = node.create_client(
            impl.GetResultService, f'{name}/get_result', callback_group=group
        )
        self._feedback = node.create_subscription(
            impl.FeedbackMessage, f'{name}/feedback', self._on_feedback, 10, callback_group=group
        )
        self._parts = self._send_goal, self._cancel_goal, self._get_result, self._feedback
        for part in self._parts:
            part._internal = True

    def _on_feedback(self, message: Any) -> None:
        callback = self._feedback_callbacks.get(message.goal_id.uuid.tobytes())
        if callback is not None:
            run(callback, message)

    def send_goal_async(
        self, goal: Any, feedback_callback: Callable[[Any], Any] | None = None
    ) -> Future:
        """The future of the goal's handle."""
        if not isinstance(goal, self._action_type.Goal):
            raise TypeError(f'Expected {self._action_type.Goal}, got {type(goal)}')
        goal_id = UUID(uuid=list(uuid.uuid4().bytes))
        if feedback_callback is not None:
            self._feedback_callbacks[goal_id.uuid.tobytes()] = feedback_callback
        request = self._action_type.Impl.SendGoalService.Request(goal_id=goal_id, goal=goal)
        future = Future()

        def on_response(done: Future) -> None:
            future._set_executor(self._node.executor)
            future.set_result(ClientGoalHandle(self, goal_id, done.result()))

        self._send_goal.call_async(request).add_done_callback(on_response)
        return future

    def server_is_ready(self) -> bool:
        return all(
            client.service_is_ready()
            for client in (self._send_goal, self._cancel_goal, self._get_result)
        )

    def wait_for_server(self, timeout_sec: float | None = None) -> bool:
        end = float('inf') if timeout_sec is None else time.monotonic() + timeout_sec
        while self._node.context.ok() and not self.server_is_ready() and time.monotonic() < end:
            time.sleep(0.01)
        return self.server_is_ready()

    def destroy(self) -> None:
        for part in self._parts:
            part.destroy()
