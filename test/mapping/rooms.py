# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Analytic rooms for the mapping tests, cast by the benchmark's caster."""

import numpy as np

from loc3r_ros.bench.mapping import cast
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose, transform
from loc3r_ros.types import OccupancyGrid

CAMERA = PinholeCamera(160, 120, 131.0, 131.0, 80.0, 60.0)
TABLE = ((0.75, -0.5, 0.68), (1.35, 0.5, 0.72))


def room(half=2.0, *furniture):
    """Boxes (B, 2, 3): a floor and four walls whose inner faces are at +-half, and furniture."""
    a, b = half, half + 0.2
    return np.array(
        [
            ((-b, -b, -0.2), (b, b, 0.0)),
            ((a, -b, 0.0), (b, b, 2.5)),
            ((-b, -b, 0.0), (-a, b, 2.5)),
            ((-b, a, 0.0), (b, b, 2.5)),
            ((-b, -b, 0.0), (b, -a, 2.5)),
            *furniture,
        ]
    )


def camera_pose(x=0.0, y=0.0, z=0.6, yaw=0.0, pitch=0.0, roll=0.0):
    """T_map_camera, m and degrees; a positive pitch looks down."""
    turn = exp_so3((0, 0, np.deg2rad(yaw))) @ exp_so3((0, np.deg2rad(pitch), 0))
    return pose(turn @ exp_so3((np.deg2rad(roll), 0, 0)), (x, y, z)) @ T_BODY_OPTICAL


def cloud(boxes, T, camera=CAMERA):
    """Points (N, 3) in `map` that a camera at T sees, and its position."""
    points = camera.backproject(cast(boxes, camera, T)).reshape(-1, 3)
    return transform(T, points[np.isfinite(points[:, 2])]), T[:3, 3]


def look_around(boxes, count=12, **place):
    return [cloud(boxes, camera_pose(yaw=360.0 * i / count, **place)) for i in range(count)]


def drawn(grid, *rectangles):
    """A reference on a grid's lattice: rectangles ((x, y), (x, y)) occupied, the rest free."""
    rows, columns = grid.data.shape
    x = grid.origin[0] + (np.arange(columns) + 0.5) * grid.resolution
    y = grid.origin[1] + (np.arange(rows)[:, None] + 0.5) * grid.resolution
    data = np.zeros(grid.data.shape, np.int8)
    for (x0, y0), (x1, y1) in rectangles:
        data[(x > x0) & (x < x1) & (y > y0) & (y < y1)] = 100
    return OccupancyGrid(grid.stamp, data, grid.resolution, grid.origin)


def at(grid, x, y):
    """Value of the cell at a place."""
    return int(
        grid.data[
            int(np.floor((y - grid.origin[1]) / grid.resolution)),
            int(np.floor((x - grid.origin[0]) / grid.resolution)),
        ]
    )


def patch(grid, low, high):
    """Cells whose centres lie in the rectangle from low to high (x, y)."""
    rows, columns = grid.data.shape
    x = grid.origin[0] + (np.arange(columns) + 0.5) * grid.resolution
    y = grid.origin[1] + (np.arange(rows) + 0.5) * grid.resolution
    inside = ((y > low[1]) & (y < high[1]))[:, None] & (x > low[0]) & (x < high[0])
    return grid.data[inside]
