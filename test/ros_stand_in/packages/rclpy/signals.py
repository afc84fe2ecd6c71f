# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""SIGINT and SIGTERM end the default context, then reach the handlers that were there before."""

from __future__ import annotations

import signal
import threading
from enum import IntEnum
from types import FrameType
from typing import Any

from rclpy.context import Context

_previous: dict[int, Any] = {}


class SignalHandlerOptions(IntEnum):
    """Which signals init takes over."""

    NO = 0
    SIGINT = 1
    SIGTERM = 2
    ALL = 3


def install_signal_handlers(context: Context, options: SignalHandlerOptions) -> None:
    """Let signals end `context`; Python allows that in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        return

    def handle(number: int, frame: FrameType | None) -> None:
        context.try_shutdown()
        previous = _previous.get(number)
        if callable(previous):
            previous(number, frame)

    for option, number in (
        (SignalHandlerOptions.SIGINT, signal.SIGINT),
        (SignalHandlerOptions.SIGTERM, signal.SIGTERM),
    ):
        if options & option and number not in _previous:
            _previous[number] = signal.signal(number, handle)


def uninstall_signal_handlers() -> None:
    """Give the signals back."""
    if threading.current_thread() is threading.main_thread():
        for number, previous in _previous.items():
            signal.signal(number, previous)
        _previous.clear()
