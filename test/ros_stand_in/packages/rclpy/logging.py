# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Loggers: to stderr, and to /rosout for those of nodes."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable
from enum import IntEnum
from types import FrameType
from typing import Any

from rclpy.clock import Clock


class LoggingSeverity(IntEnum):
    """Levels."""

    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


_levels: dict[str, LoggingSeverity] = {'': LoggingSeverity.INFO}
_outputs: dict[str, Callable[[str, LoggingSeverity, str, FrameType], None]] = {}
_FILTERS = {'throttle_duration_sec', 'throttle_time_source_type', 'skip_first', 'once'}


def _nearest(table: dict[str, Any], name: str) -> Any:
    """The entry of a logger or of the nearest one above it (`a.b` is above `a.b.c`)."""
    while name and name not in table:
        name = name.rpartition('.')[0]
    return table.get(name)


class RcutilsLogger:
    """A named logger; once, skip_first and throttling count for each place that logs."""

    def __init__(self, name: str = '') -> None:
        self.name = name
        self._places: dict[tuple[str, int, int], dict[str, Any]] = {}

    def set_level(self, level: int) -> None:
        _levels[self.name] = LoggingSeverity(level)

    def get_effective_level(self) -> LoggingSeverity:
        return _nearest(_levels, self.name)

    def is_enabled_for(self, severity: int) -> bool:
        return severity >= self.get_effective_level()

    def debug(self, message: str, **kwargs: Any) -> bool:
        return self._log(message, LoggingSeverity.DEBUG, **kwargs)

    def info(self, message: str, **kwargs: Any) -> bool:
        return self._log(message, LoggingSeverity.INFO, **kwargs)

    def warning(self, message: str, **kwargs: Any) -> bool:
        return self._log(message, LoggingSeverity.WARN, **kwargs)

    def error(self, message: str, **kwargs: Any) -> bool:
        return self._log(message, LoggingSeverity.ERROR, **kwargs)

    def fatal(self, message: str, **kwargs: Any) -> bool:
        return self._log(message, LoggingSeverity.FATAL, **kwargs)

    def _log(self, message: str, severity: LoggingSeverity, **filters: Any) -> bool:
        if not self.is_enabled_for(severity):
            return False
        if filters.keys() - _FILTERS:
            raise TypeError(f'unknown logging options {sorted(filters.keys() - _FILTERS)}')
        frame = inspect.currentframe().f_back.f_back
        key = (frame.f_code.co_filename, frame.f_lineno, frame.f_lasti)
        place = self._places.setdefault(key, {'severity': severity, 'last': 0, 'calls': 0})
        if place['severity'] != severity:
            raise ValueError('Logger severity cannot be changed between calls.')
        if not _passes(place, **filters):
            return False
        now = time.time()
        print(f'[{severity.name}] [{now:.9f}] [{self.name}]: {message}', file=sys.stderr)
        if (output := _nearest(_outputs, self.name)) is not None:
            output(self.name, severity, str(message), frame)
        return True


def _passes(
    place: dict[str, Any],
    *,
    throttle_duration_sec: float = 0,
    throttle_time_source_type: Clock | None = None,
    skip_first: bool = False,
    once: bool = False,
) -> bool:
    """Whether the filters let this call of a place through."""
    now = (throttle_time_source_type or Clock()).now().nanoseconds
    if throttle_duration_sec and now < place['last'] + throttle_duration_sec * 1e9:
        return False
    place['last'] = now
    place['calls'] += 1
    return not (skip_first and place['calls'] == 1) and not (once and place['calls'] > 1)


def get_logger(name: str) -> RcutilsLogger:
    if not name:
        raise ValueError('Logger name must not be empty.')
    return RcutilsLogger(name)
