# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The life between init and shutdown, and the signals that end it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from inspect import ismethod
from typing import Any
from weakref import WeakMethod

from rclpy._arguments import RosArguments
from rclpy.exceptions import NotInitializedException
from rclpy.logging import LoggingSeverity, RcutilsLogger


class Context:
    """What init begins and shutdown ends; nodes, executors and the network hang on it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._state = 'new'
        self._callbacks: list[Callable[[], Any]] = []
        self._domain_id = 0
        self._arguments = RosArguments()

    def init(
        self,
        args: Sequence[str] | None = None,
        *,
        initialize_logging: bool = True,
        domain_id: int | None = None,
    ) -> None:
        with self._lock:
            if self._state == 'ok':
                raise RuntimeError('Context.init() must only be called once')
            self._arguments = RosArguments(sys.argv if args is None else args)
            if domain_id is None:
                domain_id = int(os.environ.get('ROS_DOMAIN_ID') or 0)
            self._domain_id = domain_id
            for logger, level in self._arguments.log_levels:
                RcutilsLogger(logger).set_level(LoggingSeverity[level.upper()])
            self._state = 'ok'

    def ok(self) -> bool:
        return self._state == 'ok'

    def get_domain_id(self) -> int:
        if not self.ok():
            raise NotInitializedException
        return self._domain_id

    def shutdown(self) -> None:
        """End it; ending it twice is an error."""
        if not self._end():
            raise RuntimeError('Context must be initialized before it can be shutdown')

    def try_shutdown(self) -> None:
        """End it if it is not ended yet."""
        self._end()

    def _end(self) -> bool:
        with self._lock:
            if self._state != 'ok':
                return False
            self._state = 'down'
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
        return True

    def on_shutdown(self, callback: Callable[[], Any]) -> None:
        """Call back at the end; a method is held weakly, with its object."""
        if ismethod(callback):
            method = WeakMethod(callback)
            callback = lambda: (found := method()) and found()  # noqa: E731
        with self._lock:
            if self._state != 'down':
                self._callbacks.append(callback)
                return
        callback()
