# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
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
        old_above: greater stamps (ns) belong to the round before, as long as any may still come.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.number = 0
        self._now = now
        self._newest: int | None = None
        self._clock_is_due = False
        self._image_is_due = False
        self.old_above = 0
        self._old_until = -STRAGGLE_S

    def image(self, stamp_ns: int) -> bool:
        """An image came; False when it is left over from the round before and must be dropped."""
        if self._image_is_due and self._is_old(stamp_ns):
            return False
        self._image_is_due = False
        if self._newest is not None and self._newest - stamp_ns >= _LOOPED_NS:
            self._begin((self._newest + stamp_ns) // 2)
            self._clock_is_due = True
        self._newest = stamp_ns if self._newest is None else max(stamp_ns, self._newest)
        return True

    def depth(self, stamp_ns: int) -> bool:
        """A depth image came; False when it is left over."""
        is_ahead = self._newest is None or stamp_ns - self._newest >= _LOOPED_NS
        return not (is_ahead and self._is_old(stamp_ns))

    def clock(self, delta_ns: int) -> None:
        """The clock jumped, by a negative delta when backwards."""
        if delta_ns > -_LOOPED_NS:
            return
        if self._clock_is_due:
            self._clock_is_due = False
        elif self._newest is None:
            self.number += 1
        else:
            # Stamps need not be on the clock's time, but they fall back by about as much.
            self._begin(self._newest + delta_ns // 2)
            self._image_is_due = True

    def _begin(self, old_above: int) -> None:
        self.number += 1
        self._newest = None
        self.old_above, self._old_until = old_above, self._now() + STRAGGLE_S

    def _is_old(self, stamp_ns: int) -> bool:
        return stamp_ns > self.old_above and self._now() < self._old_until
