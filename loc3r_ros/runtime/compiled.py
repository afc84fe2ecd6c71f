# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A step compiled by PyTorch's inductor: on a CPU by a C++ compiler, on a GPU by Triton."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.session import Signature


def compile_step(
    step: Callable[..., tuple[Tensor, ...]], signature: Signature, device: torch.device
) -> Callable[..., tuple[Tensor, ...]]:
    """Compile a step, whole, and run it once; minutes for a network of full size.

    Raises:
        EngineError: there is no compiler, or it fails; eager execution still serves.
    """
    specs = [(spec.shape, spec.dtype) for spec in signature.inputs]
    specs += [(spec.shape, spec.dtype) for spec in signature.state]
    example = [torch.zeros(s, dtype=getattr(torch, d), device=device) for s, d in specs]
    fast = torch.compile(step, fullgraph=True, dynamic=False)
    try:
        with torch.inference_mode():
            fast(*example)
    except Exception as error:  # what a compiler that is missing or fails raises is not one class
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineError(f'torch.compile: {told[0]}') from error
    return fast
