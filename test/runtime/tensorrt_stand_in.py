# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A TensorRT for tests: it takes down what is asked of it, and computes with a function of NumPy.

It knows one network, given as a function from inputs and state to outputs; an engine is a few bytes
of JSON. As TensorRT may, it writes to outputs before it has read all inputs: whoever lets an
output share the memory of an input gets NaN.
"""

from __future__ import annotations

import ctypes
import json
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cuda_stand_in import ORIN, CudaStandIn
from numpy_session import SIGNATURE, golden

from loc3r_ros.runtime.package import Package, golden_path, sha256
from loc3r_ros.runtime.session import Arrays, Signature
from loc3r_ros.runtime.tensorrt import gpu, graph

Compute = Callable[[Arrays], Arrays]


def one_line_network(given: Arrays) -> Arrays:
    """The network of `numpy_session`."""
    y = given['state'] + given['x'] / 2
    state = np.tanh(y[::-1]) if given['update'][0] else given['state']
    return {'y': y, 'state_out': state}


class TensorRtStandIn:
    """TensorRT and its GPU.

    Attributes:
        calls: name and arguments of what was asked of TensorRT.
        defect: `unwritten` leaves outputs alone, `off` is a little off, `forgets` the state;
            `no_enqueue`, `no_context`, `no_engine` fail to run; `no_builder`, `no_parser`,
            `no_driver` to build; a `shape_tensor` is wanted on the host.
        while_building: called between two steps of a build.
    """

    def __init__(
        self,
        version: str = '10.3.0',
        machine: tuple[str, tuple[int, int], int] = ORIN,
        signature: Signature = SIGNATURE,
        compute: Compute = one_line_network,
    ) -> None:
        self.version = version
        self.cuda = CudaStandIn(machine)
        self.signature = signature
        self.compute = compute
        self.calls: list[tuple[Any, ...]] = []
        self.defect = ''
        self.while_building: Callable[[], None] = lambda: None

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Be what `import tensorrt` and `import pycuda.driver` give."""
        patch.setitem(sys.modules, 'tensorrt', self._module())
        patch.setitem(sys.modules, 'pycuda', ModuleType('pycuda'))
        patch.setitem(sys.modules, 'pycuda.driver', self.cuda.driver())
        patch.setattr(graph, '_library', lambda: self.cuda)
        gpu.gpu.cache_clear()

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """Arguments of each call of that name."""
        return [arguments for called, *arguments in self.calls if called == name]

    def _module(self) -> ModuleType:
        module = ModuleType('tensorrt')
        eleven = int(self.version.split('.')[0]) >= 11
        module.__dict__.update(
            __version__=self.version,
            ILogger=_Logger,
            IProgressMonitor=_Monitor,
            NetworkDefinitionCreationFlag=SimpleNamespace(STRONGLY_TYPED=0 if eleven else 1),
            MemoryPoolType=SimpleNamespace(WORKSPACE='workspace'),
            BuilderFlag=SimpleNamespace(TF32='tf32'),
            TensorIOMode=SimpleNamespace(INPUT='in', OUTPUT='out'),
            TensorLocation=SimpleNamespace(DEVICE='gpu', HOST='host'),
            nptype=lambda dtype: dtype,
            Builder=lambda log: _Builder(self, log),
            OnnxParser=lambda network, log: _Parser(self, network),
            Runtime=lambda log: _Runtime(self, log),
        )
        return module


class _Logger:
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class _Monitor:
    pass


class _Builder:
    def __init__(self, owner: TensorRtStandIn, log: Any) -> None:
        if owner.defect == 'no_driver':
            log.log(_Logger.ERROR, 'CUDA initialization failure with error: 35')
            raise TypeError('pybind11::init(): factory function returned nullptr')
        self.owner, self.log = owner, log

    def create_network(self, flags: int) -> SimpleNamespace:
        self.owner.calls.append(('create_network', flags))
        return SimpleNamespace(source='')

    def create_builder_config(self) -> _Config:
        return _Config(self.owner)

    def build_serialized_network(self, network: Any, config: _Config) -> bytearray | None:
        owner, monitor = self.owner, config.progress_monitor
        owner.calls.append(('build', config.builder_optimization_level))
        monitor.phase_start('layers', None, 3)
        going = True
        for step in range(3):
            owner.while_building()
            going = going and monitor.step_complete('layers', step)
        monitor.phase_finish('layers')
        if owner.defect == 'no_builder' or not going:
            self.log.log(_Logger.ERROR, 'Could not find any\n implementation')
            return None
        config.get_timing_cache().content = b'measured'
        engine = {'version': owner.version, 'gpu': owner.cuda.gpu[0], 'source': network.source}
        return bytearray(json.dumps(engine).encode())


