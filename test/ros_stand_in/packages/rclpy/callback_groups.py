# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which callbacks may run at the same time."""

from __future__ import annotations

from threading import Lock
from typing import Any


class CallbackGroup:
    """Base of the two kinds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0

    def beginning_execution(self, entity: Any) -> bool:
        """Take leave to run a callback of `entity`."""
        with self._lock:
            if not self._allowed():
                return False
            self._running += 1
            return True

    def ending_execution(self, entity: Any) -> None:
        with self._lock:
            self._running -= 1

    def _allowed(self) -> bool:
        raise NotImplementedError


class ReentrantCallbackGroup(CallbackGroup):
    """All at once."""

    def _allowed(self) -> bool:
        return True


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """One at a time."""

    def _allowed(self) -> bool:
        return self._running == 0
