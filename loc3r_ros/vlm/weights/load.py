# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Load a folder of weights: shard by shard into an empty model, never two copies at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.model.loc3r import Loc3rVlm, build
from loc3r_ros.vlm.open import PRECISIONS
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights.folder import WeightsFolder, look
from loc3r_ros.vlm.weights.quantize import Quantizer
from loc3r_ros.vlm.weights.report import LoadReport
from loc3r_ros.vlm.weights.shards import read_tensors
from loc3r_ros.vlm.weights.words import read_words

_DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
_INTEGERS = ('int8', 'int4')


def load(
    path: Path | str,
    *,
    precision: str = 'auto',
    device: str = 'auto',
    allow: Sequence[str] = (),
) -> tuple[Loc3rVlm, Words, LoadReport]:
    """The model and the tokenizer of a folder, in eval mode.

    Args:
        path: folder of LLaVA-Video-7B-Qwen2 or Loc3R-VLM as published, or of `save`; or a file in
            it. Weights that need no conversion are mapped from it: keep it in place.
        precision: fp32, bf16 or fp16; int8 or int4: so are the linear layers of the language
            model, by torchao, and the rest is as in auto; auto: bf16 on a GPU that has it, else
            fp16; fp32 on a CPU.
        device: cpu, cuda, cuda:1, ...; auto: a GPU if any.
        allow: fnmatch patterns of keys that may be missing or unexpected. What is missing gets
            small random values, always the same; `OWN_PARTS` lets a LLaVA-Video in.

    Raises:
        CheckpointError: the weights are damaged or do not fit; the message names what and the
            remedy.
        InputError: no such precision or device.
    """
    place = _device(device)
    if precision not in PRECISIONS:
        raise InputError(f'precision {precision!r} is unknown; use one of {", ".join(PRECISIONS)}')
    folder = look(path)
    folder.check(allow)
    words = read_words(folder)
    name, dtype = _resolve(precision, place)
    model = build(folder.plan.config, 'meta', dtype)
    quantizer = Quantizer(precision, model.language, place) if precision in _INTEGERS else None
    _fill(model, folder, dtype, place, quantizer)
    return model, words, folder.report(name)


def _fill(
    model: Loc3rVlm,
    folder: WeightsFolder,
    dtype: torch.dtype,
    device: torch.device,
    quantizer: Quantizer | None,
) -> None:
    for key, tensor in read_tensors(folder.stored):
        _assign(model, key, tensor.to(device, dtype), quantizer)
    generator = torch.Generator().manual_seed(0)
    for key in folder.missing:
        tensor = _fresh(key, model.get_parameter(key).shape, generator)
        _assign(model, key, tensor.to(device, dtype), quantizer)
    model.tie()
    model.to(device)  # what is left: the constants


def _assign(model: nn.Module, key: str, tensor: Tensor, quantizer: Quantizer | None) -> None:
    layer_name, _, name = key.rpartition('.')
    layer = model.get_submodule(layer_name)
    setattr(layer, name, nn.Parameter(tensor, requires_grad=False))
    if quantizer and key.startswith('language.') and name == 'weight':
        quantizer(layer)


def _fresh(key: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """First values of a tensor that no file holds: norms 1, biases 0, others small and random."""
    if key.endswith('.bias'):
        return torch.zeros(shape)
    if len(shape) == 1 and key.endswith('.weight'):
        return torch.ones(shape)
    return 0.02 * torch.randn(shape, generator=generator)


def _device(name: str) -> torch.device:
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f'device {name!r} cannot be used ({reason}); use cpu or auto') from error
    return device


def _resolve(precision: str, device: torch.device) -> tuple[str, torch.dtype]:
    """The name that the report gives, and the dtype of all that is not quantized."""
    if precision in _DTYPES:
        return precision, _DTYPES[precision]
    if device.type != 'cuda':
        plain = 'fp32'
    else:
        plain = 'bf16' if torch.cuda.is_bf16_supported(including_emulation=False) else 'fp16'
    return plain if precision == 'auto' else precision, _DTYPES[plain]
