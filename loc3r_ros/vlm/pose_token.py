# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A camera token for a pose that is known: numbers that a language model can tell places by.

Loc3R-VLM is told where each image was taken by CUT3R's camera token. A robot with depth knows it to
a centimetre without CUT3R; the package's own model was taught to read that, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array

WAVES_M = (8.0, 4.0, 2.0, 1.0, 0.5)
"""Lengths of waves that a place is told by: near places differ as much as far ones do."""


def pose_token(T_bev_camera: Array, width: int) -> NDArray[np.float32]:
    """Poses spelled out.

    Args:
        T_bev_camera: (..., 4, 4) m, optical frames in the BEV frame (`vlm.situated`).
        width: of a token; one of less than 42 numbers has but some of the waves.

    Returns:
        (..., width): rotation and translation row by row, sines and cosines of the place; the rest
        is 0.
    """
    spelled = T_bev_camera[..., :3, :].reshape(*T_bev_camera.shape[:-2], 12)
    phases = T_bev_camera[..., :3, 3, None] * (2 * np.pi / np.array(WAVES_M))
    waves = np.concatenate([np.sin(phases), np.cos(phases)], -1)
    numbers = np.concatenate([spelled, waves.reshape(*spelled.shape[:-1], -1)], -1)
    token = np.zeros((*numbers.shape[:-1], width), np.float32)
    known = min(width, numbers.shape[-1])
    token[..., :known] = numbers[..., :known]
    return token
