# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From the thread that receives to the thread that works: the newest item wins."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')

_log = logging.getLogger(__name__)

BACKLOG_S = 10.0
"""How long items may queue up after the first was taken."""

_TRACEBACK_EVERY_S = 5.0


class Mailbox(Generic[Item]):
    """Holds the newest items; older ones are dropped and counted.

    For one reader. At the start it is more patient: the first images wait for TF, intrinsics and
    warm-up, and none of them should be lost. Up to `backlog` items stay in order until `take` has
    caught up with them once, or until `BACKLOG_S` after the first was taken.

    Attributes:
        dropped: items that were never taken because newer ones came.
    """

    def __init__(
        self, capacity: int = 1, *, backlog: int = 30, clock: Callable[[], float] = monotonic
    ) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._backlog = backlog
        self._clock = clock
        self._items: deque[Item] = deque()
        self._lock = Lock()
        self._empty = Lock()  # held while a reader has nothing to come for
        self._first_take: float | None = None
        self._is_live = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Leave an item; never blocks."""
        with self._lock:
            self._items.append(item)
            self._trim()
            if self._empty.locked():
                self._empty.release()

    def take(self, timeout_s: float = -1) -> Item | None:
        """The oldest item that is kept, or None when none comes in time; -1 waits for ever."""
        # A bare lock wakes the reader in half the time of a Condition.
        while (item := self._oldest()) is None:
            if not self._empty.acquire(timeout=timeout_s):
                return None
        return item

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._items.clear()

    def _oldest(self) -> Item | None:
        with self._lock:
            if not self._items:
                self._is_live = self._first_take is not None
                self._empty.acquire(blocking=False)
                return None
            self._trim()
            if self._first_take is None:
                self._first_take = self._clock()
            return self._items.popleft()

    def _trim(self) -> None:
        if self._first_take is not None and self._clock() - self._first_take > BACKLOG_S:
            self._is_live = True
        limit = self._capacity if self._is_live else max(self._backlog, self._capacity)
        while len(self._items) > limit:
            self._items.popleft()
            self.dropped += 1


class Worker(Generic[Item]):
    """One thread that handles what lies in a mailbox; it starts at once.

    Args:
        mailbox: where the items come from.
        handle: called with each item. An exception is logged and counted; the thread goes on.
        ready: items stay in the mailbox until this is true.
        name: of the thread.

    Attributes:
        errors: calls of `handle` or `ready` that raised.
        last_error: text of the last one.
    """

    def __init__(
        self,
        mailbox: Mailbox[Item],
        handle: Callable[[Item], None],
        ready: Callable[[], bool] = lambda: True,
        name: str = 'worker',
    ) -> None:
        self.errors = 0
        self.last_error = ''
        self._mailbox = mailbox
        self._handle = handle
        self._ready = ready
        self._stopping = Event()
        self._last_traceback = -_TRACEBACK_EVERY_S
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        # A daemon: work that hangs must not keep the process from ending.
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, job: Callable[[], Result]) -> Future[Result]:
        """Have something done between two items, whether or not they are `ready`.

        Returns:
            Its result, or what it raised; cancelled when the worker stops before.
        """
        future: Future[Result] = Future()
        self._jobs.append((future, job))
        return future

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Stop after the current item; False when that takes longer than the timeout."""
        self._stopping.set()
        self._thread.join(timeout_s)
        for future, _ in list(self._jobs):
            future.cancel()
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception as error:
                self._note(error)

    def _turn(self) -> None:
        while self._jobs:
            self._do(*self._jobs.popleft())
        if not self._ready():
            self._stopping.wait(0.02)
            return
        item = self._mailbox.take(0.1)
        if item is not None:
            self._handle(item)

    def _do(self, future: Future[Result], job: Callable[[], Result]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(job())
        except BaseException as error:
            future.set_exception(error)

    def _note(self, error: Exception) -> None:
        self.errors += 1
        self.last_error = f'{type(error).__name__}: {error}'
        if monotonic() - self._last_traceback >= _TRACEBACK_EVERY_S:
            self._last_traceback = monotonic()
            _log.exception('%s: error %d', self._thread.name, self.errors)
        self._stopping.wait(0.02)
