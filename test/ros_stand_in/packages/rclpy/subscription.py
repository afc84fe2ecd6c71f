# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ros_stand_in.messages import from_cdr

from rclpy._endpoint import Endpoint
from rclpy._entities import run


class Subscription(Endpoint):
    """Receives messages of one type, or their bytes (`raw`)."""

    _WARNING = 'New publisher discovered'

    def __init__(self, callback: Callable[[Any], Any], raw: bool, *args: Any) -> None:
        self.callback = callback
        self.raw = raw
        super().__init__(*args)
        self._node._network.add_subscription(self)

    def _handle(self, cdr: bytes) -> None:
        run(self.callback, cdr if self.raw else from_cdr(cdr, self.msg_type))
