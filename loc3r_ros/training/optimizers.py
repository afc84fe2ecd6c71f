# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What takes the steps of a training run: AdamW, beside Muon where a recipe asks for it."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loc3r_ros.errors import InputError

NARROW = 64
"""Matrices with a shorter side than this read a head off, or lead into the net: AdamW's."""


def optimizers(task: nn.Module, rate: float, decay: float, muon: float) -> list[Optimizer]:
    """Those that train what of a task requires a gradient.

    Each of their groups has its own 'initial_lr', which a schedule is to multiply.

    Args:
        task: whose parameters are trained.
        rate: of AdamW.
        decay: of weights, matrices only.
        muon: how many times that rate matrices within the net learn at, by Muon
            (arXiv 2502.16982, whose steps are as long as AdamW's); 0: AdamW trains all.

    Raises:
        InputError: this PyTorch has no Muon.
    """
    trained = [p for p in task.parameters() if p.requires_grad]
    inner = _inner(task) if muon else set[Tensor]()
    groups = [
        {'params': [p for p in trained if p.dim() > 1 and p not in inner], 'weight_decay': decay},
        {'params': [p for p in trained if p.dim() <= 1], 'weight_decay': 0.0},
    ]
    made: list[Optimizer] = [torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))]
    if muon:
        if not hasattr(torch.optim, 'Muon'):
            raise InputError(
                f'PyTorch {torch.__version__} has no Muon, which this recipe trains with: '
                "pip install 'torch>=2.9'"
            )
        matrices = [p for p in trained if p in inner]
        made.append(
            torch.optim.Muon(
                matrices, lr=muon * rate, weight_decay=decay, adjust_lr_fn='match_rms_adamw'
            )
        )
    for group in chain.from_iterable(one.param_groups for one in made):
        group['initial_lr'] = group['lr']
    return made


def _inner(task: nn.Module) -> set[Tensor]:
    """Matrices that lead from one hidden state to another; embeddings, though tied, are none."""
    tables = {part.weight for part in task.modules() if isinstance(part, nn.Embedding)}
    layers = (part.weight for part in task.modules() if isinstance(part, nn.Linear))
    return {w for w in layers if min(w.shape) >= NARROW and w not in tables}
