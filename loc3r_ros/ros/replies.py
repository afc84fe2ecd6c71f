# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Replies as messages: Answer, the pose of the agent, and the detection of a grounded target."""

from __future__ import annotations

from typing import Any

import numpy as np

from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.mapping.goal import GoalPose
from loc3r_ros.messages import UNKNOWN_VARIANCE
from loc3r_ros.msg import Answer
from loc3r_ros.ros.answering import Reply
from loc3r_ros.ros.conversion import messages
from loc3r_ros.types import Target

try:
    from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose
except ImportError:
    Detection3DArray = None

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


def answer_message(reply: Reply, frame: str) -> Answer:
    """loc3r_ros/Answer."""
    answer = Answer(
        header=messages().header(reply.stamp_ns, frame),
        question=reply.question,
        situation=reply.situation,
        text=reply.text,
        engine=reply.engine,
        found=bool(reply.found),
        confidence=float(reply.confidence),
        first_word=float(reply.first_word),
        duration=float(reply.duration),
    )
    if reply.goal is not None:
        posed = goal_matrix(reply.goal.pose), GOAL_COVARIANCE
    elif reply.agent.found:
        posed = reply.agent.T_map_agent, known(reply.agent.covariance)
    else:
        answer.pose.covariance = known(np.zeros((6, 6))).reshape(-1)
        return answer
    answer.has_pose = True
    stamped = messages().pose_with_covariance_stamped(reply.stamp_ns, frame, *posed)
    answer.pose = stamped.pose
    return answer


def agent_message(reply: Reply, frame: str) -> Any:
    """geometry_msgs/PoseWithCovarianceStamped of the agent; all unknown where none was found."""
    agent = reply.agent
    covariance = agent.covariance if agent.found else np.zeros((6, 6))
    return messages().pose_with_covariance_stamped(
        reply.stamp_ns, frame, agent.T_map_agent, known(covariance)
    )


def detections_message(target: Target, stamp_ns: int, frame: str) -> Any:
    """vision_msgs/Detection3DArray of one target; its box has no size where none is known."""
    at = pose(np.eye(3), target.position)
    box = messages().pose(at)
    found = ObjectHypothesisWithPose()
    found.hypothesis.class_id = target.label
    found.hypothesis.score = float(target.confidence)
    found.pose.pose = box
    found.pose.covariance = known(np.zeros((6, 6))).reshape(-1)
    detection = Detection3D(header=messages().header(stamp_ns, frame), results=[found])
    detection.id = target.label
    detection.bbox.center = box
    if target.size is not None:
        size = detection.bbox.size
        size.x, size.y, size.z = (float(edge) for edge in target.size)
    header = messages().header(stamp_ns, frame)
    return Detection3DArray(header=header, detections=[detection])
