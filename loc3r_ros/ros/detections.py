# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The detection of a grounded target, which needs vision_msgs."""

from __future__ import annotations

from typing import Any

import numpy as np

from loc3r_ros.answers.messages import known
from loc3r_ros.geometry import pose
from loc3r_ros.ros.conversion import messages
from loc3r_ros.types import Target

try:
    from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose
except ImportError:
    Detection3DArray = None


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
