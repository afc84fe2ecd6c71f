"""Fills a buffer from /tf and /tf_static."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

from tf2_ros.buffer import Buffer


class TransformListener:
    """Two subscriptions of a node; a thread of its own (`spin_thread`) is refused."""

    def __init__(
        self,
        buffer: Buffer,
        node: Any,
        *,
        spin_thread: bool = False,
        qos: QoSProfile | int | None = None,
        static_qos: QoSProfile | int | None = None,
    ) -> None:
        if spin_thread:
            raise NotImplementedError('its thread keeps a process from ending; spin the node')
        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        group = ReentrantCallbackGroup()
        self.buffer = buffer
        self.node = node
        self.tf_sub = node.create_subscription(
            TFMessage, '/tf', self._on_tf, qos or QoSProfile(depth=100), callback_group=group
        )
        self.tf_static_sub = node.create_subscription(
            TFMessage, '/tf_static', self._on_tf_static, static_qos or latched, callback_group=group
        )

    def unregister(self) -> None:
        self.node.destroy_subscription(self.tf_sub)
        self.node.destroy_subscription(self.tf_static_sub)

    def _on_tf(self, message: Any) -> None:
        for transform in message.transforms:
            self.buffer.set_transform(transform, 'default_authority')

    def _on_tf_static(self, message: Any) -> None:
        for transform in message.transforms:
            self.buffer.set_transform_static(transform, 'default_authority')
