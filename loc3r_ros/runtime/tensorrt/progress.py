# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How far a build is, from TensorRT's own report; and its end, when the user wants it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

Say = Callable[[str], None]
INTERVAL_S = 2.0


def monitor(tensorrt: Any, say: Say) -> Any:
    """A progress monitor; setting its `cancelled` ends the build at the next step.

    Args:
        tensorrt: the module.
        say: takes a line at most every two seconds, as `layers 12/30, tactics 3/8, 41 s`.
    """

    class Monitor(tensorrt.IProgressMonitor):
        """TensorRT calls it from threads of its own, and phases nest."""

        def __init__(self) -> None:
            tensorrt.IProgressMonitor.__init__(self)
            self.cancelled = False
            self._lock = threading.Lock()
            self._phases: dict[str, tuple[int, int]] = {}
            self._start = self._said = time.monotonic()

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            with self._lock:
                self._phases[phase_name] = (0, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            with self._lock:
                self._phases[phase_name] = (step + 1, self._phases.get(phase_name, (0, 0))[1])
                self._tell()
            return not self.cancelled

        def phase_finish(self, phase_name: str) -> None:
            with self._lock:
                self._phases.pop(phase_name, None)

        def _tell(self) -> None:
            now = time.monotonic()
            if now - self._said >= INTERVAL_S:
                self._said = now
                phases = ', '.join(f'{n} {done}/{of}' for n, (done, of) in self._phases.items())
                say(f'{phases}, {now - self._start:.0f} s')

    return Monitor()
