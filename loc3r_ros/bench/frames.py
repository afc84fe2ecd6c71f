# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Frames with their true poses, for benchmarks: recorded or rendered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from loc3r_ros.bag.evaluation import pair, true_camera_poses
from loc3r_ros.bag.recording import Recording
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array
from loc3r_ros.types import Frame


@dataclass(frozen=True, eq=False)
class TruthFrame:
    """A frame with depth and the true pose (4, 4) of its camera."""

    frame: Frame
    T_map_camera: Array


def recorded_frames(bag: str, truth_topic: str, most: int) -> list[TruthFrame]:
    """The first frames of a recording that have depth, intrinsics and a true pose.

    Raises:
        InputError: there are none.
    """
    with Recording(bag) as recording:
        samples = [s for s in islice(recording, most) if s.frame.depth is not None]
        samples = [s for s in samples if s.frame.camera is not None]
        if samples:
            truth = true_camera_poses(
                recording.poses(truth_topic), recording.static_transforms, samples[0].frame_id
            )
            known, poses = pair(np.array([s.stamp_ns for s in samples]), truth)
            samples = [samples[i] for i in known]
    if not samples:
        raise InputError(f'{bag}: no frame has depth, intrinsics and a pose on {truth_topic}')
    return [TruthFrame(s.frame, T) for s, T in zip(samples, poses, strict=True)]


def room_frames(seed: int, count: int, *, width: int = 320, height: int = 240) -> list[TruthFrame]:
    """Frames of the procedural room's robot at 10 Hz, with the noise of its depth camera."""
    from loc3r_ros.world.drive import drive
    from loc3r_ros.world.robot import camera_of
    from loc3r_ros.world.room import generate_room

    camera = camera_of(width, height)
    moments = drive(generate_room(seed), camera, 0.1 * np.arange(count, dtype=np.float64))
    return [TruthFrame(Frame(m.time, m.rgb, camera, m.depth), m.T_map_optical) for m in moments]
