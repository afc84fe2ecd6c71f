# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What executors wait for: the base of subscriptions, timers, services and clients."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup

Work = Callable[[], Any]


def run(callback: Callable[..., Any], *args: Any) -> Any:
    """Call a plain function; what only the real rclpy can run is refused aloud."""
    result = callback(*args)
    if inspect.iscoroutine(result):
        result.close()
        raise NotImplementedError('the stand-in runs no coroutines as callbacks')
    return result


class Entity:
    """Something of a node that may have work for an executor."""

    _internal = False  # below rclpy in the real one: not among node.publishers and the like

    def __init__(self, node: Any, callback_group: CallbackGroup | None) -> None:
        self._node = node
        self.callback_group = callback_group or node.default_callback_group
        self._destroyed = False
        node._entities.append(self)

    def _take(self) -> Work | None:
        """The next piece of work, or None."""
        raise NotImplementedError

    def _due_in(self) -> float | None:
        """Seconds until there will be work, where that can be known."""
        return None

    def destroy(self) -> None:
        """No more work; a second time is without effect."""
        self._destroyed = True
        self._node._network.remove(self)
        if self in self._node._entities:
            self._node._entities.remove(self)


class Queue(Entity):
    """An entity whose work waits in a queue: items from the network, and events."""

    def __init__(
        self, node: Any, callback_group: CallbackGroup | None, length: int | None = None
    ) -> None:
        self._items: deque[Any] = deque(maxlen=length)
        self._events: deque[Work] = deque()
        super().__init__(node, callback_group)

    def _put(self, item: Any) -> None:
        self._items.append(item)
        self._node._wake()

    def _put_event(self, work: Work) -> None:
        self._events.append(work)
        self._node._wake()

    def _take(self) -> Work | None:
        if self._destroyed:
            return None
        if self._events:
            return self._events.popleft()
        if self._items:
            item = self._items.popleft()
            return lambda: self._handle(item)
        return None

    def _handle(self, item: Any) -> None:
        raise NotImplementedError
