# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Run by its path with some TensorRT bindings: which names they lack or call otherwise.

Reads `[[name, number of arguments or null], ...]` as JSON, and writes what is wrong, the version,
what our own subclasses do, and the public names of each class.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any

import numpy as np
import tensorrt_bindings

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.tensorrt import bindings, progress


def fault(name: str, count: int | None) -> str:
    """What is wrong with a use; empty if nothing is."""
    thing: Any = tensorrt_bindings
    for part in name.split('.'):
        if not hasattr(thing, part):
            return f'{name} is missing'
        thing = getattr(thing, part)
    counts = arguments(name.rpartition('.')[2], thing.__doc__ or '')
    if count is not None and counts and count not in counts:
        return f'{name} takes {sorted(counts)} arguments, not {count}'
    return ''


def arguments(name: str, doc: str) -> set[int]:
    """How many arguments a function may be given, by the signatures that pybind11 writes."""
    counts: set[int] = set()
    for inside in re.findall(rf'^(?:\d+\. )?{name}\((.*)\) ->', doc, re.MULTILINE):
        if inside.startswith('*'):
            continue
        while inside != (flat := re.sub(r'\[[^\[\]]*\]|\([^()]*\)|<[^<>]*>', '', inside)):
            inside = flat
        given = [p for p in inside.split(',') if p.strip() and not p.strip().startswith('self')]
        required = sum('=' not in p for p in given)
        counts |= set(range(required, len(given) + 1))
    return counts


def ours() -> list[str]:
    """Our logger, our progress monitor and the dtypes of our tensors, on the real classes."""
    said: list[str] = []
    logger = bindings.logger(tensorrt_bindings)
    logger.log(tensorrt_bindings.ILogger.ERROR, 'no\n  tactic')
    logger.log(tensorrt_bindings.ILogger.INFO, 'nothing')
    monitor = progress.monitor(tensorrt_bindings, said.append)
    monitor.phase_start('layers', None, 2)
    going = monitor.step_complete('layers', 0)
    monitor.cancelled = True
    stopped = not monitor.step_complete('layers', 1)
    dtypes = [
        np.dtype(tensorrt_bindings.nptype(getattr(tensorrt_bindings.DataType, name))).name
        for name in ('FLOAT', 'UINT8', 'BOOL')
    ]
    errors = bindings.told()
    try:
        bindings.start(tensorrt_bindings.Runtime, logger)
    except EngineError as error:
        errors += f', {error}'
    return [errors, str(going and stopped), *dtypes]


if __name__ == '__main__':
    classes = {n: c for n, c in vars(tensorrt_bindings).items() if inspect.isclass(c)}
    report = {
        'version': tensorrt_bindings.__version__,
        'faults': [text for use in json.load(sys.stdin) if (text := fault(*use))],
        'ours': ours(),
        'members': {n: [m for m in dir(c) if m[0] != '_'] for n, c in classes.items()},
    }
    print(json.dumps(report))
