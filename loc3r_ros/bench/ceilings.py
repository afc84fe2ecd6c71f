# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a device can do at most: a large product and a large copy, measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypedDict

import torch

from loc3r_ros.cut3r.packed import PackedLinear, can_pack

_SIDE = {'cpu': 2048, 'cuda': 8192}
_COPY_BYTES = {'cpu': 2**28, 'cuda': 2**32}
_REPEATS = 5


class Ceilings(TypedDict):
    """Products by their dtype, and copies (read and written bytes counted)."""

    gflop_per_s: dict[str, float]
    copy_gb_per_s: float


def ceilings(device: torch.device) -> Ceilings:
    """The best of a few repeats of each; a second or so in all."""
    kind = device.type if device.type in _SIDE else 'cpu'
    side = _SIDE[kind]
    products = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.randn(side, side, device=device).to(dtype)
        seconds = _best(partial(torch.mm, a, a, out=torch.empty_like(a)), device)
        if device.type == 'cpu' and can_pack():  # oneDNN, which may be twice as fast as the other
            layer = PackedLinear(a, a[0], dtype)
            with torch.inference_mode():
                seconds = min(seconds, _best(partial(layer, a), device))
        products[str(dtype).removeprefix('torch.')] = round(2e-9 * side**3 / seconds, 1)
    source = torch.ones(_COPY_BYTES[kind] // 4, device=device)
    target = torch.empty_like(source)
    copy = 2e-9 * source.nbytes / _best(partial(target.copy_, source), device)
    return {'gflop_per_s': products, 'copy_gb_per_s': round(copy, 1)}


def _best(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of the fastest repeat."""
    seconds = []
    for _ in range(1 + _REPEATS):
        start = time.perf_counter()
        work()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
