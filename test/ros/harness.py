# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What node tests need around the node: a domain, threads that spin, topics, services, logs.

The same on the real rclpy and on the stand-in; on the real one other endpoints appear only after a
while, which is why everything here waits for what it needs.

    def test_pose_follows_image(ros):
        ros.spin(PoseEncoder())
        poses = ros.collect('/pose', PoseStamped)
        ros.publish('/image', image)
        ros.wait_for(lambda: poses)
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rclpy
from rcl_interfaces.msg import Log
from rclpy.action import ActionClient
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

TIMEOUT_S = 10.0
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass(frozen=True)
class LogRecord:
    """One line of a node's logger; `level` is 20 for info, 30 warning, 40 error."""

    level: int
    name: str
    text: str


@dataclass
class _Spinning:
    """A thread that spins an executor with its nodes."""

    executor: Executor
    nodes: list[Any]
    errors: list[BaseException]
    is_over: bool = False

    def __post_init__(self) -> None:
        for node in self.nodes:
            self.executor.add_node(node)
        self._thread = threading.Thread(target=self._run, name='spin', daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.executor.spin()
        except ExternalShutdownException:
            pass
        except BaseException as error:
            if not self.is_over:  # else it is only rclpy, losing its handles under its feet
                self.errors.append(error)

    def stop(self) -> None:
        self.is_over = True
        self.executor.shutdown()
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive(), f'a callback of {self.nodes} does not return'
        for node in self.nodes:
            node.destroy_node()


class Ros:
    """The ROS side of one test. `node` is the test's own node, spinning in a thread."""

    def __init__(self, domain_id: int) -> None:
        rclpy.init(args=[], domain_id=domain_id, signal_handler_options=SignalHandlerOptions.NO)
        self.logs: list[LogRecord] = []
        self._spinning: list[_Spinning] = []
        self._errors: list[BaseException] = []
        self._publishers: dict[str, Any] = {}
        self.node = Node('test')
        rosout = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(Log, '/rosout', self._on_log, rosout)
        self.spin(self.node)

    def _on_log(self, message: Any) -> None:
        self.logs.append(LogRecord(int(message.level), message.name, message.msg))

    def logged(self, text: str, level: int = 0) -> list[LogRecord]:
        """The records so far that contain `text`, of `level` or above."""
        return [log for log in list(self.logs) if text in log.text and log.level >= level]

    def spin(self, *nodes: Any, executor: Executor | None = None) -> Executor:
        """Spin nodes in a thread until the test ends; what a callback raises fails the test."""
        executor = executor or SingleThreadedExecutor()
        self._spinning.append(_Spinning(executor, list(nodes), self._errors))
        return executor

    def stop(self, node: Any) -> None:
        """End the thread that spins `node`, and destroy its nodes."""
        for spinning in [spinning for spinning in self._spinning if node in spinning.nodes]:
            self._spinning.remove(spinning)
            spinning.stop()

    def close(self) -> None:
        """End everything; raise what a callback raised."""
        while self._spinning:
            self._spinning.pop().stop()
        # A lifecycle node refers to itself, and until it is collected its name in rcl's table of
        # loggers swallows what the next node of that name logs to /rosout.
        gc.collect()
        rclpy.try_shutdown()
        if self._errors:
            raise self._errors[0]

    def wait_for(
        self, condition: Callable[[], Any], timeout_s: float = TIMEOUT_S, what: str = ''
    ) -> Any:
        """Wait until `condition` gives something true, and return that."""
        end = time.monotonic() + timeout_s
        while not (found := condition()):
            if self._errors:
                raise self._errors.pop(0)
            if time.monotonic() > end:
                said = '\n'.join(f'  {log.name}: {log.text}' for log in self.logs[-10:])
                raise TimeoutError(f'not within {timeout_s} s: {what}\nlast of the logs:\n{said}')
            time.sleep(0.005)
        return found

    def publisher(self, topic: str, msg_type: Any, qos: QoSProfile | int = 10) -> Any:
        """A publisher of the test's node; the same one for the same topic."""
        if topic not in self._publishers:
            self._publishers[topic] = self.node.create_publisher(msg_type, topic, qos)
        return self._publishers[topic]

    def publish(
        self, topic: str, message: Any, qos: QoSProfile | int = 10, *, subscribers: int = 1
    ) -> None:
        """Publish once so many subscribers are there."""
        publisher = self.publisher(topic, type(message), qos)
        self.wait_for(
            lambda: publisher.get_subscription_count() >= subscribers,
            what=f'{subscribers} subscribers of {topic}',
        )
        publisher.publish(message)

    def collect(
        self, topic: str, msg_type: Any, qos: QoSProfile | int = 10, *, publishers: int = 0
    ) -> list[Any]:
        """A list that grows by what is published; waits for so many publishers."""
        messages: list[Any] = []
        self.node.create_subscription(msg_type, topic, messages.append, qos)
        self.wait_for(
            lambda: self.node.count_publishers(topic) >= publishers,
            what=f'{publishers} publishers of {topic}',
        )
        return messages

    def call(self, name: str, srv_type: Any, request: Any = None) -> Any:
        """The response of a service."""
        client = self.node.create_client(srv_type, name)
        try:
            assert client.wait_for_service(TIMEOUT_S), f'no service {name}'
            return self.result(
                client.call_async(request or srv_type.Request()), f'answer of {name}'
            )
        finally:
            self.node.destroy_client(client)

    def result(self, future: Any, what: str = 'the future') -> Any:
        """Wait for a future."""
        self.wait_for(future.done, what=what)
        return future.result()

    def send_goal(
        self, name: str, action_type: Any, goal: Any, feedback: Callable[[Any], Any] | None = None
    ) -> Any:
        """Send a goal to an action; returns the goal's handle, `accepted` or not."""
        client = ActionClient(self.node, action_type, name)
        assert client.wait_for_server(TIMEOUT_S), f'no action {name}'
        on_feedback = feedback and (lambda message: feedback(message.feedback))
        return self.result(client.send_goal_async(goal, on_feedback), f'{name} takes the goal')

    def set_time(self, stamp_ns: int, *, subscribers: int = 1) -> None:
        """Publish /clock."""
        message = Clock(clock=Time(nanoseconds=stamp_ns).to_msg())
        self.publish('/clock', message, subscribers=subscribers)

    def command(self, module: str, *arguments: str) -> list[str]:
        """Command line that runs a Python module in a process of its own, on the same ROS."""
        stand_in = (
            ['-m', 'ros_stand_in', module] if 'ros_stand_in' in sys.modules else ['-m', module]
        )
        return [sys.executable, *stand_in, *arguments]
