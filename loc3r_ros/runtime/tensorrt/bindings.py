# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""NVIDIA's Python bindings, loaded when they are needed; what TensorRT says, in our log.

Only what is the same in TensorRT 10.3, 10.13, 10.16 and 11.4 is used in this room. Every variable
that holds an object of TensorRT's is annotated with its class: from these annotations a test knows
which attributes to look for in the bindings of each version.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any

from loc3r_ros.errors import EngineError

log = logging.getLogger(__name__)
MINIMUM = (10, 3)


def load() -> Any:
    """The module `tensorrt`.

    Raises:
        EngineError: it is missing, does not load, or is too old.
    """
    try:
        tensorrt = importlib.import_module('tensorrt')
    except ImportError as error:
        raise EngineError(
            f'TensorRT cannot be imported by {sys.executable} ({error}); on a Jetson it comes '
            'with JetPack, and a venv needs --system-site-packages to see it; elsewhere: '
            'pip install tensorrt'
        ) from error
    if release(tensorrt) < MINIMUM:
        raise EngineError(
            f'TensorRT {tensorrt.__version__} is too old; 10.3 or later is needed, '
            'which comes with JetPack 6.1'
        )
    return tensorrt


def release(tensorrt: Any) -> tuple[int, int]:
    """Major and minor version."""
    major, minor = re.findall(r'\d+', tensorrt.__version__)[:2]
    return int(major), int(minor)


@cache
def logger(tensorrt: Any) -> Any:
    """The one logger of the process; TensorRT takes no second one."""
    levels = {
        tensorrt.ILogger.INTERNAL_ERROR: logging.ERROR,
        tensorrt.ILogger.ERROR: logging.ERROR,
        tensorrt.ILogger.WARNING: logging.WARNING,
        tensorrt.ILogger.INFO: logging.DEBUG,
    }

    class Logger(tensorrt.ILogger):
        def __init__(self) -> None:
            tensorrt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            level = levels.get(severity, logging.NOTSET)
            if level == logging.ERROR:
                _errors.append(' '.join(message.split()))
            if level:
                log.log(level, 'TensorRT: %s', message)

    return Logger()


_errors: deque[str] = deque(maxlen=5)


def told() -> str:
    """What TensorRT gave as errors since this was last asked, in one line."""
    text = '; '.join(_errors)
    _errors.clear()
    return text or 'TensorRT gave no reason'


def start(kind: Callable[[Any], Any], log: Any) -> Any:
    """A builder or a runtime: the objects that fail where TensorRT and the driver do not agree.

    Raises:
        EngineError: TensorRT gives none.
    """
    try:
        return kind(log)
    except TypeError as error:  # so pybind11 says that a factory gave nothing
        raise EngineError(f'TensorRT does not start on this driver: {told()}') from error
