# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A session of ONNX Runtime, on the CPU or with CUDA; the state never leaves the device."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.package import Package
from loc3r_ros.runtime.session import Arrays

PROVIDERS = {'cpu': 'CPUExecutionProvider', 'cuda': 'CUDAExecutionProvider'}


class OnnxSession:
    """Runs the graph of a package.

    Args:
        package: the graph, its signature and the initial state.
        device: `cpu`, `cuda`, which needs the package onnxruntime-gpu, or `auto`: CUDA if there.
        threads: of the CPU; 0: as many as cores.

    Raises:
        EngineError: ONNX Runtime is not installed, lacks the device, or refuses the graph.
    """

    def __init__(self, package: Package, device: str = 'auto', threads: int = 0) -> None:
        device = best_device() if device == 'auto' else device
        self._ort = ort = _onnxruntime(PROVIDERS[device])
        self._device = device
        self.name = f'onnxruntime {ort.__version__} on {device}'
        self.signature = package.signature
        self._initial = package.golden.initial
        self._state: dict[str, Any] = {}
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or _threads()
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                str(package.onnx), options, providers=[PROVIDERS[device]]
            )
        except Exception as error:  # onnxruntime has a dozen classes and no base of its own
            raise EngineError(f'{self.name} refuses {package.onnx.name}: {error}') from error
        if PROVIDERS[device] not in self._session.get_providers():
            raise EngineError(f'{self.name}: the provider did not start; see its log')
        self.reset()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """One step; see `Session`."""
        self.signature.check_inputs(inputs)
        binding = self._session.io_binding()
        for spec in self.signature.inputs:
            binding.bind_cpu_input(spec.name, inputs[spec.name])
        for name, value in self._state.items():
            binding.bind_ortvalue_input(name, value)
        for output in self.signature.outputs:
            binding.bind_output(output.name, 'cpu')
        for state in self.signature.state:
            binding.bind_output(state.output, self._device)
        try:
            self._session.run_with_iobinding(binding)
        except Exception as error:
            self.reset()
            raise EngineError(f'{self.name} failed: {error}') from error
        values = binding.get_outputs()
        outputs = self.signature.outputs
        self._state = dict(zip(self._state, values[len(outputs) :], strict=True))
        return {spec.name: value.numpy() for spec, value in zip(outputs, values, strict=False)}

    def state(self) -> Arrays:
        """A copy of the state; see `Session`."""
        return {name: value.numpy().copy() for name, value in self._state.items()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Start the next step from this state; see `Session`."""
        self.signature.check_state(state)
        make = self._ort.OrtValue.ortvalue_from_numpy
        names = [spec.name for spec in self.signature.state]
        self._state = {name: make(state[name].copy(), self._device, 0) for name in names}

    def reset(self) -> None:
        """Start the next step from the initial state."""
        self.set_state(self._initial)

    def poison(self) -> None:
        """Nothing to do: every step makes its outputs anew."""


def best_device() -> str:
    """CUDA, where the installed ONNX Runtime has it.

    Raises:
        EngineError: ONNX Runtime is not installed.
    """
    providers = _onnxruntime(PROVIDERS['cpu']).get_available_providers()
    return 'cuda' if PROVIDERS['cuda'] in providers else 'cpu'


def _threads() -> int:
    """What OMP_NUM_THREADS says, else the cores that the process may use."""
    return int(os.environ.get('OMP_NUM_THREADS', 0)) or len(os.sched_getaffinity(0))


def _onnxruntime(provider: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError(
            "onnxruntime is not installed: pip install 'loc3r_ros[engine]'"
        ) from error
    if provider not in onnxruntime.get_available_providers():
        raise EngineError(f'this onnxruntime has no {provider}: install onnxruntime-gpu')
    return onnxruntime
