# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What publishers and subscriptions have in common."""

from __future__ import annotations

from typing import Any

from ros_stand_in.messages import type_name

from rclpy._entities import Queue
from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.qos import QoSPolicyKind, QoSProfile


class Endpoint(Queue):
    """One end of a topic, with its callback for ends that do not match."""

    _WARNING: str

    def __init__(
        self,
        node: Any,
        msg_type: Any,
        topic_name: str,
        qos_profile: QoSProfile,
        event_callbacks: SubscriptionEventCallbacks | None,
        callback_group: CallbackGroup | None,
    ) -> None:
        self.msg_type = msg_type
        self.topic_name = self.topic = topic_name
        self.qos_profile = qos_profile
        self._type_name = type_name(msg_type)
        self._event_callbacks = event_callbacks or SubscriptionEventCallbacks()
        self._mismatches = 0
        super().__init__(node, callback_group, qos_profile._queue_length)

    def _on_mismatch(self, policy: QoSPolicyKind) -> None:
        self._mismatches += 1
        info = QoSRequestedIncompatibleQoSInfo(self._mismatches, 1, policy)
        callback = self._event_callbacks.incompatible_qos
        if callback is not None:
            self._put_event(lambda: callback(info))
        elif self._event_callbacks.use_default_callbacks:
            self._put_event(lambda: self._warn(policy))

    def _warn(self, policy: QoSPolicyKind) -> None:
        self._node.get_logger().warning(
            f"{self._WARNING} on topic '{self.topic_name}' with incompatible QoS. "
            f'Last incompatible policy: {policy.name}'
        )
