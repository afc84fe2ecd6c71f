"""Depth images brought to the pixels of the colour image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import transform

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
    seen = np.isfinite(depth)
    z = depth[seen]
    points = np.concatenate([depth_camera.rays[seen] * z[:, None], z[:, None]], 1)
    points = transform(T_color_depth, points)
    points = points[points[:, 2] > 0]
    size = min(max(round(color_camera.fx / depth_camera.fx), 1), _LARGEST_SPLAT)
    corner = np.floor(color_camera.project(points) - (size - 2) / 2)
    height, width = color_camera.height, color_camera.width
    inside = ((corner > -size) & (corner < (width, height))).all(1)
    column, row = corner[inside].astype(np.int64).T
    z = points[inside, 2]
    # One pixel of frame on each side takes the splats that hang over the edge.
    canvas = np.full((height + 2 * size, width + 2 * size), np.inf, np.float32)
    for down in range(size):
        for across in range(size):
            np.minimum.at(canvas, (row + size + down, column + size + across), z)
    registered = canvas[size : size + height, size : size + width]
    return np.where(np.isinf(registered), np.float32(np.nan), registered)


def resample(depth: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Depth at another size of the same view; a pixel is always a measured value or NaN."""
    return cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)  # type: ignore[return-value]
