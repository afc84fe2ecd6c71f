# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Actions: long work with feedback, that can be cancelled.

As in ROS, an action consists of services (send_goal, cancel_goal, get_result) and topics (feedback,
status) below its name.
"""

from rclpy.action.client import ActionClient
from rclpy.action.server import ActionServer, CancelResponse, GoalResponse

__all__ = ['ActionClient', 'ActionServer', 'CancelResponse', 'GoalResponse']
