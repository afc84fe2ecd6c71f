# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is wrong at the moment: said when it begins and when it is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic

from loc3r_ros.ingest.problems import Problems

CURRENT_S = 5.0
"""What was not noted again for so long is over."""

_log = logging.getLogger(__name__)


class CurrentProblems(Problems):
    """Problems of a live camera, which come and go; from any thread.

    Args:
        now: wall time, s.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._now = now
        self._current: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def note(self, kind: str, text: str) -> None:
        """A problem is there; it is logged when it was not before."""
        with self._lock:
            is_new = kind not in self._current
            self._current[kind] = (text, self._now())
        if is_new:
            _log.warning('%s', text)

    def texts(self) -> list[str]:
        """One line for each problem of the last seconds."""
        oldest = self._now() - CURRENT_S
        with self._lock:
            over = [kind for kind, (_, seen) in self._current.items() if seen < oldest]
            gone = [self._current.pop(kind)[0] for kind in over]
            there = [text for text, _ in self._current.values()]
        for text in gone:
            _log.info('over: %s', text)
        return there
