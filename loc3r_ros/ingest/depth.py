# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Depth images brought to the pixels of the colour image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera

_LARGEST_SPLAT = 4


def register(
    depth: NDArray[np.float32],
    depth_camera: PinholeCamera,
    color_camera: PinholeCamera,
    T_color_depth: NDArray[np.float64],
) -> NDArray[np.float32]:
    """See a depth image from the colour camera: forward warp, the nearest surface wins.

    A measurement covers as many pixels as its own does in the colour image, so that coarse depth
    leaves no grid of holes; what the depth camera did not see stays NaN.

    Args:
        depth: (h, w) float32, m along the depth camera's optical axis; NaN = none.
        depth_camera: intrinsics of `depth`.
        color_camera: intrinsics of the colour image, H x W.
        T_color_depth: maps points of the depth camera's optical frame to the colour camera's.

    Returns:
        (H, W) float32, m along the colour camera's optical axis; NaN = none.
    """
    points = _points(depth, depth_camera, T_color_depth)
    size = min(max(round(color_camera.fx / depth_camera.fx), 1), _LARGEST_SPLAT)
    height, width = color_camera.height, color_camera.width
    corner = np.floor(color_camera.project(points) - (size - 2) / 2)
    # A frame around the canvas takes what hangs over the edge, and all that lies outside.
    columns = width + 2 * size
    canvas = np.full((height + 2 * size) * columns, np.inf, np.float32)
    column = np.clip(corner[:, 0], -size, width).astype(np.int64) + size
    row = np.clip(corner[:, 1], -size, height).astype(np.int64) + size
    for down in range(size):
        for across in range(size):
            np.minimum.at(canvas, (row + down) * columns + column + across, points[:, 2])
    registered = canvas.reshape(-1, columns)[size : size + height, size : size + width]
    return np.where(np.isinf(registered), np.float32(np.nan), registered)


def _points(
    depth: NDArray[np.float32], camera: PinholeCamera, T_color_depth: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Points (N, 3) in front of the colour camera, in its frame."""
    R, t = T_color_depth[:3, :3].astype(np.float32), T_color_depth[:3, 3].astype(np.float32)
    x, y = camera.rays[..., 0], camera.rays[..., 1]
    # Row by row of R on whole images: several times faster than a product of (N, 3) with 3x3.
    planes = [(R[k, 0] * x + R[k, 1] * y + R[k, 2]) * depth + t[k] for k in range(3)]
    in_front = planes[2] > 0  # false for NaN
    return np.stack([plane[in_front] for plane in planes], -1)


def resample(depth: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Depth at another size of the same view; a pixel is always a measured value or NaN."""
    return cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)  # type: ignore[return-value]
