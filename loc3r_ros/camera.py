# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The pinhole camera, with lens distortion, as ROS `CameraInfo` describes it.

Every consumer works with `rays`, the undistorted normalised image coordinates of each pixel, so
that distortion is dealt with in one place and images are never resampled for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError

_FISHEYE = ('equidistant', 'fisheye')
_POLYNOMIAL = ('', 'plumb_bob', 'rational_polynomial')


@dataclass(frozen=True)
class PinholeCamera:
    """Intrinsics of one image; pixel centres lie at integer coordinates.

    Attributes:
        width, height: image size, pixels.
        fx, fy, cx, cy: focal lengths and principal point, pixels.
        distortion: D of `CameraInfo`; all zero or empty means none.
        model: `plumb_bob`, `rational_polynomial` or `equidistant`.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    model: str = 'plumb_bob'

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise InputError(f'camera image size {self.width}x{self.height}: both must be > 0')
        if not all(np.isfinite(v) for v in (self.fx, self.fy, self.cx, self.cy, *self.distortion)):
            raise InputError(f'camera intrinsics are not finite: {self.describe()}')
        if self.fx <= 0 or self.fy <= 0:
            raise InputError(
                f'camera focal lengths fx={self.fx:g}, fy={self.fy:g}: both must be > 0 (a zero K '
                'in CameraInfo means that the camera is not calibrated; calibrate it or publish K)'
            )
        if not (0 <= self.cx <= self.width and 0 <= self.cy <= self.height):
            raise InputError(
                f'principal point ({self.cx:g}, {self.cy:g}) lies outside the '
                f'{self.width}x{self.height} image: K belongs to another image size'
            )
        if not 0.1 < self.fx / self.width < 10 or not 0.5 < self.fx / self.fy < 2:
            raise InputError(f'camera intrinsics are implausible: {self.describe()}')
        if any(self.distortion) and self.model not in _FISHEYE + _POLYNOMIAL:
            raise InputError(
                f'distortion model {self.model!r} is unknown; '
                'use plumb_bob, rational_polynomial or equidistant, or publish rectified images'
            )

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K, 3x3."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], dtype=np.float64)

    def describe(self) -> str:
        """One line for messages."""
        return (
            f'{self.width}x{self.height} fx={self.fx:g} fy={self.fy:g} '
            f'cx={self.cx:g} cy={self.cy:g} {self.model} D={list(self.distortion)}'
        )

    @cached_property
    def rays(self) -> NDArray[np.float32]:
        """(H, W, 2): x/z and y/z of each pixel's ray, distortion removed."""
        v, u = np.mgrid[0 : self.height, 0 : self.width].astype(np.float64)
        pixels = np.stack([u, v], -1).reshape(-1, 2)
        return self.normalise(pixels).reshape(self.height, self.width, 2).astype(np.float32)

    def normalise(self, pixels: NDArray) -> NDArray[np.float64]:
        """Undistorted normalised coordinates (N, 2) of pixels (N, 2)."""
        pixels = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        if not any(self.distortion) or not len(pixels):
            return (pixels - (self.cx, self.cy)) / (self.fx, self.fy)
        D = np.asarray(self.distortion, dtype=np.float64)
        if self.model in _FISHEYE:
            fisheye = cv2.fisheye.undistortPoints(pixels[:, None], self.matrix, D[:4])
            return fisheye[:, 0].astype(np.float64)
        xy = cv2.undistortPoints(pixels[:, None], self.matrix, D)[:, 0]
        # OpenCV stops after five rounds and only some versions let one ask for more.
        for _ in range(20):
            missing = pixels - self.project(np.concatenate([xy, np.ones((len(xy), 1))], 1))
            xy = xy + missing / (self.fx, self.fy)
        return xy.astype(np.float64)

    def project(self, points: NDArray) -> NDArray[np.float64]:
        """Pixels (N, 2) of points (N, 3) in the optical frame; NaN where z <= 0."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        z = np.where(points[:, 2] > 0, points[:, 2], np.nan)
        xy = points[:, :2] / z[:, None]
        if not any(self.distortion) or not len(points):
            return xy * (self.fx, self.fy) + (self.cx, self.cy)
        D = np.asarray(self.distortion, dtype=np.float64)
        rays = np.concatenate([xy, np.ones((len(xy), 1))], 1)[:, None]
        zero = np.zeros(3)
        if self.model in _FISHEYE:
            out, _ = cv2.fisheye.projectPoints(rays, zero, zero, self.matrix, D[:4])
        else:
            out, _ = cv2.projectPoints(rays, zero, zero, self.matrix, D)
        return out[:, 0].astype(np.float64)

    def backproject(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points (H, W, 3) in the optical frame of a depth image (m, along z); NaN stays NaN."""
        return np.concatenate([self.rays * depth[..., None], depth[..., None]], -1)

    def resized(self, width: int, height: int) -> PinholeCamera:
        """The camera of the same image resampled to another size (pixel-centre convention)."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
        )

    def cropped(self, left: int, top: int, width: int, height: int) -> PinholeCamera:
        """The camera of a window of the image."""
        return replace(self, width=width, height=height, cx=self.cx - left, cy=self.cy - top)
