# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Recordings of a walk through the textured box, whole or broken in one way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from box_room import CAMERA, circle, frame_at

from loc3r_ros.bag.typestore import messages
from loc3r_ros.bag.writer import BagWriter
from loc3r_ros.camera import PinholeCamera

START_NS = 1_600_000_000 * 10**9
PERIOD_NS = 10**8
OPTICAL = 'camera_optical_frame'
IMAGE, INFO, DEPTH = '/camera/image', '/camera/camera_info', '/camera/depth/image'
TRUTH = '/truth'


@dataclass
class Shot:
    """One frame's messages before they are written; a test may change them."""

    stamp_ns: int
    rgb: np.ndarray
    depth: np.ndarray | None
    camera: PinholeCamera | None
    T: np.ndarray


def shots(count: int = 16) -> list[Shot]:
    """The first frames of the circle at 10 Hz."""
    out = []
    for i, T in enumerate(circle()[:count]):
        frame = frame_at(T, 0.1 * i)
        out.append(Shot(START_NS + i * PERIOD_NS, frame.rgb, frame.depth, CAMERA, T))
    return out


def write_bag(
    path: Path,
    recorded: Sequence[Shot],
    change_image: Callable[[Any], Any] = lambda message: message,
    change_info: Callable[[Any], Any] = lambda message: message,
) -> Path:
    """Write shots as a bag, at log times that go on whatever the stamps do.

    `change_*` may spoil a message on its way.
    """
    make = messages()
    with BagWriter(path) as bag:
        for i, shot in enumerate(recorded):
            t, log_ns = shot.stamp_ns, START_NS + i * PERIOD_NS
            bag.write(IMAGE, change_image(make.image(t, OPTICAL, shot.rgb)), log_ns)
            if shot.camera is not None:
                bag.write(INFO, change_info(make.camera_info(t, OPTICAL, shot.camera)), log_ns)
            if shot.depth is not None:
                millimetres = np.nan_to_num(shot.depth * 1e3).astype(np.uint16)
                bag.write(DEPTH, make.image(t, OPTICAL, millimetres), log_ns)
            bag.write(TRUTH, make.pose_stamped(t, 'map', shot.T), log_ns)
    return path
