# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""safetensors files: written tensor by tensor and whole or not at all, read without surprises."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from loc3r_ros.errors import InputError

_DTYPES = {torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.int64: 'I64'}


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str],
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Write a safetensors file by way of a temporary one, so that `path` is never partial.

    Args:
        path: file to make or to replace.
        tensors: float32, float16, bfloat16 or int64; never all in memory at once.
        metadata: text stored in the header.
        progress: told of the bytes of each tensor written.

    Raises:
        InputError: the folder is missing or cannot be written to, or the disk is full.
    """
    partial = path.with_name(f'{path.name}.{os.getpid()}.partial')
    try:
        with partial.open('wb') as file:
            file.write(_header(tensors, metadata))
            for tensor in tensors.values():
                file.write(_bytes(tensor))
                progress(tensor.nbytes)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise InputError(f'cannot write {path}: {error.strerror}; nothing was changed') from error
    finally:
        partial.unlink(missing_ok=True)


def _header(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, object] = {'__metadata__': dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        entries[name] = {
            'dtype': _DTYPES[tensor.dtype],
            'shape': list(tensor.shape),
            'data_offsets': [start, end],
        }
    text = json.dumps(entries, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return len(text).to_bytes(8, 'little') + text


def _bytes(tensor: Tensor) -> Any:
    """The memory of a tensor, little-endian as every machine that PyTorch runs on."""
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file, on the CPU.

    Raises:
        InputError: missing, truncated, or not a safetensors file.
    """
    try:
        with safe_open(path, framework='pt') as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise InputError(f'{path}: not a whole safetensors file ({error})') from error
