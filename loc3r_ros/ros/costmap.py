# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whether Nav2's global costmap lets a robot stand somewhere.

Each distribution of nav2_msgs offers it in another way: GetCosts for many poses at once (from
Kilted on), GetCost for one (Iron and Jazzy), and GetCostmap for the whole map (all, and the only
way on Humble). The first whose service is up is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from loc3r_ros.answers.goals import Verdict
from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.mapping.goal import GoalPose
from loc3r_ros.ros.conversion import messages
from loc3r_ros.ros.waiting import Pending

try:
    from nav2_msgs import srv as nav2_services
except ImportError:
    nav2_services = None

HIGHEST_COST = 252
"""Above it nav2_costmap_2d has 253, where the robot touches an obstacle however it stands, 254 in
an obstacle, and 255 where nothing is known; below zero it has what lies outside."""

_TIMEOUT_S = 2.0


class _UnansweredError(Exception):
    """The costmap is there but of no use."""


class Costmap:
    """Asks the costmap of a namespace.

    Args:
        stage: node that owns the clients, in its current transition.
        namespace: `/global_costmap`; empty: never ask.
        frame: frame of the goals.
        callback_group: reentrant; answers come while callbacks wait for them.
    """

    def __init__(self, stage: Any, namespace: str, frame: str, callback_group: Any) -> None:
        self._frame = frame
        self._offers: list[tuple[Any, Callable[..., Iterator[float]]]] = []
        if not namespace or nav2_services is None:
            return
        name = namespace.rstrip('/')
        point_service = f'{name}/get_cost_{name.rpartition("/")[2]}'
        for kind, service, ask in (
            ('GetCosts', point_service, self._costs),
            ('GetCost', point_service, self._each_cost),
            ('GetCostmap', f'{name}/get_costmap', self._sampled),
        ):
            if hasattr(nav2_services, kind):
                client = stage.create_client(
                    getattr(nav2_services, kind), service, callback_group=callback_group
                )
                self._offers.append((stage.own(client), ask))

    def first_free(self, goals: Sequence[GoalPose], check: Callable[[], None]) -> Verdict:
        """The first of some goals that the costmap lets pass.

        Args:
            goals: the best first.
            check: called while waiting; what it raises ends the wait.
        """
        ready = [(client, ask) for client, ask in self._offers if client.service_is_ready()]
        if not ready:
            missing = 'nav2_msgs is not installed' if nav2_services is None else 'it does not run'
            return Verdict(goals[0], False, f"not against Nav2's costmap: {missing}")
        client, ask = ready[0]
        try:
            for goal, cost in zip(goals, ask(client, goals, check), strict=False):
                if 0 <= cost <= HIGHEST_COST:
                    return Verdict(goal, True, "against Nav2's costmap")
        except _UnansweredError as error:
            return Verdict(goals[0], False, f"not against Nav2's costmap: {error}")
        return Verdict(None, True, f"Nav2's costmap ({client.srv_name}) lets none of them pass")

    def _costs(
        self, client: Any, goals: Sequence[GoalPose], check: Callable[[], None]
    ) -> Iterator[float]:
        request = nav2_services.GetCosts.Request(use_footprint=False)
        request.poses = [messages().pose_stamped(0, self._frame, _matrix(g)) for g in goals]
        yield from _call(client, request, check).costs

    def _each_cost(
        self, client: Any, goals: Sequence[GoalPose], check: Callable[[], None]
    ) -> Iterator[float]:
        for goal in goals:
            request = nav2_services.GetCost.Request(
                use_footprint=False, x=goal.x, y=goal.y, theta=goal.yaw
            )
            yield _call(client, request, check).cost

    def _sampled(
        self, client: Any, goals: Sequence[GoalPose], check: Callable[[], None]
    ) -> Iterator[float]:
        costmap = _call(client, nav2_services.GetCostmap.Request(), check).map
        if costmap.header.frame_id != self._frame:
            raise _UnansweredError(f'it is in {costmap.header.frame_id}, not in {self._frame}')
        info = costmap.metadata
        cells = np.frombuffer(costmap.data, np.uint8).reshape(info.size_y, info.size_x)
        for goal in goals:
            column = int(np.floor((goal.x - info.origin.position.x) / info.resolution))
            row = int(np.floor((goal.y - info.origin.position.y) / info.resolution))
            inside = 0 <= row < info.size_y and 0 <= column < info.size_x
            yield float(cells[row, column]) if inside else -1.0


def _call(client: Any, request: Any, check: Callable[[], None]) -> Any:
    answer = Pending(client.call_async(request)).result(_TIMEOUT_S, check)
    if answer is None:
        raise _UnansweredError(f'{client.srv_name} did not answer within {_TIMEOUT_S:g} s')
    return answer


def _matrix(goal: GoalPose) -> Any:
    return pose(exp_so3((0.0, 0.0, goal.yaw)), (goal.x, goal.y, 0.0))
