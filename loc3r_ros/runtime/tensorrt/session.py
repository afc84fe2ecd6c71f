# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Run an engine: fixed buffers, and one CUDA graph for a step and the return of its state."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import EngineError, InputError
from loc3r_ros.runtime.package import Package
from loc3r_ros.runtime.session import Arrays, StateSpec, TensorSpec
from loc3r_ros.runtime.tensorrt.bindings import load, logger, start, told
from loc3r_ros.runtime.tensorrt.cache import EngineFile, find
from loc3r_ros.runtime.tensorrt.gpu import DeviceTensor, Gpu, gpu
from loc3r_ros.runtime.tensorrt.graph import CudaGraph
from loc3r_ros.runtime.tensorrt.machine import this_machine

if TYPE_CHECKING:
    import tensorrt as trt

_log = logging.getLogger(__name__)
_NAN = 0xFF
"""A byte that makes every float format a NaN when repeated."""
_NON_BLOCKING = 1
"""CU_STREAM_NON_BLOCKING: what PyTorch does on the default stream does not end a capture."""


def open_session(package: Package) -> TensorRtSession:
    """A session of the package's engine on this machine, not self-tested.

    Raises:
        EngineError: TensorRT or the GPU is missing, or no engine fits; with the reason of each.
    """
    return TensorRtSession(package, find(package, this_machine()))


