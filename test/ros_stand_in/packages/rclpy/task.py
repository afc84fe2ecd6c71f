# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Futures."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any


class Future:
    """A result that comes later; the callbacks run in the executor once there is one."""

    def __init__(self, *, executor: Any = None) -> None:
        self._executor = executor
        self._lock = Lock()
        self._done = False
        self._result: Any = None
        self._exception: BaseException | None = None
        self._callbacks: list[Callable[[Future], Any]] = []

    def done(self) -> bool:
        return self._done

    def result(self) -> Any:
        """The result; None while it is not there, and what was raised is raised again."""
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self) -> BaseException | None:
        return self._exception

    def set_result(self, result: Any) -> None:
        self._result = result
        self._finish()

    def set_exception(self, exception: BaseException) -> None:
        self._exception = exception
        self._finish()

    def _finish(self) -> None:
        with self._lock:
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._schedule(callback)

    def add_done_callback(self, callback: Callable[[Future], Any]) -> None:
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        self._schedule(callback)

    def _schedule(self, callback: Callable[[Future], Any]) -> None:
        if self._executor is not None:
            self._executor.create_task(callback, self)
        else:
            callback(self)

    def _set_executor(self, executor: Any) -> None:
        self._executor = executor
