# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Replies as messages, with the message classes of any library: see `loc3r_ros.messages`."""

from __future__ import annotations

from typing import Any

import numpy as np

from loc3r_ros.answers.reply import Reply
from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.mapping.goal import GoalPose
from loc3r_ros.messages import UNKNOWN_VARIANCE, Messages

GOAL_COVARIANCE = np.diag([2.5e-3, 2.5e-3, *[UNKNOWN_VARIANCE] * 3, 7.6e-3])
"""Of a goal: 5 cm in x and y and 5 degrees in yaw are near enough; the map says nothing else."""


def known(covariance: Array) -> Array:
    """A covariance that a filter can take: what is not known, not finite or zero gets 1e4."""
    out = np.array(covariance, np.float64)
    variances = np.diagonal(out)
    unknown = ~np.isfinite(out).all(1) | ~(variances > 0) | (variances >= UNKNOWN_VARIANCE)
    out[unknown, :] = 0.0
    out[:, unknown] = 0.0
    out[unknown, unknown] = UNKNOWN_VARIANCE
    return out


def goal_matrix(goal: GoalPose) -> Array:
    """T_map_goal, 4x4, x towards what the goal faces."""
    return pose(exp_so3((0.0, 0.0, goal.yaw)), (goal.x, goal.y, 0.0))


def shown_pose(reply: Reply) -> tuple[Array, Array] | None:
    """Where a reply points to: its goal, else its agent, with covariance; None where nowhere."""
    if reply.goal is not None:
        return goal_matrix(reply.goal.pose), GOAL_COVARIANCE
    if reply.agent.found:
        return reply.agent.T_map_agent, known(reply.agent.covariance)
    return None


def answer_message(make: Messages, reply: Reply, frame: str) -> Any:
    """loc3r_ros/Answer."""
    posed = shown_pose(reply)
    T, covariance = (np.eye(4), known(np.zeros((6, 6)))) if posed is None else posed
    return make.new(
        'loc3r_ros/msg/Answer',
        header=make.header(reply.stamp_ns, frame),
        question=reply.question,
        situation=reply.situation,
        text=reply.text,
        engine=reply.engine,
        found=bool(reply.found),
        confidence=float(reply.confidence),
        has_pose=posed is not None,
        pose=make.pose_with_covariance_stamped(reply.stamp_ns, frame, T, covariance).pose,
        first_word=float(reply.first_word),
        duration=float(reply.duration),
    )


def agent_message(make: Messages, reply: Reply, frame: str) -> Any:
    """geometry_msgs/PoseWithCovarianceStamped of the agent; all unknown where none was found."""
    agent = reply.agent
    covariance = agent.covariance if agent.found else np.zeros((6, 6))
    return make.pose_with_covariance_stamped(
        reply.stamp_ns, frame, agent.T_map_agent, known(covariance)
    )
