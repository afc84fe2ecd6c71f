# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Images as SigLIP takes them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from loc3r_ros.errors import InputError


def preprocess(rgb: NDArray[np.uint8], size: int) -> torch.Tensor:
    """Squeeze a whole image to a square and scale it to [-1, 1].

    As LLaVA-Video's image processor does, with the same library: bicubic, anti-aliased, rounded
    to bytes, then mean and deviation of 0.5.

    Args:
        rgb: uint8 (H, W, 3).
        size: side of the square, pixels.

    Returns:
        float32 (3, size, size).

    Raises:
        InputError: the image has another shape or type.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise InputError(f'image of {rgb.dtype} {rgb.shape}: give RGB, uint8 (H, W, 3)')
    image = Image.fromarray(np.ascontiguousarray(rgb))
    squeezed = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), np.float32)
    return torch.from_numpy(np.ascontiguousarray(squeezed.transpose(2, 0, 1)) / 127.5 - 1)
