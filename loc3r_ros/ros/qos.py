# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Quality of service: three profiles, and inputs that adapt to what is offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

try:
    from rclpy.event_handler import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )
except ImportError:  # Humble
    from rclpy.qos_event import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )

CHOICES = ('auto', 'sensor_data', 'reliable')
"""Of the parameters that end in `_qos`."""

_DISCOVERY_S = 0.3


def sensor_data(depth: int = 5) -> QoSProfile:
    """Best effort: what any publisher can serve."""
    return _profile(ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE, depth)


def reliable(depth: int = 5) -> QoSProfile:
    """Nothing is lost in between; what any subscriber can take."""
    return _profile(ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE, depth)


def latched(depth: int = 1) -> QoSProfile:
    """Reliable, and who joins late still gets the last message."""
    return _profile(ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL, depth)


def _profile(
    reliability: ReliabilityPolicy, durability: DurabilityPolicy, depth: int
) -> QoSProfile:
    return QoSProfile(
        reliability=reliability,
        durability=durability,
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
    )


def no_events() -> PublisherEventCallbacks:
    """For a publisher that reports nothing: who does not match says so at the other end.

    The executor walks through all that may happen at each message that it takes; the events that
    rclpy adds to every publisher are half of it.
    """
    return PublisherEventCallbacks(use_default_callbacks=False)


def input_profile(node: Any, topic: str, choice: str, depth: int = 5) -> QoSProfile:
    """The profile of an input.

    Args:
        node: that will subscribe.
        topic: as the node names it, before remapping.
        choice: one of `CHOICES`. `auto` is reliable where every publisher is and at least one is
            there; else best effort, which always matches.
        depth: messages that wait while the executor is busy.
    """
    if choice == 'auto':
        offers = publishers(node, topic)
        every = all(o.qos_profile.reliability == ReliabilityPolicy.RELIABLE for o in offers)
        choice = 'reliable' if offers and every else 'sensor_data'
    return reliable(depth) if choice == 'reliable' else sensor_data(depth)


def subscribe_input(
    stage: Any,
    kind: type,
    topic: str,
    callback: Callable[[Any], None],
    parameter: str,
    depth: int = 5,
    **options: Any,
) -> Any:
    """An owned subscription of a `Stage` to a sensor; says when a publisher does not match.

    Args:
        stage: that subscribes.
        kind: the message class.
        topic: relative name.
        callback: called with each message.
        parameter: name of the parameter that holds one of `CHOICES`.
        depth: messages that wait while the executor is busy.
        options: of `create_subscription`.
    """
    profile = input_profile(stage, topic, stage.settings[parameter], depth)

    def tell(_event: Any) -> None:
        def say() -> None:
            stage.destroy_timer(timer)
            name, offers = stage.resolve_topic_name(topic), publishers(stage, topic)
            stage.get_logger().warning(mismatch(name, offers, profile, parameter))

        # The graph learns who a publisher is a moment after the middleware has refused it.
        timer = stage.every(_DISCOVERY_S, say)

    events = SubscriptionEventCallbacks(incompatible_qos=tell, use_default_callbacks=False)
    try:
        return stage.subscribe(kind, topic, callback, profile, event_callbacks=events, **options)
    except UnsupportedEventTypeError:  # a middleware that does not report mismatches
        return stage.subscribe(kind, topic, callback, profile, **options)


def mismatch(topic: str, offers: list[Any], asked: QoSProfile, parameter: str) -> str:
    """What to say of publishers whose messages a subscription will never get."""
    refused = [o for o in offers if not is_compatible(o.qos_profile, asked)]
    named = ', '.join(f'{node_name(o)} offers {describe(o.qos_profile)}' for o in refused)
    return (
        f'{topic}: {named or "a publisher offers less"}, we asked {describe(asked)}: '
        f'nothing of it arrives; set {parameter}:=sensor_data'
    )


def publishers(node: Any, topic: str) -> list[Any]:
    """Endpoint infos of the publishers of a topic, by its name before remapping."""
    return list(node.get_publishers_info_by_topic(node.resolve_topic_name(topic)))


def is_compatible(offered: QoSProfile, asked: QoSProfile) -> bool:
    """Whether messages flow; only reliability and durability are looked at, as we ask no more."""
    return not (
        _asks_more(asked.reliability, offered.reliability, ReliabilityPolicy.RELIABLE)
        or _asks_more(asked.durability, offered.durability, DurabilityPolicy.TRANSIENT_LOCAL)
    )


def _asks_more(asked: Any, offered: Any, stronger: Any) -> bool:
    return asked == stronger and offered != stronger


def describe(profile: QoSProfile) -> str:
    """`best effort, volatile`."""
    policies = (profile.reliability.name, profile.durability.name)
    return ', '.join(name.lower().replace('_', ' ') for name in policies)


def node_name(endpoint: Any) -> str:
    """Full name of the node behind an endpoint."""
    return f'{endpoint.node_namespace.rstrip("/")}/{endpoint.node_name}'
