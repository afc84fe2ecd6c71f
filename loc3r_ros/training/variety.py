# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Few rooms made to look like many: other frames of them, other colours.

A network of seven million numbers can learn by heart where the sofas of six hundred videos are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from loc3r_ros.training.bank import SHOWN
from loc3r_ros.world.video import Footage

TINT = 0.3
"""By how much the gain of each colour may differ from one."""


def frames_of(count: int, stride: int, rng: Generator | None = None) -> NDArray[np.int64]:
    """One in `stride` of so many frames, in order: the first of each, or any that is `SHOWN`."""
    first = np.arange(0, count, stride)
    if rng is None or stride <= SHOWN:
        return first
    return np.minimum(first + SHOWN * rng.integers(stride // SHOWN, size=len(first)), count - 1)


def tinted(footage: Footage, rng: Generator) -> Footage:
    """Under light of another colour."""
    gain = rng.uniform(1 - TINT, 1 + TINT, 3).astype(np.float32)
    return replace(footage, rgb=np.clip(footage.rgb * gain, 0, 255).astype(np.uint8))
