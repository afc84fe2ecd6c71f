# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The steps that every engine of a network is tested with, and what float32 makes of them."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from loc3r_ros.cut3r.graph import Step
from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.golden import Golden
from loc3r_ros.runtime.selftest import relative_error
from loc3r_ros.runtime.session import Arrays
from loc3r_ros.runtime.torch_session import TorchSession

STEPS = 32
_RESET_AFTER = 3
_WITHOUT_UPDATE = 6
_SMALL = 10_000
_LEAST_DEPENDENCE = 0.1


def golden_steps(
    step: Step,
    steps: int = STEPS,
    *,
    without: Collection[str] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Golden:
    """Take the steps in float32, eagerly.

    The first step is a first frame, one resets the state early on, and one does not update it, so
    that a flag without effect shows. Large outputs are kept of the last step only.

    Args:
        step: with float32 weights.
        steps: how many.
        without: outputs that are not kept.
        progress: told of each step taken.

    Raises:
        EngineError: the outputs hardly depend on the state, so that an engine which loses its
            state could not be told from one that carries it.
    """
    device = step.start_state.device
    session = TorchSession(
        step, step.signature, step.initial(), device=device, name='float32', eager=True
    )
    inputs = _inputs(step, steps)
    kept: dict[str, list[NDArray[np.float32]]] = {}
    for index in range(steps):
        outputs = session.run({name: rows[index] for name, rows in inputs.items()})
        for name, value in outputs.items():
            if name not in without and (value.size < _SMALL or index == steps - 1):
                kept.setdefault(name, []).append(value)
        progress(index + 1)
    final = session.state()
    session.reset()
    forgetful = session.run({name: rows[-1] for name, rows in inputs.items()})
    error = max(relative_error(forgetful[name], kept[name][-1]) for name in kept)
    if not error > _LEAST_DEPENDENCE:
        raise EngineError(
            f'the last step depends on the state by {error:.1e} only: a lost state would not show; '
            'are these trained weights?'
        )
    stacked = {name: np.stack(rows) for name, rows in kept.items()}
    forgetful = {name: forgetful[name] for name in kept}
    return Golden(step.initial(), inputs, stacked, final, forgetful)


def _inputs(step: Step, steps: int) -> Arrays:
    flags = {name: np.zeros((steps, 1), bool) for name in ('first_frame', 'update', 'reset')}
    flags['first_frame'][0] = True
    flags['reset'][_RESET_AFTER] = True
    flags['update'][:] = True
    flags['update'][_WITHOUT_UPDATE] = False
    return {'image': moving_pictures(step.variant.height, step.variant.width, steps), **flags}


def moving_pictures(height: int, width: int, count: int) -> NDArray[np.uint8]:
    """(count, 1, height, width, 3): a window that glides over a picture of soft random spots."""
    generator = torch.Generator().manual_seed(0)
    spots = torch.rand(1, 3, max(height // 8, 4), max(width // 8, 4), generator=generator)
    size = height + 2 * count, width + 2 * count
    picture = functional.interpolate(spots, size, mode='bicubic', align_corners=False)
    pixels = (255 * picture[0].clamp(0, 1)).byte().permute(1, 2, 0).numpy()
    windows = [pixels[2 * i : 2 * i + height, i : i + width] for i in range(count)]
    return np.stack(windows)[:, None]
