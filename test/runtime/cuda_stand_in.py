# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A GPU for tests: what this package uses of `pycuda.driver` and of libcuda, on the host's memory.

Work on a stream is done when somebody waits for it, or is recorded while the stream is captured;
and everything but waiting needs a current context, in each thread for itself. So a missing wait, a
missing context or a graph of the wrong things shows in the numbers or as an error.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

ORIN = ('Orin', (8, 7), 16)


class CudaError(Exception):
    """`pycuda.driver.Error`."""


class Allocation:
    def __init__(self, nbytes: int) -> None:
        self.memory = np.full(nbytes, 0xAB, np.uint8)

    def __int__(self) -> int:
        return self.memory.ctypes.data


class Stream:
    """`pycuda.driver.Stream`; `recording` holds the work of a capture that is open."""

    def __init__(self, cuda: CudaStandIn) -> None:
        cuda.need_context()
        self.queue: list[Callable[[], None]] = []
        self.recording: list[Callable[[], None]] | None = None
        self.handle = 0x5000 + len(cuda.streams)
        cuda.streams[self.handle] = self

    def put(self, work: Callable[[], None]) -> None:
        (self.queue if self.recording is None else self.recording).append(work)

    def synchronize(self) -> None:
        if self.recording is not None:
            raise CudaError('cuStreamSynchronize failed: operation not permitted when capturing')
        while self.queue:
            self.queue.pop(0)()


class CudaStandIn:
    """The machine.

    Attributes:
        calls: name and arguments of what was asked of pycuda and libcuda.
        launches: how many graphs were launched.
        free: bytes of free memory.
        refuse: result by function of libcuda, for those that shall fail.
    """

    def __init__(self, gpu: tuple[str, tuple[int, int], int] = ORIN) -> None:
        self.gpu = gpu
        self.calls: list[tuple[Any, ...]] = []
        self.streams: dict[int, Stream] = {}
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.launches = 0
        self.free = 1 << 30
        self.refuse: dict[str, int] = {}
        self._depth = threading.local()

    @property
    def depth(self) -> int:
        """How many contexts this thread has pushed and not popped."""
        return getattr(self._depth, 'value', 0)

    def need_context(self) -> None:
        if not self.depth:
            raise CudaError('invalid device context')

    def driver(self) -> ModuleType:
        """`pycuda.driver`."""
        module = ModuleType('pycuda.driver')
        module.__dict__.update(
            Error=CudaError,
            init=lambda: None,
            Device=lambda index: self._device(),
            Stream=lambda flags: (self.calls.append(('stream', flags)), Stream(self))[1],
            Context=SimpleNamespace(synchronize=self._wait),
            device_attribute=SimpleNamespace(MULTIPROCESSOR_COUNT='multiprocessors'),
            mem_get_info=lambda: (self.need_context(), (self.free, 8 << 30))[1],
            mem_alloc=lambda nbytes: (self.need_context(), Allocation(nbytes))[1],
            pagelocked_empty=lambda shape, dtype: (self.need_context(), np.empty(shape, dtype))[1],
            memcpy_htod_async=self._upload,
            memcpy_dtoh_async=self._download,
            memcpy_dtod_async=self._copy,
            memset_d8_async=self._fill,
        )
        return module

    def _device(self) -> SimpleNamespace:
        name, capability, multiprocessors = self.gpu
        return SimpleNamespace(
            name=lambda: name,
            compute_capability=lambda: capability,
            get_attribute=lambda attribute: {'multiprocessors': multiprocessors}[attribute],
            retain_primary_context=lambda: SimpleNamespace(
                push=lambda: self._move(1), pop=lambda: self._move(-1)
            ),
        )

    def _move(self, by: int) -> None:
        self._depth.value = self.depth + by

    def _wait(self) -> None:
        self.need_context()
        self.calls.append(('synchronize',))
        for stream in self.streams.values():
            stream.synchronize()

    def _put(self, call: tuple[Any, ...], stream: Stream, work: Callable[[], None]) -> None:
        self.need_context()
        self.calls.append(call)
        stream.put(work)

    def _upload(self, address: int, source: np.ndarray, stream: Stream) -> None:
        move = lambda: ctypes.memmove(address, source.ctypes.data, source.nbytes)  # noqa: E731
        self._put(('upload', address), stream, move)

    def _download(self, target: np.ndarray, address: int, stream: Stream) -> None:
        move = lambda: ctypes.memmove(target.ctypes.data, address, target.nbytes)  # noqa: E731
        self._put(('download', address), stream, move)

    def _copy(self, target: int, source: int, nbytes: int, stream: Stream) -> None:
        move = lambda: ctypes.memmove(target, source, nbytes)  # noqa: E731
        self._put(('copy', target, source), stream, move)

    def _fill(self, address: int, byte: int, nbytes: int, stream: Stream) -> None:
        self._put(('fill', address), stream, lambda: ctypes.memset(address, byte, nbytes))

    # libcuda, with its own signatures; a result of 0 is success.

    def cuStreamBeginCapture_v2(self, stream: Any, mode: Any) -> int:
        self.need_context()
        self.streams[stream.value].recording = []
        return self.refuse.get('cuStreamBeginCapture_v2', 0)

    def cuStreamEndCapture(self, stream: Any, graph: Any) -> int:
        recorded = self.streams[stream.value].recording
        self.streams[stream.value].recording = None
        graph._obj.value = 0x7000 + len(self.graphs)
        self.graphs[graph._obj.value] = recorded
        return self.refuse.get('cuStreamEndCapture', 0)

    def cuGraphInstantiateWithFlags(self, executable: Any, graph: Any, flags: Any) -> int:
        executable._obj.value = graph.value
        return self.refuse.get('cuGraphInstantiateWithFlags', 0)

    def cuGraphLaunch(self, executable: Any, stream: Any) -> int:
        self.need_context()
        result = self.refuse.get('cuGraphLaunch', 0)
        if not result:
            self.launches += 1
            self.streams[stream.value].queue.extend(self.graphs[executable.value])
        return result

    def cuGraphDestroy(self, graph: Any) -> int:
        return 0

    def cuGraphExecDestroy(self, executable: Any) -> int:
        return 0

    def cuGetErrorName(self, result: Any, name: Any) -> int:
        name._obj.value = f'CUDA_ERROR_{result.value}'.encode()
        return 0
