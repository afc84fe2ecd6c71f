# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The map as a picture file: occupancy, trajectory, and where answers point to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.report.agent_marks import AgentMark, agent_marks, positions_of
from loc3r_ros.bag.report.map_view import WIDTH, KnownCells, MapView
from loc3r_ros.errors import InputError
from loc3r_ros.types import OccupancyGrid

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]

_UNKNOWN, _FREE, _OCCUPIED = (226, 229, 228), (255, 255, 255), (57, 48, 43)
_PATH, _AGENT, _GOAL = (192, 111, 29), (176, 40, 160), (60, 140, 20)  # blue, green, red
_SHIFT = 4
"""Bits of a pixel's fraction that OpenCV draws with."""


def write_map_picture(
    path: Path, grid: OccupancyGrid, T_map_camera: Array, replies: Sequence[Reply]
) -> None:
    """Write a PNG, 800 pixels wide, y up.

    Args:
        path: of the file.
        grid: the map.
        T_map_camera: (n, 4, 4) poses along the trajectory.
        replies: whose places are marked with their numbers, from 1.

    Raises:
        InputError: it cannot be written.
    """
    _, code = cv2.imencode('.png', map_picture(grid, T_map_camera, replies))
    try:
        path.write_bytes(code.tobytes())
    except OSError as error:
        raise InputError(f'cannot write {path}: {error.strerror}') from error


def map_picture(grid: OccupancyGrid, T_map_camera: Array, replies: Sequence[Reply]) -> Picture:
    """(h, 800, 3) uint8, BGR."""
    cells, marks = KnownCells.of(grid), agent_marks(replies)
    track = T_map_camera[:, :2, 3]
    corners = [] if cells is None else [cells.corners]
    view = MapView.around(np.concatenate([track, *corners]), positions_of(marks))
    picture = np.full((round(view.height), round(WIDTH), 3), _UNKNOWN, np.uint8)
    if cells is not None:
        _draw_cells(picture, view, cells)
    cv2.polylines(picture, _pixels(view, track), False, _PATH, 2, cv2.LINE_AA, _SHIFT)
    for mark in marks:
        if not mark.is_goal:
            _draw_doubt(picture, view, mark)
    for mark in marks:
        _draw_place(picture, view, mark)
    return picture


def _draw_cells(picture: Picture, view: MapView, cells: KnownCells) -> None:
    """Each pixel as the cell that holds its centre."""
    height, width = picture.shape[:2]
    x = view.left + (np.arange(width) + 0.5) / view.scale
    y = view.top - (np.arange(height) + 0.5) / view.scale
    column = np.floor((x - cells.corners[0, 0]) / cells.resolution).astype(int)
    row = np.floor((y - cells.corners[0, 1]) / cells.resolution).astype(int)
    inside_x = (column >= 0) & (column < cells.data.shape[1])
    inside_y = (row >= 0) & (row < cells.data.shape[0])
    seen = np.full((height, width), -1, np.int8)
    seen[np.ix_(inside_y, inside_x)] = cells.data[np.ix_(row[inside_y], column[inside_x])]
    picture[seen >= 0] = _FREE
    picture[seen >= 65] = _OCCUPIED


def _draw_doubt(picture: Picture, view: MapView, mark: AgentMark) -> None:
    for outline, opacity in ((mark.ellipse, 0.25), (mark.fan, 0.35)):
        shade = cv2.fillPoly(picture.copy(), _pixels(view, outline), _AGENT, cv2.LINE_AA, _SHIFT)
        cv2.addWeighted(shade, opacity, picture, 1.0 - opacity, 0.0, picture)
        cv2.polylines(picture, _pixels(view, outline), True, _AGENT, 1, cv2.LINE_AA, _SHIFT)


def _draw_place(picture: Picture, view: MapView, mark: AgentMark) -> None:
    """A disc with the number, and a stroke ahead of it."""
    color = _GOAL if mark.is_goal else _AGENT
    ahead = mark.position + 0.4 * np.array([np.cos(mark.yaw), np.sin(mark.yaw)])
    line = _pixels(view, np.stack([mark.position, ahead]))
    cv2.polylines(picture, line, False, color, 3, cv2.LINE_AA, _SHIFT)
    x, y = (round(float(v)) for v in view(mark.position))
    cv2.circle(picture, (x, y), 10, color, -1, cv2.LINE_AA)
    text = str(mark.number)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    at = (x - width // 2, y + height // 2)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255,) * 3, 1, cv2.LINE_AA)


def _pixels(view: MapView, points: Array) -> list[NDArray[np.int32]]:
    return [np.rint(view(points) * 2**_SHIFT).astype(np.int32)]
