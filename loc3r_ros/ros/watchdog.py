# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Says why nothing happens: which input is silent, who publishes it, and what to do.

One message a silence. The advice is made of what the ROS graph says at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from loc3r_ros.ros.qos import describe, is_compatible, node_name

SILENCE_S = 5.0
"""Wall time without data after which the watchdog speaks."""

_JOIN_S = 1.0
"""Time between two checks; inputs that fall due before the next are told of with the others."""

_SUGGESTIONS = 4


@dataclass
class _Watched:
    explain: Callable[[], str]
    is_condition: bool
    last: float
    has_come: bool = False
    is_told: bool = False


class Watchdog:
    """Watches the inputs of a `Stage`; make it in `activate`.

    Args:
        stage: whose log it writes to; its timer is owned by the transition.
        clock: wall time, s.
    """

    def __init__(self, stage: Any, clock: Callable[[], float] = monotonic) -> None:
        self._stage = stage
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._lock = Lock()
        self._ros_time = stage.clock.now().nanoseconds
        stage.every(_JOIN_S, self.check)

    def watch(
        self,
        name: str,
        subscriptions: Sequence[Any],
        *,
        required: bool = True,
        parameter: str = '',
        hint: str = '',
    ) -> None:
        """Watch a topic; call `fed` with each of its messages.

        Args:
            name: the topic as the node names it, before remapping (`image`).
            subscriptions: of which any one suffices, such as raw and compressed.
            required: an optional input is only spoken of where someone publishes it, and once it
                has stopped.
            parameter: that sets its quality of service (`image_qos`).
            hint: what else may help; a clause in lower case.
        """

        def explain() -> str:
            is_expected = required or watched.has_come
            text = explain_silence(self._stage, name, subscriptions, is_expected, parameter)
            return f'{text}; {hint}' if text and hint else text

        watched = self._watched[name] = _Watched(explain, False, self._clock())

    def expect(self, name: str, missing: Callable[[], str]) -> None:
        """Watch a condition.

        Args:
            name: what is waited for (`transform`).
            missing: what is missing, in one line; empty while all is well. It is called every
                second by the executor.
        """
        self._watched[name] = _Watched(missing, True, self._clock())

    def fed(self, name: str) -> None:
        """Data came, or a condition is met; from any thread."""
        with self._lock:
            watched, now = self._watched[name], self._clock()
            silence, was_told = now - watched.last, watched.is_told
            watched.last, watched.has_come, watched.is_told = now, True, False
        if was_told:
            self._stage.get_logger().info(f'{name} is back after {silence:.0f} s')

    def check(self) -> None:
        """Speak of what has newly fallen silent."""
        for name, watched in self._watched.items():
            if watched.is_condition and not watched.explain():
                self.fed(name)
        silences = [
            (self._clock() - watched.last, watched, text)
            for watched in self._watched.values()
            if not watched.is_told
            and self._clock() - watched.last >= SILENCE_S - _JOIN_S
            and (text := watched.explain())
        ]
        clock = self._explain_clock()  # every second: it looks whether the time goes on
        if max((silence for silence, _, _ in silences), default=0.0) < SILENCE_S:
            return
        for _, watched, _ in silences:
            watched.is_told = True
        texts = [text for _, _, text in silences] + ([clock] if clock else [])
        listed = ''.join(f'\n  - {text}' for text in texts)
        self._stage.get_logger().warning(f'still waiting after {SILENCE_S:g} s:{listed}')

    def _explain_clock(self) -> str:
        """What is wrong with simulated time."""
        before, self._ros_time = self._ros_time, self._stage.clock.now().nanoseconds
        uses_clock = self._stage.clock.ros_time_is_active
        has_clock = bool(self._stage.get_publishers_info_by_topic('/clock'))
        if uses_clock and not has_clock:
            return (
                'use_sim_time is true and nobody publishes /clock: play the recording with '
                '--clock, or on a real robot set use_sim_time:=false'
            )
        if uses_clock and self._ros_time == before:
            return '/clock stands still: is the recording or the simulation paused?'
        if has_clock and not uses_clock:
            return '/clock is published, but use_sim_time is false: set use_sim_time:=true'
        return ''


def explain_silence(
    node: Any, name: str, subscriptions: Sequence[Any], is_expected: bool, parameter: str
) -> str:
    """Why no message came on an input, and what mends it; empty where none was to be expected.

    Args:
        node: that subscribes.
        name: the topic as the node names it.
        subscriptions: of which any one suffices.
        is_expected: whether the absence of publishers is worth a word.
        parameter: that sets the quality of service.
    """
    offers = [
        _explain_publisher(offer, subscription, parameter)
        for subscription in subscriptions
        for offer in node.get_publishers_info_by_topic(subscription.topic_name)
    ]
    first = subscriptions[0]
    if offers:
        count = f'{len(offers)} publisher{"s" if len(offers) > 1 else ""}'
        return f'{first.topic_name}: {count}: {"; ".join(offers)}'
    if not is_expected:
        return ''
    found = _topics_of_kind(node, [_kind(s.msg_type) for s in subscriptions])
    there = f'published now: {", ".join(found)}' if found else 'no topic of this type is published'
    return (
        f'{first.topic_name} ({_kind(first.msg_type)}): no publisher; '
        f'remap {name}:=/your/topic ({there})'
    )


def _explain_publisher(offer: Any, subscription: Any, parameter: str) -> str:
    who = f'{node_name(offer)} ({describe(offer.qos_profile)})'
    kind = _kind(subscription.msg_type)
    if offer.topic_type != kind:
        return f'{who} sends {offer.topic_type}, but {kind} is expected: remap the right topic'
    if not is_compatible(offer.qos_profile, subscription.qos_profile):
        remedy = f': set {parameter}:=sensor_data' if parameter else ''
        return f'{who} is not compatible, we asked {describe(subscription.qos_profile)}{remedy}'
    return f'{who} sends nothing: is the driver streaming, or the recording paused?'


def _topics_of_kind(node: Any, kinds: Sequence[str]) -> list[str]:
    """Names of published topics of these types."""
    found = [
        topic
        for topic, types in node.get_topic_names_and_types()
        if set(types) & set(kinds)
        and any(o.topic_type in kinds for o in node.get_publishers_info_by_topic(topic))
    ]
    return [*found[:_SUGGESTIONS], *(['...'] if len(found) > _SUGGESTIONS else [])]


def _kind(message_class: type) -> str:
    """`sensor_msgs/msg/Image` of a message class."""
    package = message_class.__module__.split('.')[0]
    return f'{package}/msg/{message_class.__name__}'
