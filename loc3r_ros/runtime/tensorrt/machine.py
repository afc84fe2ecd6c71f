# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What an engine is bound to: TensorRT, the GPU and the operating system of one machine."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.runtime.tensorrt.bindings import load
from loc3r_ros.runtime.tensorrt.gpu import gpu

_BOARD = Path('/proc/device-tree/model')


@dataclass(frozen=True)
class Machine:
    """An engine runs only where all of this is the same as where it was built.

    Attributes:
        tensorrt: full version.
        gpu: name, as CUDA has it.
        compute_capability: as `8.7`.
        multiprocessors: of the GPU; on a Jetson it changes with the power mode.
        system: operating system and processor, as `Linux aarch64`.
    """

    tensorrt: str
    gpu: str
    compute_capability: str
    multiprocessors: int
    system: str

    def __str__(self) -> str:
        return f'{self._gpu()}, TensorRT {self.tensorrt}, {self.system}'

    def difference(self, other: Machine) -> str:
        """In which way `other` cannot run what was built on this machine; empty if it can."""
        if self.system != other.system:
            return f'it is for {self.system}, this machine is {other.system}'
        if self._gpu() != other._gpu():
            return f'it is for the GPU {self._gpu()}, this one is {other._gpu()}'
        if self.tensorrt != other.tensorrt:
            return f'it was built by TensorRT {self.tensorrt}, here is {other.tensorrt}'
        return ''

    def _gpu(self) -> str:
        return (
            f'{self.gpu} (compute capability {self.compute_capability}, '
            f'{self.multiprocessors} multiprocessors)'
        )


def this_machine() -> Machine:
    """The machine that this runs on.

    Raises:
        EngineError: TensorRT or pycuda is missing, or there is no GPU.
    """
    version, device = load().__version__, gpu()
    return Machine(
        tensorrt=version,
        gpu=device.name,
        compute_capability=device.compute_capability,
        multiprocessors=device.multiprocessors,
        system=f'{platform.system()} {platform.machine()}',
    )


def board() -> str:
    """Name of the board, as `NVIDIA Jetson Orin Nano Developer Kit`; empty on a desktop."""
    try:
        return _BOARD.read_text(errors='replace').strip('\0\n ')
    except OSError:
        return ''
