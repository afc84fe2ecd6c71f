# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Callbacks for what happens to a publisher or subscription besides messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.qos import QoSPolicyKind


class UnsupportedEventTypeError(Exception):
    """The middleware has no such event; the stand-in never raises it."""


@dataclass
class QoSRequestedIncompatibleQoSInfo:
    """How many endpoints do not match, and in what."""

    total_count: int
    total_count_change: int
    last_policy_kind: QoSPolicyKind


class SubscriptionEventCallbacks:
    """Callbacks of a subscription; by default what is incompatible is logged as a warning."""

    def __init__(
        self,
        *,
        incompatible_qos: Callable[[QoSRequestedIncompatibleQoSInfo], Any] | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        self.incompatible_qos = incompatible_qos
        self.use_default_callbacks = use_default_callbacks


class PublisherEventCallbacks(SubscriptionEventCallbacks):
    """The same of a publisher."""
