# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Waiting for a future inside a callback, while other threads of the executor complete it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import Any

_POLL_S = 0.05


class Pending:
    """A future of rclpy that a thread can wait for.

    Nothing spins here, so the node must be in an executor with threads to spare.
    """

    def __init__(self, future: Any) -> None:
        self._future = future
        self._done = Event()
        future.add_done_callback(lambda _future: self._done.set())

    def result(self, timeout_s: float, check: Callable[[], None] = lambda: None) -> Any:
        """What the future holds; None when it does not come in time.

        Args:
            timeout_s: wall time.
            check: called every 0.05 s; what it raises ends the wait.
        """
        end = monotonic() + timeout_s
        while not self._done.wait(min(_POLL_S, max(end - monotonic(), 0.0))):
            check()
            if monotonic() >= end:
                return None
        return self._future.result()
