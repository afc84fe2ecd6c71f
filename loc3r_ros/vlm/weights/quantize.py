# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Weights of 8 or 4 bits, by torchao."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from loc3r_ros.errors import CheckpointError

GROUPS = (128, 64, 32)
"""Neighbouring int4 weights that share a scale: the largest of these that divides all rows."""


class Quantizer:
    """Turns linear layers of the language model to integers, one by one as they are loaded.

    What they compute stays in floating point; heads, image tower and projectors stay as they are.

    Raises:
        CheckpointError: torchao is not installed, or rows do not divide into groups.
    """

    def __init__(self, precision: str, language: nn.Module, device: torch.device) -> None:
        rows = {m.in_features for m in language.modules() if isinstance(m, nn.Linear)}
        try:
            self._config = _config(precision, rows, device)
        except ImportError as error:
            raise CheckpointError(
                f'precision {precision} needs torchao ({error}): pip install "loc3r_ros[quant]", '
                'or choose fp32, bf16 or fp16'
            ) from error

    def __call__(self, layer: nn.Module) -> None:
        from torchao.quantization import quantize_

        if isinstance(layer, nn.Linear):
            quantize_(layer, self._config, filter_fn=lambda module, name: True)


def _config(precision: str, rows: set[int], device: torch.device) -> Any:
    from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig

    if precision == 'int8':
        return Int8WeightOnlyConfig(set_inductor_config=False)
    group = next((g for g in GROUPS if not any(width % g for width in rows)), 0)
    if not group:
        raise CheckpointError(
            f'precision int4 needs widths that are multiples of {GROUPS[-1]}; these are '
            f'{sorted(rows)}: choose int8'
        )
    if device.type == 'cuda':
        return Int4WeightOnlyConfig(
            group_size=group, int4_packing_format='tile_packed_to_4d', set_inductor_config=False
        )
    # On CPUs int4 is still among torchao's prototypes.
    from torchao.prototype.quantization.int4 import PrototypeInt4WeightOnlyConfig

    return PrototypeInt4WeightOnlyConfig(group_size=group, set_inductor_config=False)
