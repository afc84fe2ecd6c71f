"""Which round of a looped recording it is, told by two witnesses that may come in any order."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from loc3r_ros.localizer import LOOPED_S

_LOOPED_NS = int(LOOPED_S * 1e9)

STRAGGLE_S = 2.0
"""Wall time within which images of the old round may still come after the clock has jumped."""


class Rounds:
    """Counts how often time fell back: once for each time, though both stamps and clock show it.

    Without simulated time the stamps alone tell. Forward jumps do not count.

    Args:
        now: wall time, s.

    Attributes:
        number: of the round, from 0.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.number = 0
        self._now = now
        self._newest: int | None = None
        self._clock_is_due = False
        self._old_above: int | None = None
        self._old_until = 0.0

    def image(self, stamp_ns: int) -> bool:
        """An image came; False when it is left over from the round before and must be dropped."""
        if self._old_above is not None:
            if stamp_ns > self._old_above and self._now() < self._old_until:
                return False
            self._old_above = None
        if self._newest is not None and self._newest - stamp_ns >= _LOOPED_NS:
            self.number += 1
            self._clock_is_due = True
            self._newest = None
        self._newest = stamp_ns if self._newest is None else max(stamp_ns, self._newest)
        return True

    def clock(self, delta_ns: int) -> None:
        """The clock jumped, by a negative delta when backwards."""
        if delta_ns > -_LOOPED_NS:
            return
        if self._clock_is_due:
            self._clock_is_due = False
            return
        self.number += 1
        if self._newest is not None:
            # Stamps need not be on the clock's time, but they fall back by about as much.
            self._old_above = self._newest + delta_ns // 2
            self._old_until = self._now() + STRAGGLE_S
            self._newest = None
