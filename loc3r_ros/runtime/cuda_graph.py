# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A step of PyTorch captured in one CUDA graph. Not run by this project's own tests: no GPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from loc3r_ros.runtime.session import Signature

_WARM_UP = 3
"""Runs before the capture, in which libraries choose kernels and take their workspaces."""


class CapturedStep:
    """Replays a step on fixed buffers.

    What it returns are the buffers of the outputs: read them before the next call. To give a new
    state back as the next one's input is one copy on the GPU.

    Args:
        step: of tensors, with flags as tensors; nothing in it waits for the GPU.
        signature: its edge.
        device: a CUDA device.
    """

    def __init__(
        self, step: Callable[..., tuple[Tensor, ...]], signature: Signature, device: torch.device
    ) -> None:
        specs = [(spec.shape, spec.dtype) for spec in signature.inputs]
        specs += [(spec.shape, spec.dtype) for spec in signature.state]
        self._inputs = [
            torch.zeros(shape, dtype=getattr(torch, dtype), device=device) for shape, dtype in specs
        ]
        self._graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.inference_mode(), torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                step(*self._inputs)
        torch.cuda.current_stream(device).wait_stream(stream)
        with torch.inference_mode(), torch.cuda.graph(self._graph):
            self._outputs = step(*self._inputs)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Copy in, replay."""
        for buffer, value in zip(self._inputs, inputs, strict=True):
            buffer.copy_(value, non_blocking=True)
        self._graph.replay()
        return self._outputs
