# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Import a module in a process of its own, and say what came of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.doctor.finding import State

_INSIDE = Path(__file__).with_name('inside.py')
NUMPY_1 = 'it was made for NumPy 1, and NumPy 2 is installed'

_NUMPY_1_SIGNS = (
    'compiled using NumPy 1.x',
    'compiled against ABI version 0x1',
    'was removed in the NumPy 2.0 release',
)


@dataclass(frozen=True)
class Probe:
    """What the import of one module gave.

    Attributes:
        version: as the module or its distribution says; empty where neither does.
        about: particulars; for a broken module the reason.
        gpus: those that torch can use.
    """

    state: State
    version: str = ''
    about: str = ''
    gpus: tuple[str, ...] = ()


def probe(
    module: str, distribution: str = '', *, timeout_s: float, python: str = sys.executable
) -> Probe:
    """Import `module` in another process; never raises for what it does there.

    Args:
        module: its name in Python.
        distribution: its name for pip, where that is another one.
        timeout_s: how long the import may take.
        python: the interpreter to look with.
    """
    try:
        done = subprocess.run(
            [python, str(_INSIDE), module, distribution],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors='replace',
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return Probe('broken', about=f'its import did not end within {timeout_s:g} s')
    if done.returncode < 0:
        how = signal_name(-done.returncode)
        return Probe('broken', about=_reason(done, f'its import dies of {how}'))
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return Probe('broken', about=_reason(done, f'its import ends Python ({done.returncode})'))
    if 'error' in said:
        return Probe('broken', about=_reason(done, said['error']))
    if 'missing' in said:
        return Probe('missing')
    return Probe('ok', said['version'], said.get('about', ''), tuple(said.get('gpus', ())))


def _reason(done: subprocess.CompletedProcess[str], reason: str) -> str:
    """NumPy prints a cause that the error it raises does not tell."""
    told = done.stderr + reason
    return NUMPY_1 if any(sign in told for sign in _NUMPY_1_SIGNS) else reason


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f'signal {number}'
