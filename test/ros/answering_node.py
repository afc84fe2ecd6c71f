# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A `spatial_vlm` under test: how it is started, shown images, and asked."""

from __future__ import annotations

import numpy as np
from action_msgs.msg import GoalStatus
from loc3r_ros.action import Query
from loc3r_ros.srv import Ask
from rclpy.executors import MultiThreadedExecutor
from rclpy.parameter import Parameter
from ros.harness import LATCHED
from scripted_engine import ScriptedEngine, step_at

from loc3r_ros.geometry import rotation_from_quaternion
from loc3r_ros.ros.bus import Posed
from loc3r_ros.ros.conversion import messages
from loc3r_ros.ros.spatial_vlm import SpatialVlmNode

TEXT = 'The red chair is behind you.'
SUCCEEDED, CANCELED, ABORTED = (
    GoalStatus.STATUS_SUCCEEDED,
    GoalStatus.STATUS_CANCELED,
    GoalStatus.STATUS_ABORTED,
)


def ask(ros, question='where is the red chair?', situation=''):
    return ros.call('/loc3r/ask', Ask, Ask.Request(question=question, situation=situation))


def query(ros, question='where is the red chair?', feedback=None, **fields):
    goal = Query.Goal(question=question, **fields)
    handle = ros.send_goal('/loc3r/query', Query, goal, feedback)
    assert handle.accepted
    return handle


def result(ros, handle):
    answer = ros.result(handle.get_result_async(), 'the result of the query')
    return answer.status, answer.result


def position(pose):
    return np.array([pose.position.x, pose.position.y, pose.position.z])


def yaw_of(pose):
    q = pose.orientation
    R = rotation_from_quaternion((q.x, q.y, q.z, q.w))
    return np.arctan2(R[1, 0], R[0, 0])


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def posed(stamp_ns=5_000_000_000, **how) -> Posed:
    """One processed image; `how` is of `step_at`."""
    return Posed(stamp_ns, 'camera_optical', step_at(stamp_ns, **how))


def publish_map(ros, grid, stamp_ns=5_000_000_000):
    """Publish a map on /loc3r/bev, latched."""
    ros.publish('/loc3r/bev', messages().occupancy_grid(stamp_ns, 'map', grid), LATCHED)


def start(ros, engine=None, *, seen=True, composed=True, parameters=None, **options):
    """The node, spinning, with its first keyframe unless `seen` is False; and its engine."""
    engine = engine or ScriptedEngine()
    overrides = [Parameter(name, value=value) for name, value in (parameters or {}).items()]
    options.setdefault('make_engine', lambda _node: engine)
    node = SpatialVlmNode(
        namespace='/loc3r', composed=composed, parameter_overrides=overrides, **options
    )
    assert node.start(), node.refusal
    ros.spin(node, executor=MultiThreadedExecutor(num_threads=node.threads))
    if seen:
        node.take(posed())
        ros.wait_for(lambda: node.status()[0].values['keyframes'] == 1)
    return node, engine
