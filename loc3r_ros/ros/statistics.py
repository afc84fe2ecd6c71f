# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Figures of the last seconds: rates, latencies, memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

import numpy as np
import psutil


class Rate:
    """Events per second over the last seconds of wall time.

    Attributes:
        count: events so far.
    """

    def __init__(self, window_s: float = 5.0, clock: Callable[[], float] = monotonic) -> None:
        self.count = 0
        self._window_s = window_s
        self._clock = clock
        self._times: deque[float] = deque()
        self._lock = Lock()

    def tick(self) -> None:
        """Count one event."""
        with self._lock:
            self.count += 1
            self._times.append(self._clock())
            self._forget()

    @property
    def hz(self) -> float:
        """Mean rate of the intervals in the window; 0 where there is none."""
        with self._lock:
            self._forget()
            if len(self._times) < 2 or self._times[-1] == self._times[0]:
                return 0.0
            return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def _forget(self) -> None:
        oldest = self._clock() - self._window_s
        while self._times and self._times[0] < oldest:
            self._times.popleft()


class Latency:
    """Quantiles of the last durations, in seconds."""

    def __init__(self, size: int = 200) -> None:
        self._values: deque[float] = deque(maxlen=size)
        self._lock = Lock()

    def add(self, seconds: float) -> None:
        """Remember one duration."""
        with self._lock:
            self._values.append(seconds)

    @property
    def p50(self) -> float:
        """Median, s; 0 before the first."""
        return self._quantile(0.5)

    @property
    def p95(self) -> float:
        """95th percentile, s; 0 before the first."""
        return self._quantile(0.95)

    def _quantile(self, q: float) -> float:
        with self._lock:
            return float(np.quantile(self._values, q)) if self._values else 0.0


def memory_bytes() -> int:
    """Resident memory of this process, bytes."""
    return int(psutil.Process().memory_info().rss)
