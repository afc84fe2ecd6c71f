# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A lock that is handed on in the order in which it was asked for."""

from __future__ import annotations

from collections import deque
from threading import Lock
from types import TracebackType


class FairLock:
    """First come, first served; not re-entrant.

    `threading.Lock` promises no order: a thread that decodes token after token takes it again
    before those who wait have woken up.
    """

    def __init__(self) -> None:
        self._mutex = Lock()
        self._waiting: deque[Lock] = deque()
        self._is_held = False

    def __enter__(self) -> None:
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return
            ticket = Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        try:
            ticket.acquire()  # released by whoever hands the lock on
        except BaseException:  # Ctrl-C while waiting: nobody must wait for one who has left
            self._give_up(ticket)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._mutex:
            self._hand_on()

    def _give_up(self, ticket: Lock) -> None:
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            else:
                self._hand_on()

    def _hand_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._is_held = False