class _Config:
    def __init__(self, owner: TensorRtStandIn) -> None:
        self.owner = owner
        self.cache: Callable[[], _TimingCache | None] = lambda: None
        self.builder_optimization_level = 3
        self.progress_monitor: Any = None

    def set_memory_pool_limit(self, pool: str, nbytes: int) -> None:
        self.owner.calls.append(('set_memory_pool_limit', pool, nbytes))

    def clear_flag(self, flag: str) -> None:
        self.owner.calls.append(('clear_flag', flag))

    def create_timing_cache(self, content: bytes) -> Any:
        self.owner.calls.append(('create_timing_cache', content))
        return _TimingCache(content)

    def set_timing_cache(self, cache: _TimingCache, ignore_mismatch: bool) -> bool:
        self.cache = weakref.ref(cache)  # it is not the configuration's own
        return cache.content in (b'', b'measured') and not ignore_mismatch

    def get_timing_cache(self) -> _TimingCache:
        cache = self.cache()
        assert cache, 'the timing cache is used after its end'
        return cache


class _TimingCache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytearray:
        return bytearray(self.content)


class _Parser:
    def __init__(self, owner: TensorRtStandIn, network: Any) -> None:
        self.owner, self.network = owner, network
        self.num_errors = 2

    def parse_from_file(self, path: str) -> bool:
        self.network.source = Path(path).read_bytes().decode(errors='replace')[:16]
        return self.owner.defect != 'no_parser'

    def get_error(self, index: int) -> SimpleNamespace:
        return SimpleNamespace(
            node_name=lambda: f'attention_{index}',
            node_operator=lambda: 'Attention',
            desc=lambda: 'unsupported operator',
        )


class _Runtime:
    def __init__(self, owner: TensorRtStandIn, log: Any) -> None:
        self.owner, self.log = owner, log

    def deserialize_cuda_engine(self, plan: bytes) -> _Engine | None:
        self.owner.cuda.need_context()
        if self.owner.defect == 'no_engine':
            self.log.log(_Logger.ERROR, 'Serialization assertion failed')
            return None
        assert json.loads(plan)['version'] == self.owner.version
        return _Engine(self.owner)


class _Engine:
    def __init__(self, owner: TensorRtStandIn) -> None:
        self.owner = owner
        s = owner.signature
        self.tensors = {t.name: ('in', t) for t in (*s.inputs, *s.state)}
        self.tensors |= {t.name: ('out', t) for t in s.outputs}
        self.tensors |= {t.output: ('out', t) for t in s.state}
        self.num_io_tensors = len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_mode(self, name: str) -> str:
        return self.tensors[name][0]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.tensors[name][1].shape

    def get_tensor_dtype(self, name: str) -> type[Any]:
        return np.dtype(self.tensors[name][1].dtype).type

    def get_tensor_location(self, name: str) -> str:
        return 'host' if self.owner.defect == 'shape_tensor' and name == 'update' else 'gpu'

    def create_execution_context(self) -> _Context | None:
        return None if self.owner.defect == 'no_context' else _Context(self.owner, self)


class _Context:
    def __init__(self, owner: TensorRtStandIn, engine: _Engine) -> None:
        self.owner, self.engine = owner, engine
        self.addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.owner.calls.append(('set_tensor_address', name, address))
        self.addresses[name] = address
        return name in self.engine.tensors

    def execute_async_v3(self, handle: int) -> bool:
        self.owner.calls.append(('execute_async_v3', handle))
        if self.owner.defect == 'no_enqueue':
            return False
        self.owner.cuda.streams[handle].put(self._execute)
        return True

    def _execute(self) -> None:
        """Outputs are overwritten before the inputs are read."""
        if self.owner.defect == 'unwritten':
            return
        views = {name: self._view(name) for name in self.engine.tensors}
        for name, (mode, _) in self.engine.tensors.items():
            if mode == 'out':
                views[name].fill(np.nan)
        inputs = {
            n: views[n].copy() for n, (mode, _) in self.engine.tensors.items() if mode == 'in'
        }
        for name, value in self._computed(inputs).items():
            views[name][...] = value

    def _computed(self, inputs: Arrays) -> Arrays:
        outputs = self.owner.compute(inputs)
        states = {spec.output: spec.name for spec in self.owner.signature.state}
        if self.owner.defect == 'off':
            return {n: v if n in states else v * 1.005 for n, v in outputs.items()}
        if self.owner.defect == 'forgets':
            return {n: inputs[states[n]] if n in states else v for n, v in outputs.items()}
        return outputs

    def _view(self, name: str) -> np.ndarray:
        spec = self.engine.tensors[name][1]
        dtype = np.dtype(spec.dtype)
        nbytes = dtype.itemsize * int(np.prod(spec.shape))
        memory = (ctypes.c_uint8 * nbytes).from_address(self.addresses[name])
        return np.frombuffer(memory, dtype).reshape(spec.shape)


def package_in(
    folder: Path, weights: str = 'abc', graph: bytes = b'graph', **change: Any
) -> Package:
    """The package of the one-line network."""
    (folder / 'net.onnx').write_bytes(graph)
    golden().write(golden_path(folder, 'net'))
    files = {f: sha256(folder / f) for f in ('net.onnx', 'net.golden.safetensors')}
    about = {'precision': 'fp32', 'opset': 20, 'attention': 'decomposed'} | change
    package = Package(folder, 'net', weights, signature=SIGNATURE, files=files, **about)
    package.write()
    return package
