# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which backend serves: a TensorRT engine that passed its self-test, else the fastest that did."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.package import Package
from loc3r_ros.runtime.selftest import SelfTest, self_test
from loc3r_ros.runtime.session import Session

log = logging.getLogger(__name__)

Backend = Literal['auto', 'torch', 'compiled', 'onnxruntime', 'tensorrt']


@dataclass(frozen=True)
class Candidate:
    """A session that may be opened.

    Attributes:
        backend: `tensorrt`, `onnxruntime`, `torch` or `compiled`.
        package: what its golden steps are of.
        precision: of its products, for the allowed error.
        open: opens it; raises EngineError where it cannot run here.
    """

    backend: str
    package: Package
    precision: str
    open: Callable[[], Session]


@dataclass(frozen=True, eq=False)
class Choice:
    """Who serves.

    Attributes:
        session: in its initial state.
        reason: why it, in one line.
        refusals: why not the others that were refused, a line each.
    """

    session: Session
    reason: str
    refusals: tuple[str, ...] = ()


def choose(candidates: Sequence[Candidate], without: Collection[str] = ()) -> Choice:
    """Open, self-test, and take the best; the log says which and why.

    TensorRT comes first: an engine that passes serves, and nobody else is asked. The others are all
    tested, and the fastest serves. Self-tests of these take long on a CPU; what they gave is kept
    beside the package and counts as long as backend, version, machine and package are the same.

    Args:
        candidates: who may serve.
        without: names of sessions that failed at work.

    Raises:
        EngineError: nobody passed; with the reason of each.
    """
    contest = _Contest(without)
    for candidate in sorted(candidates, key=lambda c: c.backend != 'tensorrt'):
        if candidate.backend != 'tensorrt' and contest.best_backend == 'tensorrt':
            break
        contest.enter(candidate)
    return contest.result()


class _Contest:
    def __init__(self, without: Collection[str]) -> None:
        self.best_backend = ''
        self._without = without
        self._best: tuple[Session, SelfTest] | None = None
        self._passed = 0
        self._refusals: list[str] = []

    def enter(self, candidate: Candidate) -> None:
        try:
            session = candidate.open()
        except EngineError as error:
            self._refuse(f'{candidate.backend}: {error}')
            return
        if session.name in self._without:
            self._refuse(f'{session.name}: failed at work')
            return
        test = _tested(candidate, session)
        if not test.passed:
            self._refuse(str(test))
            return
        log.info('%s', test)
        self._passed += 1
        if self._best is None or test.latency_ms < self._best[1].latency_ms:
            self._best, self.best_backend = (session, test), candidate.backend

    def _refuse(self, line: str) -> None:
        log.warning('%s', line)
        self._refusals.append(line)

    def result(self) -> Choice:
        if self._best is None:
            told = '; '.join(self._refusals) or 'there is none'
            raise EngineError(f'no engine can serve: {told}')
        session, test = self._best
        if self.best_backend == 'tensorrt':
            why = 'TensorRT, and it passed its self-test'
        elif self._passed == 1:
            why = 'the only one that passed its self-test'
        else:
            why = f'the fastest of {self._passed} that passed their self-test'
        reason = f'{session.name} serves: {why} ({test.latency_ms:.1f} ms a step)'
        log.info('%s', reason)
        return Choice(session, reason, tuple(self._refusals))


def _tested(candidate: Candidate, session: Session) -> SelfTest:
    """The self-test, from the record where one may count."""
    package = candidate.package
    if candidate.backend == 'tensorrt':
        return self_test(session, package.golden, candidate.precision)
    record = _Record(package)
    key = f'{session.name} | {platform.node()} | {package.digest}'
    test = record.read(key)
    if test is None:
        log.info('%s: self-test of %d steps', session.name, package.golden.steps)
        test = self_test(session, package.golden, candidate.precision)
        record.write(key, test)
    return test


class _Record:
    """What self-tests gave, in a file beside the package; where it cannot be written, forgotten."""

    def __init__(self, package: Package) -> None:
        self._path: Path = package.folder / f'{package.name}.tested'

    def read(self, key: str) -> SelfTest | None:
        row = self._rows().get(key)
        try:
            return SelfTest(**row) if row else None
        except TypeError:  # of another version
            return None

    def write(self, key: str, test: SelfTest) -> None:
        rows = self._rows() | {key: asdict(test)}
        partial = self._path.with_suffix('.partial')
        try:
            partial.write_text(json.dumps(rows, indent=1))
            partial.replace(self._path)
        except OSError as error:
            log.warning('%s: self-tests are not remembered: %s', self._path, error.strerror)

    def _rows(self) -> dict[str, Any]:
        try:
            rows = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return rows if isinstance(rows, dict) else {}
