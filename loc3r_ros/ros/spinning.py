# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Executors for the nodes of a process."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any

from rclpy.executors import (
    Executor,
    ExternalShutdownException,
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from rclpy.logging import get_logger

_log = get_logger('loc3r')


class Spinning:
    """Executes callbacks; one that raises is logged, and the others go on.

    Args:
        nodes: those with `threads` of 1 share the calling thread; the others get an executor with
            as many threads, so that their callbacks may wait.
    """

    def __init__(self, nodes: Sequence[Any]) -> None:
        self._main: Executor = SingleThreadedExecutor()
        self._executors: list[Executor] = [self._main]
        for node in nodes:
            executor: Executor = self._main
            if node.threads > 1:
                executor = MultiThreadedExecutor(num_threads=node.threads)
                self._executors.append(executor)
            executor.add_node(node)

    def spin(self, is_over: Callable[[], bool]) -> None:
        """Return when `is_over`, which is asked after each `wake`, or when the context is down."""
        others = self._executors[1:]
        threads = [Thread(target=_spin, args=(e, is_over), daemon=True) for e in others]
        for thread in threads:
            thread.start()
        _spin(self._main, is_over)
        for thread in threads:
            thread.join(timeout=1.0)

    def wake(self) -> None:
        """Have `is_over` asked; from any thread."""
        for executor in self._executors:
            # Not `executor.wake()`: that goes back to waiting where there is nothing to execute.
            executor.create_task(_nothing)


def _nothing() -> None:
    pass


def _spin(executor: Executor, is_over: Callable[[], bool]) -> None:
    while executor.context.ok() and not is_over():
        try:
            executor.spin_once()
        except ExternalShutdownException:
            return
        except Exception:
            if executor.context.ok():
                _log.error(
                    f'a callback failed: {traceback.format_exc()}', throttle_duration_sec=1.0
                )