class TensorRtSession:
    """A `Session` of TensorRT.

    Input and output of the state are two buffers: TensorRT promises no order in which it reads
    and writes. The last node of the graph copies the new state over the old one.

    Inputs may also be tensors on the GPU, of PyTorch for one: anything that has
    `__cuda_array_interface__`.

    Args:
        package: what the engine was built from; its golden steps hold the initial state.
        engine: the engine.

    Raises:
        EngineError: the engine is corrupted, TensorRT does not take it, or its tensors are not
            those of the package.
    """

    def __init__(self, package: Package, engine: EngineFile) -> None:
        self._tensorrt = tensorrt = load()
        self._gpu: Gpu = gpu()
        self.name = f'tensorrt {tensorrt.__version__} on {self._gpu.name} ({engine.path.name})'
        self.signature = package.signature
        self._initial = package.golden.initial
        plan = engine.load()
        with self._gpu.current():
            self._runtime: trt.Runtime = start(tensorrt.Runtime, logger(tensorrt))
            self._engine: trt.ICudaEngine = self._runtime.deserialize_cuda_engine(plan)
            if self._engine is None:
                raise EngineError(f'{engine.path.name}: {told()}')
            self._check_tensors()
            self._context: trt.IExecutionContext = self._engine.create_execution_context()
            if self._context is None:
                raise EngineError(f'{engine.path.name}: no context: {told()}')
            self._stream = self._gpu.driver.Stream(_NON_BLOCKING)
            self._allocate()
            self.reset()
            self._graph = self._capture()
        self.reset()

    def _check_tensors(self) -> None:
        """Names, directions, shapes and dtypes are those of the package, and all lie on the GPU."""
        engine: trt.ICudaEngine = self._engine
        tensorrt = self._tensorrt
        found = {}
        for name in map(engine.get_tensor_name, range(engine.num_io_tensors)):
            found[name] = (
                engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT,
                tuple(engine.get_tensor_shape(name)),
                np.dtype(tensorrt.nptype(engine.get_tensor_dtype(name))).name,
                engine.get_tensor_location(name) == tensorrt.TensorLocation.DEVICE,
            )
        s = self.signature
        wanted = {t.name: (True, t.shape, t.dtype, True) for t in s.inputs}
        wanted |= {t.name: (False, t.shape, t.dtype, True) for t in s.outputs}
        wanted |= {t.name: (True, t.shape, t.dtype, True) for t in s.state}
        wanted |= {t.output: (False, t.shape, t.dtype, True) for t in s.state}
        if found != wanted:
            odd = sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))
            raise EngineError(f'the engine has other tensors than its package: {", ".join(odd)}')

    def _allocate(self) -> None:
        s = self.signature
        specs: tuple[TensorSpec | StateSpec, ...] = (*s.inputs, *s.outputs, *s.state)
        self._tensors = {t.name: DeviceTensor(self._gpu, t) for t in specs}
        self._next = {t.name: DeviceTensor(self._gpu, t) for t in s.state}
        addresses = {name: tensor.address for name, tensor in self._tensors.items()}
        addresses |= {t.output: self._next[t.name].address for t in s.state}
        for name, address in addresses.items():
            if not self._context.set_tensor_address(name, address):
                raise EngineError(f'no address for {name}: {told()}')

    def _capture(self) -> CudaGraph | None:
        for spec in self.signature.inputs:
            self._tensors[spec.name].fill(0, self._stream)
        self._enqueue()  # once before: loading of kernels would end the capture
        self._stream.synchronize()
        try:
            return CudaGraph(self._stream.handle, self._enqueue)
        except EngineError as error:
            _log.warning('%s: slower, because without a CUDA graph: %s', self.name, error)
            return None

    def _enqueue(self) -> None:
        """Put a step, and the return of its state, on the stream."""
        if not self._context.execute_async_v3(self._stream.handle):
            raise EngineError(f'TensorRT did not run the step: {told()}')
        for name, new in self._next.items():
            self._tensors[name].copy(new.address, self._stream)

    def run(self, inputs: Mapping[str, Any]) -> Arrays:
        """One step, of arrays on the host or on the GPU; see `Session.run`."""
        self.signature.check_inputs({name: _outline(value) for name, value in inputs.items()})
        try:
            with self._gpu.current():
                self._give(inputs)
                if self._graph:
                    self._graph.launch()
                else:
                    self._enqueue()
                return self._download(self.signature.outputs)
        except EngineError:
            self.reset()
            raise

    def device(self, name: str) -> DeviceTensor:
        """An input, an output or the state where the engine itself reads and writes it.

        To share it with PyTorch: `torch.as_tensor(session.device('image'), device='cuda')`. An
        input that is written there is given to `run` as it is, and is not copied.
        """
        return self._tensors[name]

    def state(self) -> Arrays:
        with self._gpu.current():
            return self._download(self.signature.state)

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.signature.check_state(state)
        with self._gpu.current():
            self._upload(state)
            self._stream.synchronize()

    def reset(self) -> None:
        self.set_state(self._initial)

    def poison(self) -> None:
        with self._gpu.current():
            for spec in self.signature.outputs:
                self._tensors[spec.name].fill(_NAN, self._stream)
            for tensor in self._next.values():
                tensor.fill(_NAN, self._stream)

    def _give(self, inputs: Mapping[str, Any]) -> None:
        on_gpu = {name: value for name, value in inputs.items() if _interface(value)}
        if on_gpu:
            self._gpu.driver.Context.synchronize()  # whoever makes them has a stream of its own
        for name, value in on_gpu.items():
            address = _interface(value)['data'][0]
            if address != self._tensors[name].address:
                self._tensors[name].copy(address, self._stream)
        self._upload({name: inputs[name] for name in inputs.keys() - on_gpu.keys()})

    def _upload(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        for name, array in arrays.items():
            self._tensors[name].host[...] = array
            self._tensors[name].upload(self._stream)

    def _download(self, specs: tuple[TensorSpec, ...] | tuple[StateSpec, ...]) -> Arrays:
        for spec in specs:
            self._tensors[spec.name].download(self._stream)
        self._stream.synchronize()
        return {spec.name: self._tensors[spec.name].host.copy() for spec in specs}


def _interface(value: Any) -> dict[str, Any]:
    """Where a tensor lies on the GPU; empty for an array on the host."""
    return getattr(value, '__cuda_array_interface__', None) or {}


def _outline(value: Any) -> NDArray[Any]:
    """An array of the shape and dtype of a tensor, without its content."""
    interface = _interface(value)
    if not interface:
        return np.asarray(value)
    if interface.get('strides'):
        raise InputError('an input on the GPU is not contiguous; give tensor.contiguous()')
    return np.broadcast_to(np.empty((), interface['typestr']), interface['shape'])
