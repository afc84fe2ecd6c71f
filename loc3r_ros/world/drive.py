# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A robot driven through a room, and what its sensors say on the way."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import Array
from loc3r_ros.world.depth_noise import DepthNoise
from loc3r_ros.world.renderer import Renderer, View
from loc3r_ros.world.robot import Odometry, optical_poses
from loc3r_ros.world.scene import Scene
from loc3r_ros.world.tour import Tour


@dataclass(frozen=True, eq=False)
class Moment:
    """What is sensed, and what is true, at one time.

    Attributes:
        time: since the start, s.
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 as measured, m; NaN = no measurement.
        instance: (H, W) int32, `Item.instance`; 0 where nothing is.
        T_map_optical: (4, 4) true pose of the camera.
        T_odom_base: (4, 4) pose of the robot by its odometry.
    """

    time: float
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    instance: NDArray[np.int32]
    T_map_optical: Array
    T_odom_base: Array


def drive(
    scene: Scene,
    camera: PinholeCamera,
    times: ArrayLike,
    *,
    noise: DepthNoise | None = None,
    device: str | torch.device = 'cpu',
) -> Iterator[Moment]:
    """Drive the scene's tour and look at it at the given times (N,), s.

    The sensors' noise follows from the scene's seed, whatever the device.
    """
    noise = noise or DepthNoise()
    times = np.asarray(times, np.float64)
    renderer = Renderer(scene, device)
    T_map_base = Tour(scene).poses(times)
    T_map_optical = optical_poses(T_map_base)
    odometry = Odometry(np.random.default_rng((scene.seed, 0x0D0)))
    sensor = np.random.default_rng((scene.seed, 0xDE9))
    views = _ahead(lambda T: renderer.render(camera, T), T_map_optical)
    for time, T_base, T_optical, view in zip(times, T_map_base, T_map_optical, views, strict=True):
        yield Moment(
            float(time),
            view.rgb[0].cpu().numpy(),
            noise.measure(view.depth[0].cpu().numpy(), sensor),
            view.instance[0].cpu().numpy(),
            T_optical,
            odometry.update(T_base),
        )


def _ahead(render: Callable[[Array], View], poses: Iterable[Array]) -> Iterator[View]:
    """Views in order, rendered a few frames ahead, one thread to a frame.

    Frames in parallel are faster than threads within one, whose tensors are small, and far faster
    where other programs want the cores too: no thread waits for another at every operation.
    """
    workers = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        started: deque[Future[View]] = deque()
        for T in poses:
            started.append(pool.submit(render, T))
            if len(started) > workers:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()
