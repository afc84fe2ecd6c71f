# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Executors: they run the callbacks of nodes, in one thread or in several."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future as PoolFuture
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from typing import Any

from rclpy._entities import Entity, Work, run
from rclpy.context import Context
from rclpy.task import Future
from rclpy.utilities import get_default_context


class ExternalShutdownException(Exception):  # noqa: N818
    """The context was shut down while the executor waited."""


class Executor:
    """Waits for work of its nodes and runs it."""

    def __init__(self, *, context: Context | None = None) -> None:
        self._context = context or get_default_context()
        self._nodes: list[Any] = []
        self._changed = Condition()
        self._changes = 0
        self._is_shutdown = False
        self._tasks: deque[Work] = deque()
        self._round: deque[Entity] = deque()  # so that no entity can starve the others
        self._context.on_shutdown(self.wake)

    @property
    def context(self) -> Context:
        return self._context

    def add_node(self, node: Any) -> bool:
        if node in self._nodes:
            return False
        self._nodes.append(node)
        node.executor = self
        self.wake()
        return True

    def remove_node(self, node: Any) -> None:
        if node in self._nodes:
            self._nodes.remove(node)
            self.wake()

    def get_nodes(self) -> list[Any]:
        return list(self._nodes)

    def create_task(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        """Run a function in this executor."""
        future = Future(executor=self)

        def work() -> None:
            try:
                future.set_result(run(lambda: callback(*args, **kwargs)))
            except Exception as error:
                future.set_exception(error)

        self._tasks.append(work)
        self.wake()
        return future

    def wake(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        self._is_shutdown = True
        self._nodes.clear()
        self.wake()
        return True

    def spin(self) -> None:
        while self._context.ok() and not self._is_shutdown:
            self.spin_once()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        raise NotImplementedError

    def _wait_for_work(self, timeout: float | None) -> Work | None:
        """The next work, its callback group taken; None after the timeout or a shutdown."""
        limited = timeout is not None and timeout >= 0
        end = time.monotonic() + timeout if limited else None
        while not self._is_shutdown:
            changes = self._changes
            if not self._context.ok():
                raise ExternalShutdownException
            if (work := self._next_work()) is not None:
                return work
            waits = [
                w for node in self.get_nodes() for e in node._waitables() if (w := e._due_in())
            ]
            if end is not None:
                if (left := end - time.monotonic()) <= 0:
                    return None
                waits.append(left)
            with self._changed:
                if changes == self._changes:
                    self._changed.wait(min(waits, default=None))
        return None

    def _next_work(self) -> Work | None:
        if self._tasks:
            return self._tasks.popleft()
        for fresh in (False, True):
            if fresh:
                self._round.extend(e for node in self.get_nodes() for e in node._waitables())
            while self._round:
                entity = self._round.popleft()
                if (work := self._take(entity)) is not None:
                    return work
        return None

    def _take(self, entity: Entity) -> Work | None:
        group = entity.callback_group
        if not group.beginning_execution(entity):
            return None
        work = entity._take() if entity._node.executor is self else None
        if work is None:
            group.ending_execution(entity)
            return None

        def run_in_group() -> None:
            try:
                work()
            finally:
                group.ending_execution(entity)
                self.wake()

        return run_in_group


class SingleThreadedExecutor(Executor):
    """Runs callbacks in the thread that spins."""

    def spin_once(self, timeout_sec: float | None = None) -> None:
        work = self._wait_for_work(timeout_sec)
        if work is not None:
            work()


class MultiThreadedExecutor(Executor):
    """Runs callbacks in a pool of threads; what they raise is raised by a later spin."""

    def __init__(self, num_threads: int | None = None, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        self._pool = ThreadPoolExecutor(num_threads or os.cpu_count() or 2)
        self._running: list[PoolFuture] = []

    def spin_once(self, timeout_sec: float | None = None) -> None:
        try:
            work = self._wait_for_work(timeout_sec)
        except ExternalShutdownException:
            return  # as rclpy does: here spin() ends without a word
        if work is not None:
            self._running.append(self._pool.submit(work))
        for future in [future for future in self._running if future.done()]:
            self._running.remove(future)
            future.result()
