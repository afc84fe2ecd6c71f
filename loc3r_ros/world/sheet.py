# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A contact sheet of a scene: the plan from above, and what one sees on a way through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import pose
from loc3r_ros.world.path import Path
from loc3r_ros.world.renderer import Renderer
from loc3r_ros.world.robot import camera_of
from loc3r_ros.world.scene import Scene

TILE = (320, 240)
"""Size of a view, pixels."""

COLUMNS = 4

_FLIGHT = 6.0
"""Height of the camera above, in widths of the scene: far enough that walls hide little."""


def contact_sheet(scene: Scene, path: Path, views: int = 12) -> NDArray[np.uint8]:
    """(H, W, 3) the plan to the left of `views` frames spread over the path's duration."""
    camera = camera_of(*TILE)
    poses = path.camera_poses(np.linspace(0.0, path.duration, views, endpoint=False))
    frames = Renderer(scene).render(camera, poses).rgb.numpy()
    blank = np.zeros_like(frames[:1])
    rows = -(-views // COLUMNS)
    frames = np.concatenate([frames, *[blank] * (rows * COLUMNS - views)])
    grid = frames.reshape(rows, COLUMNS, *frames.shape[1:]).transpose(0, 2, 1, 3, 4)
    grid = grid.reshape(rows * TILE[1], COLUMNS * TILE[0], 3)
    return np.concatenate([plan_view(scene, grid.shape[0]), grid], 1)


def plan_view(scene: Scene, side: int) -> NDArray[np.uint8]:
    """(side, side, 3) the scene from above; x to the right, y up."""
    kept = tuple(item for item in scene.items if item.category != 'ceiling')
    span = float(scene.size[:2].max()) + 0.4
    middle = (side - 1) / 2
    camera = PinholeCamera(side, side, _FLIGHT * side, _FLIGHT * side, middle, middle)
    T = pose([[1, 0, 0], [0, -1, 0], [0, 0, -1]], [0.0, 0.0, _FLIGHT * span])
    return Renderer(replace(scene, items=kept)).render(camera, T).rgb[0].numpy()
