# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Tell one model from another without reading all of its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from torch import Tensor

from loc3r_ros.cut3r.model import Cut3r

_SAMPLES = 64


def fingerprint(model: Cut3r) -> str:
    """Hash of the configuration, and of each tensor's name, shape, dtype and 64 spread values.

    Training touches every tensor as a whole, so that samples show it; a hash of all 3 GB would
    take seconds at each save.
    """
    return digest_of(model.config.to_json(), sorted(model.state_dict().items()))


def digest_of(config: str, tensors: Iterable[tuple[str, Tensor]]) -> str:
    """The same of any model: its configuration as text, and its tensors sorted by name."""
    digest = hashlib.sha256(config.encode())
    for name, tensor in tensors:
        flat = tensor.detach().flatten()
        samples = flat[:: max(1, flat.numel() // _SAMPLES)][:_SAMPLES].float().cpu()
        digest.update(f'{name} {tuple(tensor.shape)} {tensor.dtype}'.encode())
        digest.update(samples.numpy().tobytes())
    return digest.hexdigest()[:32]
