# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Footage of a painted wall that a camera moves before: all of it known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.world.video import Footage

CAMERA = PinholeCamera(80, 60, 60.0, 60.0, 40.5, 29.0)
DISTANCE = 3.0


@dataclass(frozen=True)
class Wall:
    """Redder to the right, greener to the bottom; in the middle of each image a hole."""

    frames: int = 40

    def footage(self, seed: int, number: int) -> Footage:
        rng = np.random.default_rng((seed, number))
        turns = np.cumsum(rng.uniform(-0.02, 0.02, (self.frames, 3)), 0)
        places = np.cumsum(rng.uniform(-0.05, 0.05, (self.frames, 3)), 0)
        T = np.stack([pose(exp_so3(w), p) for w, p in zip(turns, places, strict=True)])
        rays = np.concatenate([CAMERA.rays, np.ones((60, 80, 1))], -1)
        facing = np.einsum('fij,hwj->fhwi', T[:, :3, :3], rays)
        depth = (DISTANCE - T[:, None, None, 2, 3]) / facing[..., 2]
        there = facing * depth[..., None] + T[:, None, None, :3, 3]
        rgb = np.concatenate([128 + 30 * there[..., :2], np.full((*depth.shape, 1), 90)], -1)
        depth[:, 28:32, 38:42] = np.nan
        return Footage(
            np.clip(rgb, 0, 255).astype(np.uint8),
            depth.astype(np.float32),
            np.zeros(depth.shape, np.int32),
            T,
            np.arange(self.frames) / 10,
            CAMERA,
        )
