# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a middleware does, inside one process: who is connected to whom, and bytes on their way.

One network for each domain id. All endpoints of a process are known to each other at once.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any

from rclpy.qos import QoSPolicyKind, _mismatch

if TYPE_CHECKING:
    from rclpy.publisher import Publisher
    from rclpy.service import Service
    from rclpy.subscription import Subscription


class Network:
    """All nodes of one domain, with what they publish, subscribe to and answer."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.nodes: list[Any] = []
        self.publishers: list[Publisher] = []
        self.subscriptions: list[Subscription] = []
        self.services: list[Service] = []
        self._latched: dict[Publisher, deque[bytes]] = {}

    def subscriptions_of(self, publisher: Publisher) -> list[Subscription]:
        """Who gets what `publisher` sends."""
        with self.lock:
            return [sub for sub in self.subscriptions if _connected(publisher, sub)]

    def publishers_to(self, subscription: Subscription) -> list[Publisher]:
        """Who sends to `subscription`."""
        with self.lock:
            return [pub for pub in self.publishers if _connected(pub, subscription)]

    def add_publisher(self, publisher: Publisher) -> None:
        with self.lock:
            self.publishers.append(publisher)
            if publisher.qos_profile._latched:
                self._latched[publisher] = deque(maxlen=publisher.qos_profile._queue_length)
            for subscription in self.subscriptions:
                _meet(publisher, subscription)

    def add_subscription(self, subscription: Subscription) -> None:
        with self.lock:
            self.subscriptions.append(subscription)
            for publisher in self.publishers:
                _meet(publisher, subscription)
            if subscription.qos_profile._latched:
                for publisher in self.publishers_to(subscription):
                    for cdr in self._latched[publisher]:
                        subscription._put(cdr)

    def remove(self, member: Any) -> None:
        """Forget a node, publisher, subscription or service."""
        with self.lock:
            for members in (self.nodes, self.publishers, self.subscriptions, self.services):
                if member in members:
                    members.remove(member)
            self._latched.pop(member, None)

    def send(self, publisher: Publisher, cdr: bytes) -> None:
        with self.lock:
            if publisher in self._latched:
                self._latched[publisher].append(cdr)
            for subscription in self.subscriptions_of(publisher):
                subscription._put(cdr)

    def service(self, name: str, type_name: str) -> Service | None:
        """Who answers a service, if anyone."""
        with self.lock:
            found = (s for s in self.services if (s.srv_name, s._type_name) == (name, type_name))
            return next(found, None)


def _same_topic(publisher: Publisher, subscription: Subscription) -> bool:
    return (publisher.topic_name, publisher._type_name) == (
        subscription.topic_name,
        subscription._type_name,
    )


def _connected(publisher: Publisher, subscription: Subscription) -> bool:
    return (
        _same_topic(publisher, subscription)
        and _mismatch(publisher.qos_profile, subscription.qos_profile) is None
    )


def _meet(publisher: Publisher, subscription: Subscription) -> None:
    """Tell both when they are of one topic and do not match."""
    policy: QoSPolicyKind | None = _mismatch(publisher.qos_profile, subscription.qos_profile)
    if _same_topic(publisher, subscription) and policy is not None:
        publisher._on_mismatch(policy)
        subscription._on_mismatch(policy)


@cache
def network(domain_id: int) -> Network:
    """The network of a domain."""
    return Network()
