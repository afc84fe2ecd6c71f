# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Publishers."""

from __future__ import annotations

from typing import Any

from ros_stand_in.messages import to_cdr

from rclpy._endpoint import Endpoint


class Publisher(Endpoint):
    """Sends messages of one type."""

    _WARNING = 'New subscription discovered'

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._node._network.add_publisher(self)

    def publish(self, msg: Any) -> None:
        """Send a message, or the bytes of one."""
        if isinstance(msg, self.msg_type):
            msg = to_cdr(msg)
        elif not isinstance(msg, bytes):
            raise TypeError(f'Expected {self.msg_type}, got {type(msg)}')
        if self._destroyed or not self._node.context.ok():
            raise RuntimeError('Failed to publish: publisher or context is invalid')
        self._node._network.send(self, msg)

    def get_subscription_count(self) -> int:
        return len(self._node._network.subscriptions_of(self))
