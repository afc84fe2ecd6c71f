# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which errors mean that memory has run out, and giving back what is no longer used."""

from __future__ import annotations

import gc

import torch

OUT_OF_MEMORY = (RuntimeError, MemoryError)
"""What to catch; torch raises a RuntimeError on the CPU, and a kind of it on a GPU."""

_SIGNS = ('out of memory', "can't allocate memory", 'alloc_failed')


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory has run out, of the GPU or of the machine."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(s in str(error).lower() for s in _SIGNS)


def release_memory() -> None:
    """Give the system what nothing refers to, so that other sizes fit in."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
