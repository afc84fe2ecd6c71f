# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Agents that stand upright: where the camera itself is, and nowhere."""

from __future__ import annotations

import numpy as np

from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.types import AgentPose, TrackedPose, TrackingState


def camera_agent(tracked: TrackedPose | None) -> AgentPose:
    """Who stands where the camera is and faces where it looks, or why there is no such place."""
    if tracked is None or tracked.state is TrackingState.INITIALISING:
        return nowhere('the camera is not tracked yet')
    if tracked.state is TrackingState.LOST:
        x, y = tracked.T_map_camera[:2, 3]
        return nowhere(
            f'the camera is lost; it was last at ({x:.2f}, {y:.2f}). Show it a known place'
        )
    return AgentPose(True, upright(tracked.T_map_camera), tracked.covariance)


def nowhere(reason: str) -> AgentPose:
    """No agent, and why."""
    return AgentPose(False, np.eye(4), np.full((6, 6), np.nan), reason=reason)


def whereabouts(agent: AgentPose) -> str:
    """Where an agent that was found stands, in words."""
    T = agent.T_map_agent
    heading = np.degrees(np.arctan2(T[1, 0], T[0, 0]))
    spread = float(np.sqrt(max(np.trace(agent.covariance[:2, :2]), 0.0)))
    turn = float(np.degrees(np.sqrt(max(agent.covariance[5, 5], 0.0))))
    return (
        f'At x = {T[0, 3]:.2f} m, y = {T[1, 3]:.2f} m in the map, facing {heading:.0f} degrees '
        f'from its x axis, counter-clockwise. The position is good to about {spread:.2f} m, the '
        f'heading to about {turn:.0f} degrees.'
    )


def upright(T_map_camera: Array) -> Array:
    """T_map_agent at the origin of a camera (optical frame), x level where the camera looks."""
    forward = T_map_camera[:3, 2]
    yaw = float(np.arctan2(forward[1], forward[0]))
    return pose(exp_so3((0.0, 0.0, yaw)), T_map_camera[:3, 3])
