# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Who may ask the engine next: one at a time, first come first served, and few in the queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

from loc3r_ros.errors import Loc3rError

_POLL_S = 0.05
"""How soon a request in the queue notices that it was cancelled."""


class BusyError(Loc3rError):
    """The queue is full."""


class CancelledError(Loc3rError):
    """Who asked, or who stops the node, wants no answer any more."""


@dataclass(eq=False)
class _Ticket:
    is_request: bool


class Turns:
    """Hands out turns, in the order in which they are asked for.

    Args:
        max_waiting: requests that may wait while another has its turn; asked anew each time.
    """

    def __init__(self, max_waiting: Callable[[], int]) -> None:
        self._max_waiting = max_waiting
        self._line: deque[_Ticket] = deque()
        self._changed = Condition()
        self._visitors = 0
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """Requests in the queue, without the one whose turn it is."""
        with self._changed:
            return sum(ticket.is_request for ticket in list(self._line)[1:])

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked."""
        with self._changed:
            return not self._line and not self._visitors

    @contextmanager
    def visit(self) -> Iterator[None]:
        """What `close` waits for besides turns: all that is done for one request."""
        with self._changed:
            self._visitors += 1
        try:
            yield
        finally:
            with self._changed:
                self._visitors -= 1
                self._changed.notify_all()

    @contextmanager
    def turn(
        self, is_cancelled: Callable[[], bool] = lambda: False, *, is_request: bool = True
    ) -> Iterator[None]:
        """Wait for a turn, and have it for the length of a `with`.

        Args:
            is_cancelled: whether the turn is no longer wanted; also asked by `check`.
            is_request: counts in the queue; new keyframes do not.

        Raises:
            BusyError: too many wait already.
            CancelledError: `is_cancelled` became true, or the turns are closed.
        """
        ticket = _Ticket(is_request)
        with self._changed:
            before = sum(other.is_request for other in self._line)
            if is_request and before > self._max_waiting():
                raise BusyError(f'busy: {before} questions come first; ask again later')
            self._line.append(ticket)
        try:
            self._await(ticket, is_cancelled)
            yield
        finally:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    def check(self, is_cancelled: Callable[[], bool]) -> None:
        """To be called often by who has the turn.

        Raises:
            CancelledError: the work is not wanted any more.
        """
        if self._is_closed:
            raise CancelledError('the node is being stopped')
        if is_cancelled():
            raise CancelledError('cancelled')

    def close(self, timeout_s: float) -> bool:
        """Cancel all; False where some of the work did not end in time."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._line and not self._visitors, timeout_s)

    def _await(self, ticket: _Ticket, is_cancelled: Callable[[], bool]) -> None:
        while True:
            self.check(is_cancelled)
            with self._changed:
                if self._line[0] is ticket:
                    return
                self._changed.wait(_POLL_S)
