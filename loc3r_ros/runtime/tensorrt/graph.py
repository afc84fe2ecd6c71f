# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUDA graphs by the driver's own library, because pycuda has none (looked for in 2026.1)."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

from loc3r_ros.errors import EngineError

_THREAD_LOCAL = 1
"""CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: what other threads do meanwhile does not end the capture."""


class CudaGraph:
    """Work put on a stream once, to be launched as a whole. The context must be current.

    Args:
        stream: handle of a stream other than the default one.
        work: puts the work on the stream; memory addresses stay as they are now.

    Raises:
        EngineError: CUDA refuses to record or to instantiate it; the stream is usable on.
    """

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        cuda = _library()
        self._stream = ctypes.c_void_p(stream)
        graph, self._executable = ctypes.c_void_p(), ctypes.c_void_p()
        _check(
            cuda.cuStreamBeginCapture_v2(self._stream, ctypes.c_int(_THREAD_LOCAL)),
            'begin a capture',
        )
        try:
            work()
        finally:  # a capture left open would poison the stream
            ended = cuda.cuStreamEndCapture(self._stream, ctypes.byref(graph))
        _check(ended, 'capture the step')
        made = cuda.cuGraphInstantiateWithFlags(
            ctypes.byref(self._executable), graph, ctypes.c_ulonglong(0)
        )
        cuda.cuGraphDestroy(graph)
        _check(made, 'instantiate the graph')
        weakref.finalize(self, cuda.cuGraphExecDestroy, self._executable)

    def launch(self) -> None:
        """Put the recorded work on the stream.

        Raises:
            EngineError: CUDA refuses.
        """
        _check(_library().cuGraphLaunch(self._executable, self._stream), 'launch the graph')


@cache
def _library() -> Any:
    try:
        return ctypes.CDLL('libcuda.so.1')
    except OSError as error:
        raise EngineError(f'no CUDA driver: {error}') from error


def _check(result: int, what: str) -> None:
    if result:
        name = ctypes.c_char_p()
        _library().cuGetErrorName(ctypes.c_int(result), ctypes.byref(name))
        raise EngineError(f'CUDA cannot {what}: {(name.value or b"error").decode()} ({result})')
