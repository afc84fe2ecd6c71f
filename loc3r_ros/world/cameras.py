# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Cameras as they come: phones, webcams and depth cameras differ in lens and format."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from loc3r_ros.camera import PinholeCamera

ASPECTS = (4 / 3, 16 / 9, 1.0)
"""Width over height; each is as likely."""

FOV_MIN, FOV_MAX = np.radians(55.0), np.radians(85.0)
"""Field of view along the width, rad."""

OFF_CENTRE = 0.02
"""The principal point lies within this share of each side from the middle."""


def draw_camera(rng: Generator, long_side: int) -> PinholeCamera:
    """A camera without distortion whose image is `long_side` pixels wide."""
    height = round(long_side / ASPECTS[rng.integers(len(ASPECTS))])
    f = 0.5 * long_side / np.tan(0.5 * rng.uniform(FOV_MIN, FOV_MAX))
    x, y = rng.uniform(-OFF_CENTRE, OFF_CENTRE, 2)
    cx, cy = (0.5 + x) * long_side - 0.5, (0.5 + y) * height - 0.5
    return PinholeCamera(long_side, height, float(f), float(f), float(cx), float(cy))
