# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""SIGINT and SIGTERM, from the first moment of the process to its last."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from threading import Event, Thread
from time import sleep
from typing import Any

DEADLINE_S = 2.0
"""Time from the signal to the end of the process, finished or not."""


class Interrupted(BaseException):
    """The signal came while the main thread was importing, loading or waiting for something."""


class Interrupt:
    """Ends the process soon after the first SIGINT or SIGTERM, with exit code 0.

    At first the signal raises `Interrupted` in the main thread. After `defer` it only sets
    `has_come` and calls what `on_signal` names. Either way a thread of its own ends the process
    `DEADLINE_S` later: the main thread may be inside a library that does not come back for a
    minute, and Python delivers signals to no other.
    """

    def __init__(self) -> None:
        self._come = Event()
        self._is_deferred = False
        self._wake: Callable[[], object] = bool
        self._reader, self._writer = socket.socketpair()

    @property
    def has_come(self) -> bool:
        """Whether a signal came."""
        return self._come.is_set()

    def install(self) -> None:
        """Take over the signals; from the main thread."""
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)
        Thread(target=self._watch, name='interrupt', daemon=True).start()

    def defer(self, wake: Callable[[], object]) -> None:
        """From now on raise nothing; `wake` is called from another thread when the signal comes."""
        self._wake = wake
        self._is_deferred = True

    def _handle(self, _number: int, _frame: Any) -> None:
        # Once only: Ctrl-C reaches a process twice, from the terminal and from `ros2 launch`.
        is_first, self._is_deferred = not self._is_deferred, True
        self._come.set()
        if is_first:
            raise Interrupted

    def _watch(self) -> None:
        self._reader.recv(1)
        self._come.set()
        try:
            self._wake()
        finally:
            sleep(DEADLINE_S)
            os._exit(0)
