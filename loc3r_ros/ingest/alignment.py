# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whether and how depth is brought to its colour image."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.ingest.depth import register, resample
from loc3r_ros.ingest.problems import Problems

_IDENTITY = np.eye(4)
_SAME_PIXELS = 0.01


class Transforms(Protocol):
    """Rigid transforms between frames: `StaticTransforms` of a recording, or live TF."""

    def lookup(self, target: str, source: str) -> NDArray[np.float64] | None:
        """T_target_source (4, 4), or None where it is not known."""


class DepthAlignment:
    """Aligns depth images to colour images, or says why one cannot be used.

    Depth is taken as it is where it has the image's intrinsics and place. Elsewhere it is
    registered, for which both cameras and the static transform between them must be known.

    Args:
        transforms: transforms between the camera's frames.
        problems: where to note what is assumed, and what is dropped.
        is_aligned: depth is known to be seen from the colour camera's place.
    """

    def __init__(self, transforms: Transforms, problems: Problems, *, is_aligned: bool) -> None:
        self._transforms = transforms
        self._problems = problems
        self._is_aligned = is_aligned

    def align(
        self,
        depth: NDArray[np.float32],
        depth_frame: str,
        depth_camera: PinholeCamera | None,
        color_frame: str,
        color_camera: PinholeCamera | None,
        size: tuple[int, int],
    ) -> NDArray[np.float32] | None:
        """Depth at the pixels of the colour image of (width, height); None where it is no use."""
        # A sparse look is nearly always enough to know that it is not empty.
        if not (np.isfinite(depth[::16, ::16]).any() or np.isfinite(depth).any()):
            self._problems.note('empty depth', 'depth image without a single measurement')
            return None
        if self._is_aligned:
            T: NDArray[np.float64] | None = _IDENTITY
        else:
            T = self._transforms.lookup(color_frame, depth_frame)
        in_place = T is None or bool(np.abs(T - _IDENTITY).max() < 1e-6)
        if depth_camera is None or color_camera is None:
            return self._unregistered(depth, size, in_place)
        if in_place and _same_view(depth_camera, color_camera):
            return depth
        if T is None:
            self._problems.note(
                'no transform',
                f'no static transform from {depth_frame} to {color_frame}: depth is not used; '
                'provide /tf_static, or depth that is aligned to colour',
            )
            return None
        registered = register(depth, depth_camera, color_camera, T)
        if not np.isfinite(registered).any():
            self._problems.note('outside', 'depth that lies wholly outside the colour image')
            return None
        return registered

    def _unregistered(
        self, depth: NDArray[np.float32], size: tuple[int, int], in_place: bool
    ) -> NDArray[np.float32] | None:
        (height, width), unknown = depth.shape, 'camera_info of depth or colour is unknown'
        if (width, height) == size:
            if not in_place:
                self._problems.note('assumed', f'{unknown}: depth is taken as aligned to colour')
            return depth
        given = f'depth is {width}x{height}, the image {size[0]}x{size[1]}, and {unknown}'
        if abs(width * size[1] - height * size[0]) > 0.01 * width * size[1]:
            self._problems.note('depth aspect', f'{given}: another shape, depth is not used')
            return None
        self._problems.note('resampled', f'{given}: depth is resampled to the image')
        return resample(depth, *size)


def _same_view(a: PinholeCamera, b: PinholeCamera) -> bool:
    if (a.width, a.height, any(a.distortion)) != (b.width, b.height, any(b.distortion)):
        return False
    return (
        max(abs(a.fx - b.fx), abs(a.fy - b.fy), abs(a.cx - b.cx), abs(a.cy - b.cy)) < _SAME_PIXELS
    )
