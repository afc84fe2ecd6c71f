# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where a robot can stand to face a target: the nearest free place that it can drive to.

A place is free where the whole disc of the robot lies on cells that were seen free. The way there
leads over free cells with room for the disc beside every obstacle. Around the robot itself it may
also cross unknown cells: a camera looks over the floor at the robot's own wheels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.types import OccupancyGrid

BLIND_M = 2.0
"""Within this of the robot unknown floor may be crossed. A camera 0.6 m up and level, with 43
degrees from top to bottom, sees the floor from 1.5 m on."""


@dataclass(frozen=True)
class GoalPose:
    """A pose to drive to, in `map`.

    Attributes:
        x, y: m.
        yaw: rad; towards the target, or, on the target itself, the way from the robot to it.
        moved_m: distance from the target, m; 0 where the target itself is free.
    """

    x: float
    y: float
    yaw: float
    moved_m: float


@dataclass(frozen=True)
class Refusal:
    """Why there is no such pose."""

    reason: str


def reachable_goal(
    grid: OccupancyGrid,
    target_xy: tuple[float, float],
    robot_xy: tuple[float, float] | None,
    *,
    robot_radius_m: float,
    snap_radius_m: float,
) -> GoalPose | Refusal:
    """The nearest pose to a target that a robot can take, facing the target.

    Args:
        grid: the map; what is unknown is not free.
        target_xy: m in `map`; may be occupied, or outside the map.
        robot_xy: m in `map`; None where it is not known, and then the way there is not checked.
        robot_radius_m: radius of a disc that holds the robot. Distances are right to half a cell.
        snap_radius_m: the pose may lie this far from the target.
    """
    goals = reachable_goals(
        grid,
        target_xy,
        robot_xy,
        robot_radius_m=robot_radius_m,
        snap_radius_m=snap_radius_m,
        most=1,
    )
    return goals if isinstance(goals, Refusal) else goals[0]


