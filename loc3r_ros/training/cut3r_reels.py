# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Footage at a camera's rate for CUT3R: no questions, but frames close enough to go on from."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.world.cameras import draw_camera
from loc3r_ros.world.handheld import Handheld
from loc3r_ros.world.path import Path as Way
from loc3r_ros.world.robot import camera_of
from loc3r_ros.world.splits import scene_of
from loc3r_ros.world.tour import Tour
from loc3r_ros.world.video import Footage, film

FRAMES = 128
"""Frames of a reel."""

WIDTH = 160
"""Of the images, pixels."""

INTERVAL = (0.1, 0.4)
"""Between frames, s: one for each reel, drawn from here."""

LIFT, TILT = (-0.4, 0.5), np.radians(10.0)
"""How much higher than the robot's a camera is, m; how far up or down it looks besides."""


@dataclass(frozen=True)
class Reels:
    """Footage by seed of its scene and number, made when it is first asked for, kept on disk.

    Even numbers are a robot's, odd ones hand-held. Any number of processes may share a folder.

    Attributes:
        folder: where it is kept.
    """

    # Where it lies changes nothing: a run may go on elsewhere.
    folder: Path = field(repr=False)

    def footage(self, seed: int, number: int) -> Footage:
        """Read a reel, or make it.

        Raises:
            InputError: what lies there cannot be read.
        """
        path = self.folder / f'{seed}_{number}.npz'
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(path, make_reel(seed, number))
        return _read(path)


def make_reel(seed: int, number: int) -> Footage:
    """Film a scene for a while; the same reel every time."""
    scene = scene_of(seed)
    rng = np.random.default_rng((seed, number, 0x4EE1))
    way: Way = Handheld(scene, number) if number % 2 else _Raised(Tour(scene), rng)
    camera = draw_camera(rng, WIDTH)
    times = rng.uniform(0.0, way.duration) + rng.uniform(*INTERVAL) * np.arange(FRAMES)
    return film(scene, way, camera, times)


def drive(seed: int, frames: int = 500, interval: float = 0.1) -> Footage:
    """What the robot's own camera sees on its way, to be evaluated on."""
    scene, camera = scene_of(seed), camera_of(WIDTH, 3 * WIDTH // 4)
    return film(scene, Tour(scene), camera, interval * np.arange(frames))


class _Raised:
    """A robot's way, with its camera at another height and tilt."""

    def __init__(self, way: Way, rng: Generator) -> None:
        self.duration = way.duration
        self._way = way
        self._lift = rng.uniform(*LIFT)
        self._tilt = pose(exp_so3([rng.uniform(-TILT, TILT), 0.0, 0.0]), np.zeros(3))

    def camera_poses(self, t: ArrayLike) -> Array:
        """(N, 4, 4) T_map_optical at times (N,), s."""
        T = self._way.camera_poses(t) @ self._tilt
        T[:, 2, 3] += self._lift
        return T


def _write(path: Path, reel: Footage) -> None:
    # Not compressed: a reel is read far more often than it is made.
    partial = path.with_name(f'{path.name}.{os.getpid()}.partial')
    with partial.open('wb') as file:
        np.savez(
            file,
            rgb=reel.rgb,
            depth=reel.depth.astype(np.float16),
            T_map_optical=reel.T_map_optical,
            times=reel.times,
            camera=np.array(
                [v for v in asdict(reel.camera).values() if isinstance(v, int | float)]
            ),
        )
    partial.replace(path)


def _read(path: Path) -> Footage:
    try:
        with np.load(path) as file:
            width, height, *intrinsics = file['camera'].tolist()
            depth = file['depth']
            return Footage(
                file['rgb'],
                depth.astype(np.float32),
                np.zeros(depth.shape, np.int32),
                file['T_map_optical'],
                file['times'],
                PinholeCamera(int(width), int(height), *intrinsics),
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f'{path}: a damaged reel ({error}); remove it') from error
