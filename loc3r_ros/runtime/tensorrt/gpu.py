# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The GPU through pycuda: its primary context, which is PyTorch's too, and tensors on it."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.session import StateSpec, TensorSpec


class Gpu:
    """One GPU: number 0, or the one that CUDA_DEVICE names.

    This is the context of `pycuda.autoprimaryctx`, without importing that module: it leaves the
    context current in the thread that imports it, and a thread that ends so aborts the process.
    Here it is current only inside `current()`, in whatever thread that is.

    Attributes:
        driver: the module `pycuda.driver`.
        name: of the GPU; a Jetson's says `Orin` whichever it is.
        compute_capability: as `8.7`.
        multiprocessors: count; on a Jetson it changes with the power mode.
    """

    def __init__(self) -> None:
        try:
            self.driver = driver = importlib.import_module('pycuda.driver')
        except ImportError as error:
            raise EngineError(
                f'pycuda cannot be imported ({error}); it is built from source by '
                'pip install pycuda, with nvcc (/usr/local/cuda/bin) on PATH'
            ) from error
        try:
            driver.init()
            device = driver.Device(int(os.environ.get('CUDA_DEVICE', '0')))
            self._context = device.retain_primary_context()
        except (driver.Error, ValueError) as error:
            raise EngineError(f'no usable GPU: {error}') from error
        self.name: str = device.name()
        self.compute_capability = '{}.{}'.format(*device.compute_capability())
        self.multiprocessors = int(
            device.get_attribute(driver.device_attribute.MULTIPROCESSOR_COUNT)
        )

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the context this thread's own for a while.

        Raises:
            EngineError: instead of any error of CUDA's that happens inside.
        """
        self._context.push()
        try:
            yield
        except self.driver.Error as error:
            raise EngineError(f'CUDA on {self.name}: {error}') from error
        finally:
            self._context.pop()

    def free_bytes(self) -> int:
        """Memory that is free now; on a Jetson that of the whole machine."""
        with self.current():
            return int(self.driver.mem_get_info()[0])


@cache
def gpu() -> Gpu:
    """The GPU of this process.

    Raises:
        EngineError: pycuda is missing, or there is no GPU.
    """
    return Gpu()


class DeviceTensor:
    """A tensor in GPU memory, with an array of its shape on the host.

    It can be viewed without a copy: `torch.as_tensor(tensor, device='cuda')`. Make and use it
    inside `Gpu.current()`.

    Attributes:
        nbytes: size.
        address: in GPU memory.
    """

    def __init__(self, gpu: Gpu, spec: TensorSpec | StateSpec) -> None:
        self._driver = gpu.driver
        self._dtype = np.dtype(spec.dtype)
        self._shape = spec.shape
        self.nbytes = self._dtype.itemsize * math.prod(spec.shape)
        self._memory = gpu.driver.mem_alloc(self.nbytes)
        self.address = int(self._memory)

    @cached_property
    def host(self) -> NDArray[Any]:
        """An array of this shape in page-locked memory."""
        array: NDArray[Any] = self._driver.pagelocked_empty(self._shape, self._dtype)
        return array

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            'shape': self._shape,
            'typestr': self._dtype.str,
            'data': (self.address, False),
            'strides': None,
            'version': 3,
        }

    def upload(self, stream: Any) -> None:
        """Copy the host's array to the GPU."""
        self._driver.memcpy_htod_async(self.address, self.host, stream)

    def download(self, stream: Any) -> None:
        """Copy from the GPU to the host's array."""
        self._driver.memcpy_dtoh_async(self.host, self.address, stream)

    def copy(self, address: int, stream: Any) -> None:
        """Copy from elsewhere in GPU memory."""
        self._driver.memcpy_dtod_async(self.address, address, self.nbytes, stream)

    def fill(self, byte: int, stream: Any) -> None:
        """Set every byte in GPU memory."""
        self._driver.memset_d8_async(self.address, byte, self.nbytes, stream)
