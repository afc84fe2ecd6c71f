# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How the camera sits on what is posed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, invert
from loc3r_ros.ingest.transforms import StaticTransforms


@dataclass(frozen=True, eq=False)
class Mount:
    """How the camera sits on what is posed.

    Attributes:
        base_frame: frame whose pose is published.
        T_base_camera: (4, 4) camera's optical frame in it.
        on_robot: whether that frame is the robot's base, whose height and tilt can be relied on.
    """

    base_frame: str
    T_base_camera: Array
    on_robot: bool

    @cached_property
    def T_camera_base(self) -> Array:
        """The inverse."""
        return invert(self.T_base_camera)

    @staticmethod
    def find(transforms: StaticTransforms, camera_frame: str, base_frame: str) -> Mount:
        """The robot's base where static TF leads to it; else the root of the camera's own tree."""
        T = transforms.lookup(base_frame, camera_frame)
        if T is not None and base_frame in transforms.frames:
            return Mount(base_frame, T, on_robot=True)
        root = transforms.root(camera_frame)
        T = transforms.lookup(root, camera_frame)
        return Mount(root, np.eye(4) if T is None else T, on_robot=False)


def moved_covariance(covariance: Array, T_map_a: Array, T_map_b: Array) -> NDArray[np.float64]:
    """Covariance of pose b that is rigidly tied to pose a, both along the axes of `map`.

    A rotation about a's origin moves b's origin by the lever between them.
    """
    x, y, z = T_map_b[:3, 3] - T_map_a[:3, 3]
    J = np.eye(6)
    J[:3, 3:] = [[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]]
    return J @ covariance @ J.T
