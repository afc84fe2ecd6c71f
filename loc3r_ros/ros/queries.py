# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The action `query`: words as they come, a drive to a goal, and a cancel at any moment."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

from rclpy.action import ActionServer, CancelResponse

from loc3r_ros.action import Query
from loc3r_ros.answers.answering import Answering
from loc3r_ros.answers.messages import goal_matrix
from loc3r_ros.answers.reply import Reply
from loc3r_ros.answers.requests import CancelledError, Turns
from loc3r_ros.answers.scene import Scene
from loc3r_ros.msg import Answer
from loc3r_ros.ros.actions import own_action
from loc3r_ros.ros.conversion import messages
from loc3r_ros.ros.navigation import Navigator


class Queries:
    """Serves the action while its node is active.

    A query succeeds when it is answered and, where it shall drive to a goal, has arrived. It is
    aborted otherwise, with the reason in the answer's text.

    Args:
        stage: node that owns the server, in its current transition.
        turns, answering, navigator, scene: what does the work.
        publish: publishes a reply, and returns its message.
        callback_group: reentrant; a cancel comes while the query goes on.
    """

    def __init__(
        self,
        stage: Any,
        turns: Turns,
        answering: Answering,
        navigator: Navigator,
        scene: Scene,
        publish: Callable[[Reply], Answer],
        callback_group: Any,
    ) -> None:
        self._frame = stage.settings['map_frame']
        self._turns = turns
        self._answering = answering
        self._navigator = navigator
        self._scene = scene
        self._publish = publish
        server = ActionServer(
            stage,
            Query,
            'query',
            self._execute,
            cancel_callback=lambda _handle: CancelResponse.ACCEPT,
            callback_group=callback_group,
        )
        own_action(stage, server)

    def _execute(self, handle: Any) -> Any:
        with self._turns.visit():
            result = Query.Result()
            _feedback(handle, Query.Feedback.QUEUED)
            reply = self._answering.ask(
                handle.request.question,
                handle.request.situation,
                is_cancelled=lambda: handle.is_cancel_requested,
                begin=lambda: _feedback(handle, Query.Feedback.ANSWERING),
                say=lambda words: _feedback(handle, Query.Feedback.ANSWERING, words),
            )
            result.answer = self._publish(reply)
            result.time_queued = float(reply.queued)
            result.time_answering = float(reply.duration - reply.queued)
            has_way = handle.request.navigate and reply.found and reply.goal is not None
            if has_way:
                self._drive(handle, reply, result)
            is_done = reply.found and result.arrived == has_way
            if handle.is_cancel_requested:
                handle.canceled()
            elif is_done:
                handle.succeed()
            else:
                handle.abort()
            return result

    def _drive(self, handle: Any, reply: Reply, result: Any) -> None:
        """Drive to the goal of a reply; how it ends is added to the answer."""
        assert reply.goal is not None
        T_map_goal = goal_matrix(reply.goal.pose)
        goal = messages().pose_stamped(reply.stamp_ns, self._frame, T_map_goal)

        def check() -> None:
            self._turns.check(lambda: handle.is_cancel_requested)
            sight = self._scene.sight
            if sight is not None and sight.epoch != reply.epoch:
                raise CancelledError('the map began anew')

        def report(remaining_m: float) -> None:
            _feedback(handle, Query.Feedback.NAVIGATING, goal=goal, distance_remaining=remaining_m)

        begun = monotonic()
        report(math.nan)
        try:
            drive = self._navigator.drive(T_map_goal, check, report)
            result.arrived, told = drive.arrived, drive.told
        except CancelledError as error:
            told = f'stopped: {error}'
        result.answer.text += f' {told[0].upper()}{told[1:].rstrip(".")}.'
        result.time_navigating = monotonic() - begun


def _feedback(handle: Any, stage: int, words: str = '', **fields: Any) -> None:
    fields = {'distance_remaining': math.nan, **fields}
    handle.publish_feedback(Query.Feedback(stage=stage, words=words, **fields))
