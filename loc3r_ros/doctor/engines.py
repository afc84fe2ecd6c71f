# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The self-test of every engine in a folder, in a process of its own: a bad engine may crash it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from loc3r_ros.doctor.finding import USES, Finding, State
from loc3r_ros.doctor.probe import signal_name

_GROUP = 'Engines'
_PURPOSE = 'speed of the encoder'


def look_at_engines(folder: Path, timeout_s: float = 600.0) -> list[Finding]:
    """One finding for each exported package in a folder, from `loc3r engine check`."""
    command = [sys.executable, '-m', 'loc3r_ros', 'engine', 'check', str(folder), '--json']
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors='replace', timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        return [_broken(folder, f'the self-test did not end within {timeout_s:g} s')]
    if done.returncode < 0:
        return [_broken(folder, f'the self-test dies of {signal_name(-done.returncode)}')]
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return [_broken(folder, ' '.join(done.stderr.split())[-300:])]
    return [_finding(package, folder) for package in report['packages']]


def _broken(folder: Path, what: str) -> Finding:
    return Finding(_GROUP, str(folder), 'broken', what, _PURPOSE, '', USES)


def _finding(package: dict[str, Any], folder: Path) -> Finding:
    """Fine if one engine passes; what was refused beside it is told too."""
    engines = package['engines']
    passed = any(engine['passed'] for engine in engines)
    state: State = 'ok' if passed else 'broken'
    what = '; '.join(map(_verdict, engines))
    remedy = '' if passed else f'loc3r engine build {folder}'
    return Finding(_GROUP, package['name'], state, what, _PURPOSE, remedy, USES)


def _verdict(engine: dict[str, Any]) -> str:
    if not engine['passed']:
        return f'{engine["engine"]} refused: {engine["reason"]}'
    test = engine['self_test']
    return f'{engine["engine"]} passed, {test["latency_ms"]:.1f} ms a step'
