# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The last answer for RViz: who asked, where to go, and what was meant."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from visualization_msgs.msg import Marker, MarkerArray

from loc3r_ros.answers.goals import Goal
from loc3r_ros.answers.messages import goal_matrix, known
from loc3r_ros.answers.reply import Reply
from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.ros.conversion import messages
from loc3r_ros.types import AgentPose, Target

_BLUE, _GREEN, _AMBER = (0.20, 0.55, 1.00), (0.25, 0.85, 0.35), (1.00, 0.75, 0.10)
_ARROW = (0.5, 0.06, 0.06)
_WIDEST_M = 5.0
"""An ellipse that is wider would cover the map; it stands for `somewhere here`."""


class Markers:
    """All that is shown, in one array with the same namespaces and ids each time.

    So the newest array is complete, and latched it serves an RViz that starts later. The markers
    have no lifetime: an answer holds until the next one, or until the map begins anew.
    """

    def __init__(self, frame: str) -> None:
        self._frame = frame
        self._shown: dict[tuple[str, int], Marker] = {}
        self._lock = Lock()

    def show(self, reply: Reply) -> MarkerArray | None:
        """What to publish after a reply; None where it shows nothing."""
        with self._lock:
            if reply.goal is not None:
                self._goal(reply.stamp_ns, reply.goal)
            elif reply.agent.found:
                self._agent(reply.stamp_ns, reply.agent)
            else:
                return None
            return MarkerArray(markers=list(self._shown.values()))

    def clear(self) -> MarkerArray:
        """What to publish when the map begins anew."""
        with self._lock:
            self._shown.clear()
        marker = Marker(action=Marker.DELETEALL)
        marker.header.frame_id = self._frame
        return MarkerArray(markers=[marker])

    def _agent(self, stamp_ns: int, agent: AgentPose) -> None:
        """An arrow from where the agent stands, and the ellipse that holds it 19 times in 20."""
        T = agent.T_map_agent
        self._put('agent', 0, Marker.ARROW, stamp_ns, T, _ARROW, (*_BLUE, 1.0))
        variances, axes = np.linalg.eigh(known(agent.covariance)[:2, :2])
        # 2.45 sigma hold 95 % of a Gaussian in the plane.
        width, length = np.minimum(2.0 * 2.45 * np.sqrt(variances), _WIDEST_M)
        turn = exp_so3((0.0, 0.0, np.arctan2(axes[1, 1], axes[0, 1])))
        size = (float(length), float(width), 0.01)
        self._put('agent', 1, Marker.CYLINDER, stamp_ns, pose(turn, T[:3, 3]), size, (*_BLUE, 0.25))

    def _goal(self, stamp_ns: int, goal: Goal) -> None:
        """An arrow that the robot shall stand on, and the name of what it faces."""
        T = goal_matrix(goal.pose)
        self._put('goal', 0, Marker.ARROW, stamp_ns, T, _ARROW, (*_GREEN, 1.0))
        self._target(stamp_ns, goal.target)

    def _target(self, stamp_ns: int, target: Target) -> None:
        above = 0.3 if target.size is None else 0.5 * float(target.size[2]) + 0.2
        at = pose(np.eye(3), target.position + np.array([0.0, 0.0, above]))
        label = self._put(
            'target', 0, Marker.TEXT_VIEW_FACING, stamp_ns, at, (0.0, 0.0, 0.2), (*_AMBER, 1.0)
        )
        label.text = target.label or 'target'

    def _put(
        self,
        namespace: str,
        number: int,
        kind: int,
        stamp_ns: int,
        T: Array,
        size: tuple[float, float, float],
        color: tuple[float, float, float, float],
    ) -> Any:
        marker = Marker(ns=namespace, id=number, type=kind, action=Marker.ADD)
        marker.header = messages().header(stamp_ns, self._frame)
        marker.pose = messages().pose(T)
        marker.scale.x, marker.scale.y, marker.scale.z = size
        marker.color.r, marker.color.g, marker.color.b, marker.color.a = color
        self._shown[namespace, number] = marker
        return marker