def reachable_goals(
    grid: OccupancyGrid,
    target_xy: tuple[float, float],
    robot_xy: tuple[float, float] | None,
    *,
    robot_radius_m: float,
    snap_radius_m: float,
    most: int,
) -> list[GoalPose] | Refusal:
    """As `reachable_goal`, with up to `most` poses, the nearest first.

    All but the nearest lie apart by about the robot's radius, so that a second map that refuses
    one has others to choose from. Among poses that are equally near the target, to a cell, those
    on the robot's side come first.
    """
    if not grid.data.size:
        return Refusal('nothing has been mapped yet')
    if not np.isfinite(target_xy).all():
        return Refusal(f'the target has no position: {target_xy}')
    window = _Window.around(grid, target_xy, snap_radius_m)
    if window is None:
        return Refusal(
            f'{_place(target_xy)} lies more than {snap_radius_m:g} m outside the map: '
            'drive nearer first'
        )
    free = window.distance <= snap_radius_m
    free &= window.has_room(grid, robot_radius_m)
    if not free.any():
        return Refusal(
            f'no free place for a robot of radius {robot_radius_m:g} m within {snap_radius_m:g} m '
            f'of {_place(target_xy)}'
        )
    if robot_xy is not None:
        reached = _reached(grid, robot_xy, robot_radius_m)
        if reached is None:
            return Refusal(f'the robot, at {_place(robot_xy)}, is outside the map')
        free &= reached[window.rows, window.columns]
        if not free.any():
            return Refusal(
                f'no way through free space from {_place(robot_xy)} to within '
                f'{snap_radius_m:g} m of {_place(target_xy)}'
            )
    spacing = max(1, round(robot_radius_m / grid.resolution))
    rows, columns = _order(window, free, robot_xy, grid, spacing)
    return [
        _facing(window.place(row, column, target_xy), target_xy, robot_xy)
        for row, column in zip(rows[:most], columns[:most], strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Window:
    """The cells of a grid around a target.

    Attributes:
        rows, columns: where they are in the grid.
        x, y: coordinates of their centres, (w,) and (h, 1), m.
        distance: (h, w), of the target, m; 0 for the cell that holds it.
    """

    rows: slice
    columns: slice
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    distance: NDArray[np.float64]

    @classmethod
    def around(
        cls, grid: OccupancyGrid, target: tuple[float, float], radius_m: float
    ) -> _Window | None:
        size = grid.data.shape[::-1]
        low, high = [], []
        for axis in (0, 1):
            center = (target[axis] - grid.origin[axis]) / grid.resolution
            reach = radius_m / grid.resolution
            low.append(max(0, int(np.floor(center - reach))))
            high.append(min(size[axis], int(np.floor(center + reach)) + 1))
            if low[axis] >= high[axis]:
                return None
        x = grid.origin[0] + (np.arange(low[0], high[0]) + 0.5) * grid.resolution
        y = grid.origin[1] + (np.arange(low[1], high[1])[:, None] + 0.5) * grid.resolution
        dx, dy = np.abs(x - target[0]), np.abs(y - target[1])
        holds = (dx <= 0.5 * grid.resolution) & (dy <= 0.5 * grid.resolution)
        distance = np.where(holds, 0.0, np.hypot(dx, dy))
        return cls(slice(low[1], high[1]), slice(low[0], high[0]), x, y, distance)

    def place(self, row: int, column: int, target: tuple[float, float]) -> tuple[float, float]:
        """Where to stand in a cell: on the target itself where the cell holds it."""
        if self.distance[row, column] == 0.0:
            return target
        return float(self.x[column]), float(self.y[row, 0])

    def has_room(self, grid: OccupancyGrid, radius_m: float) -> NDArray[np.bool_]:
        """(h, w): cells around which nothing but free cells lies within the radius."""
        margin = int(np.ceil(radius_m / grid.resolution)) + 1
        # Outside the map is unknown; inside, what lies beyond the margin is too far to matter.
        padded = np.pad(grid.data, margin, constant_values=-1)
        rows = slice(self.rows.start, self.rows.stop + 2 * margin)
        columns = slice(self.columns.start, self.columns.stop + 2 * margin)
        room = _has_room(padded[rows, columns] != 0, radius_m / grid.resolution)
        return room[margin:-margin, margin:-margin]


def _order(
    window: _Window,
    usable: NDArray[np.bool_],
    robot_xy: tuple[float, float] | None,
    grid: OccupancyGrid,
    spacing: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the usable cells, nearest first; all but it lie `spacing` apart."""
    rows, columns = np.nonzero(usable)
    distance = window.distance[rows, columns]
    to_robot = np.zeros(len(rows))
    if robot_xy is not None:
        to_robot = np.hypot(window.x[columns] - robot_xy[0], window.y[rows, 0] - robot_xy[1])
    order = np.lexsort((to_robot, np.ceil(distance / grid.resolution)))
    apart = (rows % spacing == 0) & (columns % spacing == 0)
    apart[order[0]] = True
    order = order[apart[order]]
    return rows[order], columns[order]


def _reached(
    grid: OccupancyGrid, robot_xy: tuple[float, float], radius_m: float
) -> NDArray[np.bool_] | None:
    """Cells that a disc can drive to from the robot; None where the robot is outside the grid."""
    rows, columns = grid.data.shape
    u, v = ((robot_xy[k] - grid.origin[k]) / grid.resolution for k in (0, 1))
    column, row = int(np.floor(u)), int(np.floor(v))
    if not (0 <= column < columns and 0 <= row < rows):
        return None
    room = _has_room(grid.data > 0, radius_m / grid.resolution)
    passable = (room & (grid.data == 0)).astype(np.uint8)
    blind = np.zeros_like(passable)
    cv2.circle(blind, (column, row), round(BLIND_M / grid.resolution), 1, -1)
    passable |= blind & room
    # Where the robot stands there is room, whatever the map says.
    cv2.circle(passable, (column, row), max(1, round(radius_m / grid.resolution)), 1, -1)
    cv2.floodFill(passable, None, (column, row), 2, flags=4)
    return passable == 2


def _has_room(blocked: NDArray[np.bool_], radius_cells: float) -> NDArray[np.bool_]:
    """Cells whose centre is at least the radius from the edge of every blocked cell."""
    # To the centre of a blocked cell it is half a cell farther than to its edge.
    distance = cv2.distanceTransform(
        (~blocked).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return np.asarray(distance >= radius_cells + 0.5)


def _facing(
    place: tuple[float, float],
    target: tuple[float, float],
    robot_xy: tuple[float, float] | None,
) -> GoalPose:
    dx, dy = target[0] - place[0], target[1] - place[1]
    moved = float(np.hypot(dx, dy))
    if moved == 0.0 and robot_xy is not None:
        dx, dy = target[0] - robot_xy[0], target[1] - robot_xy[1]
    return GoalPose(float(place[0]), float(place[1]), float(np.arctan2(dy, dx)), moved)


def _place(xy: tuple[float, float]) -> str:
    return f'({xy[0]:.2f}, {xy[1]:.2f})'
