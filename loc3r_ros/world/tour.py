# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A drive through a scene: a turn on the spot, then a loop through free space to its start."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import ArrayLike

from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import FloorPlan
from loc3r_ros.world.robot import optical_poses
from loc3r_ros.world.scene import RoomShape, Scene

CLEARANCE = 0.35
"""The robot's centre keeps this far from everything, m."""

COMFORT = 0.65
"""It would rather keep this far, m."""

SPACING = 0.02
"""Metres between the points of a loop."""

FAR_CELLS = 2
"""Far parts of a single room that a loop goes to; in a flat it goes to all rooms."""

SHUN = 0.8
"""A loop avoids, where it can, to come nearer than this to another part of itself, m."""

SPEED, TURN_RATE = 0.7, np.radians(48.0)
ACCELERATION, TURN_ACCELERATION = 0.5, np.radians(60.0)


class Tour:
    """Poses of a ground robot over time; it drives where it faces.

    It stands at the most open point of its loop, turns once around to look at the room, drives the
    loop, and ends where and as it began; after `duration` it all begins again.

    Args:
        scene: the room or flat.

    Attributes:
        duration: s.
    """

    def __init__(self, scene: Scene) -> None:
        xy, yaw = plan_loop(FloorPlan(scene), scene.rooms)
        turn_t, turn = _turn(2.0 * np.pi)
        drive_t = turn_t[-1] + _times(xy, yaw)
        self._t = np.concatenate([turn_t, drive_t[1:]])
        self._xy = np.concatenate([np.repeat(xy[:1], len(turn_t), 0), xy[1:]])
        self._yaw = np.concatenate([yaw[0] + turn, yaw[1:] + 2.0 * np.pi])
        self.duration = float(self._t[-1])

    def poses(self, t: ArrayLike) -> Array:
        """(N, 4, 4) T_map_base at times (N,), s."""
        t = np.asarray(t, np.float64) % self.duration
        x, y, yaw = (np.interp(t, self._t, v) for v in (*self._xy.T, self._yaw))
        T = np.tile(np.eye(4), (len(t), 1, 1))
        T[:, 0, 0] = T[:, 1, 1] = np.cos(yaw)
        T[:, 1, 0] = np.sin(yaw)
        T[:, 0, 1] = -T[:, 1, 0]
        T[:, 0, 3], T[:, 1, 3] = x, y
        return T

    def camera_poses(self, t: ArrayLike) -> Array:
        """(N, 4, 4) T_map_optical of the robot's camera at times (N,), s."""
        return optical_poses(self.poses(t))


def plan_loop(plan: FloorPlan, rooms: Sequence[RoomShape]) -> tuple[Array, Array]:
    """A smooth closed way around the free floor.

    Returns:
        (N, 2) points in `map`, SPACING apart, the last equal to the first; (N,) heading, unwrapped.
    """
    free = plan.region(CLEARANCE + 0.05)
    if len(rooms) > 1:
        way = _circuit(plan, free, _round_trip(plan, free, rooms))
    else:
        first, *others = _far_cells(plan, free)
        circuits = [_circuit(plan, free, (first, *order)) for order in permutations(others)]
        way = max(circuits, key=_enclosed)
    loop = _smooth(plan, _resample(way, 0.05))
    loop = _resample(loop, SPACING)
    start = int(plan.clearance(loop).argmax())
    loop = np.roll(loop, -start, 0)
    loop = np.concatenate([loop, loop[:1]])
    return loop, _headings(loop)


def _far_cells(plan: FloorPlan, free: np.ndarray) -> list[tuple[int, int]]:
    """The most open cell, then cells that are each as far to travel from all before as can be."""
    cells = [_best(free, plan.clearances)]
    nearest = np.full(free.shape, np.inf)
    for _ in range(FAR_CELLS):
        nearest = np.minimum(nearest, plan.travel(_only(free, cells[-1]), free))
        cells.append(_best(free, nearest))
    return cells


def _round_trip(
    plan: FloorPlan, free: np.ndarray, rooms: Sequence[RoomShape]
) -> list[tuple[int, int]]:
    """The most open cell of each room, in the order that makes the shortest way round."""
    inside = [((plan.centres > r.low) & (plan.centres < r.high)).all(-1) & free for r in rooms]
    cells = [_best(part, plan.clearances) for part in inside]
    cost = [plan.travel(_only(free, cell), free) for cell in cells]
    first, *others = range(len(cells))
    trips = [(first, *order, first) for order in permutations(others)]
    trip = min(trips, key=lambda trip: sum(cost[a][cells[b]] for a, b in pairwise(trip)))
    return [cells[k] for k in trip[:-1]]


