# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Drives to a goal through Nav2's action NavigateToPose."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from loc3r_ros.answers.requests import CancelledError
from loc3r_ros.geometry import Array
from loc3r_ros.ros.actions import own_action
from loc3r_ros.ros.conversion import messages
from loc3r_ros.ros.waiting import Pending

try:
    from nav2_msgs.action import NavigateToPose
except ImportError:
    NavigateToPose = None

_SERVER_S = 2.0
_ACCEPT_S = 5.0
_STOP_S = 5.0
_GONE_S = 5.0
_REPORT_S = 0.2
"""Time between two reports of the distance."""

_ENDED = {
    GoalStatus.STATUS_SUCCEEDED: 'arrived',
    GoalStatus.STATUS_ABORTED: 'Nav2 gave up on the way',
    GoalStatus.STATUS_CANCELED: 'Nav2 was told to stop',
}


@dataclass(frozen=True)
class Drive:
    """How it ended.

    Attributes:
        arrived: Nav2 reports success.
        told: the end in words, with Nav2's reason where it gives one; a clause.
    """

    arrived: bool
    told: str


class Navigator:
    """Sends one goal at a time; a newer one takes the place of the one before, as Nav2 has it.

    Args:
        stage: node that owns the client, in its current transition.
        action: name of the action.
        frame: frame of the goals.
        callback_group: reentrant; answers come while callbacks wait for them.
    """

    def __init__(self, stage: Any, action: str, frame: str, callback_group: Any) -> None:
        self._frame = frame
        self._action = action
        self._lock = Lock()
        self._newest: object = None
        self._client: Any = None
        if NavigateToPose is not None:
            client = ActionClient(stage, NavigateToPose, action, callback_group=callback_group)
            self._client = own_action(stage, client)

    def drive(
        self,
        T_map_goal: Array,
        check: Callable[[], None],
        progress: Callable[[float], None],
    ) -> Drive:
        """Drive to a pose, and return when it has ended.

        Args:
            T_map_goal: 4x4, x forward.
            check: called often; when it raises `CancelledError`, Nav2 is told to stop and given
                time to, and the error goes on to the caller.
            progress: called with the distance that remains, m; NaN before it is known.
        """
        if self._client is None:
            return Drive(False, 'nav2_msgs is not installed: apt install ros-$ROS_DISTRO-nav2-msgs')
        if not self._client.wait_for_server(timeout_sec=_SERVER_S):
            return Drive(
                False, f'there is no action {self._action}: start Nav2, and let it become active'
            )
        me = object()
        with self._lock:
            self._newest = me
        remaining = [math.nan]

        def hear(message: Any) -> None:
            remaining[0] = float(message.feedback.distance_remaining)

        goal = NavigateToPose.Goal(pose=messages().pose_stamped(0, self._frame, T_map_goal))
        sent = self._client.send_goal_async(goal, feedback_callback=hear)
        handle = Pending(sent).result(_ACCEPT_S)
        if handle is None:
            sent.add_done_callback(_cancel_late)
            return Drive(False, f'{self._action} did not take the goal within {_ACCEPT_S:g} s')
        if not handle.accepted:
            return Drive(False, 'Nav2 rejected the goal')
        finished = Pending(handle.get_result_async())
        try:
            return self._follow(me, handle, finished, check, lambda: progress(remaining[0]))
        except CancelledError:
            handle.cancel_goal_async()
            finished.result(_STOP_S)
            raise

    def _follow(
        self,
        me: object,
        handle: Any,
        finished: Pending,
        check: Callable[[], None],
        report: Callable[[], None],
    ) -> Drive:
        """Wait for the end of an accepted goal."""
        seen_at = monotonic()
        while True:
            ended = finished.result(_REPORT_S, check)
            if ended is not None and ended.status == GoalStatus.STATUS_SUCCEEDED:
                return _drive(ended.status, ended.result)
            if self._newest is not me:
                return Drive(False, 'a newer goal took its place')
            if ended is not None:
                return _drive(ended.status, ended.result)
            # The result may never come: Nav2 can die on the way, and rclpy up to Jazzy can drop a
            # response that comes very early; but the status has a topic of its own.
            if handle.status not in _ENDED and self._client.server_is_ready():
                seen_at = monotonic()
            if monotonic() - seen_at > _GONE_S:
                return _drive(handle.status, None)
            report()


def _drive(status: int, result: Any) -> Drive:
    told = _ENDED.get(status, f'Nav2 is gone; the last status of its goal was {status}')
    # Humble's result is empty; later ones give a code, and newer ones a text.
    code, text = getattr(result, 'error_code', 0), getattr(result, 'error_msg', '')
    if code or text:
        told += f' (error {code}{": " if text else ""}{text})'
    return Drive(status == GoalStatus.STATUS_SUCCEEDED, told)


def _cancel_late(sent: Any) -> None:
    """Accepted when nobody waits any more: the robot must not drive on its own."""
    if sent.exception() is None and sent.result().accepted:
        sent.result().cancel_goal_async()
