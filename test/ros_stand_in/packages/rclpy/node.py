# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from rcl_interfaces.msg import Log

from rclpy import logging
from rclpy._arguments import RosArguments
from rclpy._entities import Entity
from rclpy._graph import GraphOfNode
from rclpy._names import check_node_name, expand, full_namespace
from rclpy._network import network
from rclpy._parameters import ParametersOfNode
from rclpy.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from rclpy.client import Client
from rclpy.clock import Clock, ROSClock
from rclpy.context import Context
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.exceptions import NotInitializedException
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.time_source import TimeSource
from rclpy.timer import Timer
from rclpy.utilities import get_default_context


class Node(ParametersOfNode, GraphOfNode):
    """A named owner of publishers, subscriptions, timers, services, clients and parameters."""

    def __init__(
        self,
        node_name: str,
        *,
        context: Context | None = None,
        cli_args: Sequence[str] | None = None,
        namespace: str | None = None,
        parameter_overrides: Sequence[Parameter] | None = None,
    ) -> None:
        self._context = context or get_default_context()
        if not self._context.ok():
            raise NotInitializedException('cannot create node')
        arguments = [RosArguments(cli_args or ()), self._context._arguments]
        check_node_name(node_name)
        self._remaps = [
            (source, to)
            for given in arguments
            for node, source, to in given.remaps
            if node in ('', node_name)
        ]
        fixed = dict(reversed(self._remaps))  # the first one said wins
        self._name = fixed.get('__node', fixed.get('__name', node_name))
        self._namespace = full_namespace(fixed.get('__ns', namespace or ''))
        check_node_name(self._name)

        self._entities: list[Entity] = []
        self._executor: Any = None
        self._default_callback_group = MutuallyExclusiveCallbackGroup()
        self._network = network(self._context.get_domain_id())
        self._clock = ROSClock()
        self._network.nodes.append(self)
        self._context.on_shutdown(self._leave_network)
        self._logger = logging.get_logger(self.get_fully_qualified_name()[1:].replace('/', '.'))
        self._open_rosout()
        overrides = {
            name: Parameter(name, value=value)
            for given in reversed(arguments)
            for name, value in given.parameters(self._name, self._namespace).items()
        }
        overrides |= {parameter.name: parameter for parameter in parameter_overrides or ()}
        self._init_parameters(overrides.values())
        self._time_source = TimeSource(self, self._clock)
        self._offer_parameters()

    def _open_rosout(self) -> None:
        qos = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        rosout = self.create_publisher(Log, '/rosout', qos)
        rosout._internal = True

        def publish(name: str, severity: int, message: str, frame: FrameType) -> None:
            if self._context.ok():
                rosout.publish(
                    Log(
                        stamp=Clock().now().to_msg(),
                        level=int(severity),
                        name=name,
                        msg=message,
                        file=frame.f_code.co_filename,
                        function=frame.f_code.co_name,
                        line=frame.f_lineno,
                    )
                )

        logging._outputs[self._logger.name] = publish

    @property
    def context(self) -> Context:
        return self._context

    @property
    def default_callback_group(self) -> CallbackGroup:
        return self._default_callback_group

    @property
    def executor(self) -> Any:
        return self._executor

    @executor.setter
    def executor(self, executor: Any) -> None:
        if executor is self._executor:
            return
        if self._executor is not None:
            self._executor.remove_node(self)
        self._executor = executor
        if executor is not None:
            executor.add_node(self)

    def _of(kind: type[Any]) -> property:  # noqa: N805
        return property(
            lambda self: (
                entity
                for entity in self._waitables()
                if isinstance(entity, kind) and not entity._internal
            )
        )

    publishers = _of(Publisher)
    subscriptions = _of(Subscription)
    timers = _of(Timer)
    services = _of(Service)
    clients = _of(Client)

    def _waitables(self) -> list[Entity]:
        return list(self._entities)

    def _wake(self) -> None:
        if self._executor is not None:
            self._executor.wake()

    def get_name(self) -> str:
        return self._name

    def get_namespace(self) -> str:
        return self._namespace

    def get_fully_qualified_name(self) -> str:
        return f'{self._namespace.rstrip("/")}/{self._name}'

    def get_clock(self) -> Clock:
        return self._clock

    def get_logger(self) -> logging.RcutilsLogger:
        return self._logger

    def resolve_topic_name(self, topic: str) -> str:
        return self._resolve(topic, is_service=False)

    def resolve_service_name(self, service: str) -> str:
        return self._resolve(service, is_service=True)

    def _resolve(self, name: str, *, is_service: bool) -> str:
        def full(name: str) -> str:
            return expand(name, self._name, self._namespace, is_service=is_service)

        for source, to in self._remaps:
            if not source.startswith('__') and full(source) == full(name):
                return full(to)
        return full(name)

    def create_publisher(
        self,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
    ) -> Publisher:
        name, qos = self.resolve_topic_name(topic), _profile(qos_profile)
        return Publisher(self, msg_type, name, qos, event_callbacks, callback_group)

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[[Any], Any],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        raw: bool = False,
    ) -> Subscription:
        return Subscription(
            callback,
            raw,
            self,
            msg_type,
            self.resolve_topic_name(topic),
            _profile(qos_profile),
            event_callbacks,
            callback_group,
        )

    def create_service(
        self,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        callback_group: CallbackGroup | None = None,
    ) -> Service:
        name = self.resolve_service_name(srv_name)
        return Service(self, srv_type, name, callback, callback_group)

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        return Client(self, srv_type, self.resolve_service_name(srv_name), callback_group)

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], Any],
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
    ) -> Timer:
        period_ns = int(float(timer_period_sec) * 1e9)
        return Timer(self, period_ns, callback, clock or self._clock, callback_group)

    def _destroy(self, entity: Entity) -> bool:
        known = entity in self._entities
        if known:
            entity.destroy()
        return known

    destroy_publisher = destroy_subscription = destroy_service = destroy_client = _destroy
    destroy_timer = _destroy

    def remove_waitable(self, waitable: Any) -> None:
        """Look no more at an action's server or client; it is there until it is destroyed."""
        self._entities = [part for part in self._entities if part not in waitable._parts]

    def destroy_node(self) -> None:
        if self._executor is not None:
            self._executor.remove_node(self)
            self._executor = None
        for entity in self._waitables():
            entity.destroy()
        self._leave_network()
        logging._outputs.pop(self._logger.name, None)

    def _leave_network(self) -> None:
        for member in (self, *self._waitables()):
            self._network.remove(member)


def _profile(qos_or_depth: QoSProfile | int) -> QoSProfile:
    if isinstance(qos_or_depth, QoSProfile):
        return qos_or_depth
    if isinstance(qos_or_depth, int):
        return QoSProfile(depth=qos_or_depth)
    raise TypeError(f'Expected QoSProfile or int, but received {type(qos_or_depth)!r}')
