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


def upright(T_map_camera: Array) -> Array:
    """T_map_agent at the origin of a camera (optical frame), x level where the camera looks."""
    forward = T_map_camera[:3, 2]
    yaw = float(np.arctan2(forward[1], forward[0]))
    return pose(exp_so3((0.0, 0.0, yaw)), T_map_camera[:3, 3])