def _best(free: np.ndarray, value: Array) -> tuple[int, int]:
    row, column = np.unravel_index(int(np.where(free, value, -1.0).argmax()), free.shape)
    return int(row), int(column)


def _enclosed(loop: Array) -> float:
    """Area inside a closed polyline, m^2: more of it, the rounder the way."""
    x, y = loop.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _circuit(plan: FloorPlan, free: np.ndarray, cells: Sequence[tuple[int, int]]) -> Array:
    """A closed way (N, 2) through cells in turn; it shuns where it has been, and so goes round."""
    toll = np.zeros(free.shape)
    legs = []
    for start, end in zip(cells, [*cells[1:], cells[0]], strict=True):
        leg = plan.way(start, plan.travel(_only(free, end), free, toll))[:-1]
        away = np.linalg.norm(plan.centres[:, :, None] - leg, axis=-1).min(2)
        toll = np.maximum(toll, 3.0 * np.clip(1.0 - away / SHUN, 0.0, 1.0))
        legs.append(leg)
    return np.concatenate(legs)


def _only(like: np.ndarray, cell: tuple) -> np.ndarray:
    mask = np.zeros_like(like)
    mask[cell] = True
    return mask


def _resample(loop: Array, spacing: float) -> Array:
    """Points of a closed polyline at even distances; the first is kept, not repeated."""
    closed = np.concatenate([loop, loop[:1]])
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0.0, s[-1], max(8, round(s[-1] / spacing)), endpoint=False)
    return np.column_stack([np.interp(at, s, closed[:, k]) for k in (0, 1)])


def _smooth(plan: FloorPlan, loop: Array, *, rounds: int = 50) -> Array:
    """Round the corners off and push off from obstacles; no point may lose its clearance."""
    steps = 0.05 * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
    for _ in range(rounds):
        near, far = (np.roll(loop, k, 0) + np.roll(loop, -k, 0) for k in (1, 4))
        around = plan.clearance((steps[:, None] + loop).reshape(-1, 2)).reshape(5, -1)
        slope = np.column_stack([around[1] - around[2], around[3] - around[4]]) / 0.1
        push = 0.2 * np.maximum(0.0, COMFORT - around[0])
        moved = 0.4 * loop + 0.15 * (near + far) + push[:, None] * slope
        held = plan.clearance(moved) < CLEARANCE + 0.02
        loop = np.where(held[:, None], loop, moved)
    return loop


def _headings(loop: Array) -> Array:
    """(N,) direction of travel, averaged over about 0.3 m, unwrapped."""
    step = np.diff(loop, axis=0)
    reach = round(0.15 / SPACING)
    weights = np.hanning(2 * reach + 3)[1:-1]
    around = np.concatenate([step[-reach - 1 :], step, step[:reach]])
    tangent = np.column_stack([np.convolve(around[:, k], weights, 'valid') for k in (0, 1)])
    return np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))


def _times(xy: Array, yaw: Array) -> Array:
    """(N,) s when each point is passed, from rest to rest, within all limits."""
    ds = np.linalg.norm(np.diff(xy, axis=0), axis=1)
    dyaw = np.abs(np.diff(yaw))
    v = np.minimum(SPEED, TURN_RATE * ds / np.maximum(dyaw, 1e-9))
    v = np.concatenate([[0.0], np.minimum(v[1:], v[:-1]), [0.0]])
    for k in range(1, len(v)):
        v[k] = min(v[k], np.sqrt(v[k - 1] ** 2 + 2 * ACCELERATION * ds[k - 1]))
    for k in range(len(v) - 2, -1, -1):
        v[k] = min(v[k], np.sqrt(v[k + 1] ** 2 + 2 * ACCELERATION * ds[k]))
    dt = np.maximum(ds / (0.5 * (v[1:] + v[:-1])), dyaw / TURN_RATE)
    return np.concatenate([[0.0], np.cumsum(dt)])


def _turn(angle: float) -> tuple[Array, Array]:
    """Times and angles of a turn from rest to rest, with limited rate and acceleration."""
    ramp = TURN_RATE / TURN_ACCELERATION
    total = angle / TURN_RATE + ramp
    t = np.linspace(0.0, total, round(total / 0.05))
    rate = TURN_RATE * np.clip(np.minimum(t, total - t) / ramp, 0.0, 1.0)
    turned = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(t))])
    return t, turned * (angle / turned[-1])
