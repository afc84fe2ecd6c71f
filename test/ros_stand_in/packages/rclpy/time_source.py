# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Sets the clock of a node by /clock while the parameter `use_sim_time` is true."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rosgraph_msgs.msg import Clock as ClockMsg

from rclpy.clock import ROSClock
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time


class TimeSource:
    """Of one node."""

    def __init__(self, node: Any, clock: ROSClock) -> None:
        self._node = node
        self._clock = clock
        self._subscription: Any = None
        if not node.has_parameter('use_sim_time'):
            node.declare_parameter('use_sim_time', False)
        self._use_sim_time(node.get_parameter('use_sim_time').value)
        node.add_on_set_parameters_callback(self._on_parameters)

    def _on_parameters(self, parameters: list[Parameter]) -> Any:
        for parameter in parameters:
            if parameter.name == 'use_sim_time':
                self._use_sim_time(parameter.value)
        return SetParametersResult(successful=True)

    def _use_sim_time(self, enabled: bool) -> None:
        self._clock._set_ros_time_is_active(enabled)
        if enabled and self._subscription is None:
            qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            self._subscription = self._node.create_subscription(
                ClockMsg, '/clock', self._on_clock, qos
            )
        elif not enabled and self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _on_clock(self, message: Any) -> None:
        self._clock.set_ros_time_override(Time.from_msg(message.clock))
