# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Sessions of PyTorch from weights: the fastest form of the step that a device has."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from loc3r_ros.cut3r.graph import Step
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.packed import can_pack, has_bfloat16, packed
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.compiled import compile_step
from loc3r_ros.runtime.cuda_graph import CapturedStep
from loc3r_ros.runtime.torch_session import TorchSession

_NAMES = {torch.float32: 'fp32', torch.bfloat16: 'bf16', torch.float16: 'fp16'}


class Form(NamedTuple):
    """How PyTorch runs a step.

    Attributes:
        precision: its name in `selftest.LIMITS`.
        dtype: of the products.
        pack: whether they are packed for oneDNN; on a CPU only.
        compiled: whether inductor compiles the step; not together with `pack`.
    """

    precision: str
    dtype: torch.dtype
    pack: bool = False
    compiled: bool = False


PLAIN = Form('fp32', torch.float32)
"""The plain modules: what all else is tested against."""


def forms(device: torch.device, *, compiled: bool = False) -> list[Form]:
    """What is worth a self-test on a device."""
    if compiled:
        fast = device.type == 'cuda' or has_bfloat16()
        plain = [PLAIN, Form('bf16', torch.bfloat16)] if fast else [PLAIN]
        return [form._replace(compiled=True) for form in plain]
    if device.type == 'cuda':
        return [PLAIN, Form('bf16', torch.bfloat16)]
    if device.type != 'cpu' or not can_pack():
        return [PLAIN]
    narrow = [Form('bf16', torch.bfloat16, pack=True)] if has_bfloat16() else []
    return [PLAIN, Form('fp32', torch.float32, pack=True), *narrow]


def form_of(dtype: torch.dtype, device: torch.device) -> Form:
    """The form that a user means who names a dtype."""
    if dtype == torch.float32:
        return PLAIN
    return Form(_NAMES.get(dtype, str(dtype)), dtype, device.type == 'cpu' and can_pack())


def torch_session(model: Cut3r, variant: Variant, device: torch.device, form: Form) -> TorchSession:
    """A session, not self-tested.

    On a GPU, the step is captured in a CUDA graph.

    Args:
        model: in float32, on the device; it is left as it is.
        variant: what is fixed.
        device: of the model.
        form: how it runs.
    """
    name = f'torch {torch.__version__} {str(form.dtype).removeprefix("torch.")} on {device}'
    if form.pack:
        model, name = packed(model, form.dtype), f'{name}, packed'
    elif form.dtype != torch.float32:
        model = narrowed(model, form.dtype)
    step = Step(model, variant)
    run: Callable[..., tuple[Tensor, ...]] = step
    if form.compiled:
        run, name = compile_step(step, step.signature, device), f'{name}, compiled'
    if device.type != 'cuda':
        return TorchSession(
            run,
            step.signature,
            step.initial(),
            device=device,
            name=name,
            eager=not form.compiled,
        )
    try:
        captured = CapturedStep(run, step.signature, device)
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
