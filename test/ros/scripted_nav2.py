# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""As much of Nav2 as the node talks to: the action NavigateToPose, and costmap services."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import sleep
from typing import Any

import numpy as np
from nav2_msgs import srv
from nav2_msgs.action import NavigateToPose
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node

from loc3r_ros.ros.actions import own_action

STEP_S = 0.25
FREE, INSCRIBED, LETHAL, UNKNOWN = 0, 253, 254, 255


class ScriptedNav2(Node):
    """Drives three steps of 0.5 m while `go` is set, and ends as `ending` says.

    Attributes:
        goals: poses that were accepted.
        ended: how each drive ended: `succeed`, `abort` or `canceled`.
        accepts: whether goals are accepted.
        ending: `succeed` or `abort`.
        error: fields of the result, where the distribution has them.
    """

    def __init__(self, ros: Any) -> None:
        super().__init__('scripted_nav2')
        self.goals: list[Any] = []
        self.ended: list[str] = []
        self.accepts = True
        self.ending = 'succeed'
        self.error: dict[str, Any] = {}
        self._is_gone = False
        self.go = Event()
        self.go.set()
        server = ActionServer(
            self,
            NavigateToPose,
            '/navigate_to_pose',
            self._drive,
            goal_callback=lambda _: GoalResponse.ACCEPT if self.accepts else GoalResponse.REJECT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )
        own_action(self, server)
        ros.spin(self, executor=MultiThreadedExecutor(num_threads=4))

    def vanish(self):
        """As a process that dies: the action is gone, and its goals are never heard of again."""
        self._is_gone = True
        self._close()

    def own(self, entity, close):
        """What `own_action` asks of a `Stage`."""
        self._close = close
        return entity

    def _drive(self, handle):
        self.goals.append(handle.request.pose)
        for distance in (1.5, 1.0, 0.5):
            feedback = NavigateToPose.Feedback(distance_remaining=distance)
            handle.publish_feedback(feedback)
            sleep(STEP_S)
            while not self.go.wait(0.02):
                if self._is_gone:
                    return NavigateToPose.Result()
                if handle.is_cancel_requested:
                    return self._end(handle, 'canceled')
        return self._end(handle, self.ending)

    def _end(self, handle, how):
        self.ended.append(how)
        getattr(handle, how)()
        known = NavigateToPose.Result.get_fields_and_field_types()
        return NavigateToPose.Result(**{k: v for k, v in self.error.items() if k in known})


class ScriptedCostmap(Node):
    """One service of nav2_costmap_2d, which asks `cost` of x and y.

    Args:
        ros: the harness.
        kind: GetCost, GetCosts or GetCostmap.
        cost: of a place, m.
    """

    def __init__(self, ros: Any, kind: str, cost: Callable[[float, float], int]) -> None:
        super().__init__('scripted_costmap')
        self.kind, self.cost = kind, cost
        self.asked: list[Any] = []
        self.frame = 'map'
        name = 'get_costmap' if kind == 'GetCostmap' else 'get_cost_global_costmap'
        self.create_service(getattr(srv, kind), f'/global_costmap/{name}', self._answer)
        ros.spin(self)

    def _answer(self, request, response):
        self.asked.append(request)
        if self.kind == 'GetCost':
            response.cost = float(self.cost(request.x, request.y))
        elif self.kind == 'GetCosts':
            places = [pose.pose.position for pose in request.poses]
            response.costs = [float(self.cost(p.x, p.y)) for p in places]
            response.success = True
        else:
            self._fill(response.map)
        return response

    def _fill(self, costmap):
        """6 x 6 m in cells of 0.1 m, from (-2, -2)."""
        centers = -1.95 + 0.1 * np.arange(60)
        costmap.header.frame_id = self.frame
        info = costmap.metadata
        info.resolution, info.size_x, info.size_y = 0.1, 60, 60
        info.origin.position.x = info.origin.position.y = -2.0
        costmap.data = [self.cost(x, y) for y in centers for x in centers]
