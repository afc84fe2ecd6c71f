# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Footage of a scene: what a camera saw on its way, and all that is true of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import Array
from loc3r_ros.world.path import Path
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.renderer import Renderer
from loc3r_ros.world.scene import Scene

_BATCH = {'cpu': 1 << 17, 'cuda': 1 << 23}
"""Pixels rendered at once."""


@dataclass(frozen=True, eq=False)
class Footage:
    """F frames and their truth.

    Attributes:
        rgb: (F, H, W, 3) uint8.
        depth: (F, H, W) float32, m along the optical z axis, exact; NaN where nothing is.
        instance: (F, H, W) int32, `Item.instance`; 0 where nothing is.
        T_map_optical: (F, 4, 4).
        times: (F,), s.
        camera: of every frame.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    instance: NDArray[np.int32]
    T_map_optical: Array
    times: Array
    camera: PinholeCamera


def film(
    scene: Scene,
    path: Path,
    camera: PinholeCamera,
    times: ArrayLike,
    device: str | torch.device = 'cpu',
) -> Footage:
    """Look at a scene from a path at times (F,), s.

    On a CPU it takes one thread, whatever `torch.get_num_threads` says: the tensors are small, and
    cores are better spent on one process each.
    """
    times = np.asarray(times, np.float64)
    poses = path.camera_poses(times)
    with _one_thread():
        renderer = Renderer(scene, device, quick=True)
        budget = _BATCH.get(renderer.device.type, 1 << 20)
        step = max(1, budget // (camera.width * camera.height))
        views = [
            renderer.render(camera, poses[first : first + step])
            for first in range(0, len(poses), step)
        ]
    rgb, depth, instance = (
        torch.cat([getattr(view, name) for view in views]).cpu().numpy()
        for name in ('rgb', 'depth', 'instance')
    )
    return Footage(rgb, depth, instance, poses, times, camera)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def visit_of(scene: Scene, footage: Footage) -> Visit:
    """What the footage shows of the scene's items."""
    return Visit.of(scene, footage.times, footage.instance, footage.T_map_optical)
