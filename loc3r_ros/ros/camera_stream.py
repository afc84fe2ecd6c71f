# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""One stream of images, raw or compressed, subscribed as it is offered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from sensor_msgs.msg import CompressedImage, Image

from loc3r_ros.ros import qos
from loc3r_ros.ros.conversion import stamp_ns

TRANSPORTS = ('auto', 'raw', 'compressed')
"""Values of the parameter `image_transport`."""

_SUFFIXES = ('/compressed', '/compressedDepth')

ADAPT_EVERY_S = 0.25
_SILENT_S = 1.0
_RECENT = 20

_QUEUED = 10
"""Messages that wait while the executor is busy; the worker's mailbox drops what is too old."""


class CameraStream:
    """Subscribes to a topic, and subscribes anew when other publishers offer something else.

    With `auto`, compressed images are taken where nobody publishes raw ones. A compressed stream
    has the topic of the raw one, as it is remapped, with a suffix (image_transport); or it is the
    topic itself, where that has the suffix or compressed images.

    Args:
        stage: that subscribes; its timer looks for publishers until they are known, and again
            whenever they are silent.
        name: of the topic, before remapping.
        suffix: of the compressed stream, `/compressed` or `/compressedDepth`.
        transport: one of `TRANSPORTS`.
        parameter: name of the parameter that holds the quality of service.
        callback: called with each message.

    Attributes:
        topic: after remapping.
        subscriptions: the one there is; always the same list.
    """

    def __init__(
        self,
        stage: Any,
        name: str,
        suffix: str,
        transport: str,
        parameter: str,
        callback: Callable[[Any], None],
    ) -> None:
        self.topic: str = stage.resolve_topic_name(name)
        self.subscriptions: list[Any] = []
        self._stage = stage
        self._suffix = suffix
        self._transport = transport
        self._parameter = parameter
        self._callback = callback
        self._is_settled = False
        self._last = -_SILENT_S
        self._replaced: list[Any] = []
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._subscribe(*self._wanted())
        stage.every(ADAPT_EVERY_S, self.adapt)

    def adapt(self) -> None:
        """Subscribe anew where the publishers that are there now ask for it.

        What is replaced stays until the next time, so that nothing is lost in between.
        """
        while self._replaced:
            self._stage.destroy_subscription(self._replaced.pop())
        if self._is_settled and monotonic() - self._last < _SILENT_S:
            return
        topic, kind = self._wanted()
        choice = self._stage.settings[self._parameter]
        profile = qos.input_profile(self._stage, topic, choice)
        now = self.subscriptions[0]
        is_other = (now.topic_name, now.msg_type) != (topic, kind)
        if is_other or profile.reliability != now.qos_profile.reliability:
            self._replaced.append(now)
            self._recent.clear()
            self._subscribe(topic, kind)
        self._is_settled = bool(qos.publishers(self._stage, topic))

    def _wanted(self) -> tuple[str, type]:
        """Topic and type, by what is asked for and offered."""
        offers = qos.publishers(self._stage, self.topic)
        is_compressed = self.topic.endswith(_SUFFIXES) or any(
            offer.topic_type == 'sensor_msgs/msg/CompressedImage' for offer in offers
        )
        if is_compressed:
            return self.topic, CompressedImage
        compressed = self.topic + self._suffix
        is_only = not offers and bool(qos.publishers(self._stage, compressed))
        if self._transport == 'compressed' or (self._transport == 'auto' and is_only):
            return compressed, CompressedImage
        return self.topic, Image

    def _subscribe(self, topic: str, kind: type) -> None:
        self.subscriptions[:] = [
            qos.subscribe_input(self._stage, kind, topic, self._receive, self._parameter, _QUEUED)
        ]

    def _receive(self, message: Any) -> None:
        self._last = monotonic()
        stamp = stamp_ns(message)
        if self._replaced and stamp in self._recent:
            return
        self._recent.append(stamp)
        self._callback(message)
