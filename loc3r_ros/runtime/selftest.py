# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whether a session computes what it must, from first step to last, and carries its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import Loc3rError
from loc3r_ros.runtime.golden import Golden
from loc3r_ros.runtime.session import Session

LIMITS = {'fp32': 1e-3, 'bf16': 2e-2, 'fp16': 2e-2}
"""Relative norm of the error that is allowed, by the precision of the products."""


@dataclass(frozen=True)
class SelfTest:
    """What became of a self-test.

    Attributes:
        session: what was tested, in words.
        passed: whether it may serve.
        reason: why not, in one line; empty where it passed.
        limit: relative norm of the error that was allowed.
        errors: largest relative norm of the error of each output and state, over all steps.
        steps: steps taken.
        latency_ms: median over the steps.
    """

    session: str
    passed: bool
    reason: str
    limit: float
    errors: dict[str, float]
    steps: int
    latency_ms: float

    def __str__(self) -> str:
        if not self.passed:
            return f'{self.session}: refused: {self.reason}'
        worst = max(self.errors.values())
        return (
            f'{self.session}: passed {self.steps} steps, error {worst:.1e} of {self.limit:g}, '
            f'{self.latency_ms:.1f} ms a step'
        )


def self_test(session: Session, golden: Golden, precision: str) -> SelfTest:
    """Run the golden steps; the session is left in its initial state.

    Before each step the outputs are poisoned, so that an output which the backend does not write
    fails. Afterwards the last step is taken once more, from the initial state: a session whose
    outputs do not change has not carried its state.
    """
    test = _Test(session, golden, LIMITS[precision])
    try:
        reason = test.run()
    except Loc3rError as error:
        reason = str(error)
    session.reset()
    return SelfTest(
        session.name,
        not reason,
        reason,
        test.limit,
        test.errors,
        len(test.seconds),
        1e3 * float(np.median(test.seconds)) if test.seconds else float('nan'),
    )


class _Test:
    def __init__(self, session: Session, golden: Golden, limit: float) -> None:
        self.session = session
        self.golden = golden
        self.limit = limit
        self.errors: dict[str, float] = {}
        self.seconds: list[float] = []

    def run(self) -> str:
        """The reason to refuse the session, or nothing."""
        golden, session = self.golden, self.session
        session.reset()
        if reason := self._compare('initial state', session.state(), golden.initial):
            return reason
        for index in range(golden.steps):
            outputs = self._step(index)
            if reason := self._compare(f'step {index}', outputs, golden.expected(index)):
                return reason
        if reason := self._compare('last step', session.state(), golden.final):
            return reason
        session.set_state(golden.initial)
        outputs = self._step(golden.steps - 1)
        return self._compare('last step from the initial state', outputs, golden.forgetful)

    def _step(self, index: int) -> Mapping[str, NDArray[Any]]:
        self.session.poison()
        start = perf_counter()
        outputs = self.session.run(self.golden.step(index))
        self.seconds.append(perf_counter() - start)
        return outputs

    def _compare(
        self,
        where: str,
        given: Mapping[str, NDArray[Any]],
        expected: Mapping[str, NDArray[Any]],
    ) -> str:
        for name, target in expected.items():
            if name not in given:
                return f'{where}: {name} is missing'
            error = relative_error(given[name], target)
            self.errors[name] = max(self.errors.get(name, 0.0), error)
            if not error <= self.limit:  # NaN, too
                return f'{where}: {name} is off by {error:.2g} relative, allowed {self.limit:g}'
        return ''


def relative_error(given: NDArray[Any], target: NDArray[Any]) -> float:
    """Norm of the difference over the norm of the target; NaN where anything is not finite."""
    if given.shape != target.shape or not np.isfinite(given).all():
        return float('nan')
    wide = target.astype(np.float64)
    return float(np.linalg.norm(given - wide) / max(float(np.linalg.norm(wide)), 1e-30))
