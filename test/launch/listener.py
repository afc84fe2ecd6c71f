# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A node that hears all that a bringup says, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from time import monotonic, sleep
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry, Path
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)

TOPICS = {
    '/loc3r/pose': PoseWithCovarianceStamped,
    '/loc3r/odometry': Odometry,
    '/loc3r/path': Path,
    '/tf': TFMessage,
    '/diagnostics': DiagnosticArray,
}


class Listener:
    """Listens from when it is made until `close`.

    Attributes:
        heard: messages by topic, in the order of receipt.
    """

    def __init__(self) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = Node('listener', context=self._context)
        self.heard: dict[str, list[Any]] = {topic: [] for topic in TOPICS}
        for topic, kind in TOPICS.items():
            self._node.create_subscription(kind, topic, self.heard[topic].append, 100)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def wait_for(self, topic: str, count: int, timeout_s: float = 30.0) -> list[Any]:
        """The first messages of a topic, so many; fewer after the time is up."""
        end = monotonic() + timeout_s
        while len(self.heard[topic]) < count and monotonic() < end:
            sleep(0.05)
        return self.heard[topic]

    def latched(
        self, topic: str, kind: type, is_wanted: Callable[[Any], bool] = lambda message: True
    ) -> Any:
        """What a topic tells one who joins now, or later what is wanted of it."""
        late: list[Any] = []
        subscription = self._node.create_subscription(kind, topic, late.append, LATCHED)
        end = monotonic() + 30.0
        while not (late and is_wanted(late[-1])) and monotonic() < end:
            sleep(0.05)
        self._node.destroy_subscription(subscription)
        assert late, f'{topic} tells nothing to who joins late'
        assert is_wanted(late[-1]), f'{topic} never says what is wanted; last: {late[-1].header}'
        return late[-1]

    def call(self, name: str, kind: type, request: Any) -> Any:
        """The answer of a service."""
        client = self._node.create_client(kind, name)
        assert client.wait_for_service(10.0), f'no service {name}'
        future = client.call_async(request)
        end = monotonic() + 10.0
        while not future.done() and monotonic() < end:
            sleep(0.02)
        return future.result()

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._thread.join()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)
