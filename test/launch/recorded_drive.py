# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A short recording of a robot in the box room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from box_bag import DEPTH, IMAGE, INFO, OPTICAL, shots

from loc3r_ros.bag.typestore import messages
from loc3r_ros.bag.writer import BagWriter
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose

FRAMES = 20
T_BASE_CAMERA = pose(exp_so3([0.0, 0.35, 0.0]), [0.2, 0.0, 1.4]) @ T_BODY_OPTICAL


def record(path: Path) -> None:
    """A robot drives through the box; its camera looks a little down."""
    make, recorded = messages(), shots(FRAMES)
    mount = make.transform_stamped(recorded[0].stamp_ns, 'base_link', OPTICAL, T_BASE_CAMERA)
    with BagWriter(path) as bag:
        bag.write('/tf_static', make.tf(mount), recorded[0].stamp_ns)
        for shot in recorded:
            t = shot.stamp_ns
            millimetres = np.nan_to_num(shot.depth * 1e3).astype(np.uint16)
            bag.write(INFO, make.camera_info(t, OPTICAL, shot.camera), t)
            bag.write(DEPTH, make.image(t, OPTICAL, millimetres), t)
            bag.write(IMAGE, make.image(t, OPTICAL, shot.rgb), t)
