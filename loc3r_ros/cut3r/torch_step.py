# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Sessions of PyTorch from weights: the fastest form of the step that a device has."""

from __future__ import annotations

import torch

from loc3r_ros.cut3r.graph import Step
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.packed import can_pack, has_bfloat16, packed
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.cuda_graph import CapturedStep
from loc3r_ros.runtime.torch_session import TorchSession

_NAMES = {torch.float32: 'float32', torch.bfloat16: 'bfloat16', torch.float16: 'float16'}


def precisions(device: torch.device) -> dict[str, torch.dtype]:
    """What is worth a self-test on a device, by its name in `selftest.LIMITS`."""
    has_narrow = device.type == 'cuda' or (can_pack() and has_bfloat16())
    return {'fp32': torch.float32} | ({'bf16': torch.bfloat16} if has_narrow else {})


def torch_session(
    model: Cut3r, variant: Variant, device: torch.device, dtype: torch.dtype
) -> TorchSession:
    """A session, not self-tested.

    On a CPU, float32 runs the plain modules and is the reference; narrow products are packed. On a
    GPU, the step is captured in a CUDA graph, in any precision.

    Args:
        model: in float32, on the device; it is left as it is.
        variant: what is fixed.
        device: of the model.
        dtype: of the products.
    """
    name = f'torch {torch.__version__} {_NAMES.get(dtype, dtype)} on {device}'
    if device.type == 'cpu':
        if dtype != torch.float32:
            model = packed(model, dtype) if can_pack() else narrowed(model, dtype)
            name += ', packed' if can_pack() else ''
        step = Step(model, variant)
        return TorchSession(
            step, step.signature, step.initial(), device=device, name=name, eager=True
        )
    step = Step(model if dtype == torch.float32 else narrowed(model, dtype), variant)
    if device.type != 'cuda':
        return TorchSession(
            step, step.signature, step.initial(), device=device, name=name, eager=True
        )
    try:
        captured = CapturedStep(step, step.signature, device)
    except RuntimeError as error:
        raise EngineError(f'{name}: no CUDA graph: {error}') from error
    return TorchSession(
        captured,
        step.signature,
        step.initial(),
        device=device,
        name=f'{name}, CUDA graph',
        eager=False,
    )


def narrowed(model: Cut3r, dtype: torch.dtype) -> Cut3r:
    """A model with narrow products that shares all else with the given one."""
    with torch.device('meta'):
        copy = Cut3r(model.config)
    copy.load_state_dict(model.state_dict(), assign=True)
    return copy.eval().set_precision(dtype)
