# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A camera in the hand of somebody who walks through a scene and looks around."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from loc3r_ros.geometry import T_BODY_OPTICAL, Array
from loc3r_ros.world.floorplan import FloorPlan
from loc3r_ros.world.scene import RoomShape, Scene

CLEARANCE = 0.25
"""The camera keeps this far from everything, seen from above, m."""

COMFORT = 0.42
"""It would rather keep this far, m."""

HEIGHT_MIN, HEIGHT_MAX = 1.2, 1.75
"""Of the camera above the floor, m."""

SPEED, TURN_RATE = 1.0, np.radians(70.0)
"""Largest, m/s and rad/s about the vertical."""

PITCH_MAX, ROLL_MAX = np.radians(35.0), np.radians(6.0)
"""Largest, up or down, and to either side, rad."""

_SPACING = 0.05
_TICK = 0.05


class Handheld:
    """A walk through all rooms with stops at which one looks around.

    After `duration` it goes back the way it came.

    Args:
        scene: what is walked through.
        seed: decides the walk; one scene has many.

    Attributes:
        duration: s.
    """

    def __init__(self, scene: Scene, seed: int) -> None:
        rng = np.random.default_rng((scene.seed, 0x4A4D, seed))
        plan = FloorPlan(scene)
        way, stops = _walk(rng, plan, scene.rooms)
        centres = [_room_around(scene.rooms, way[k]).centre for k in stops]
        xy, yaw, speed = _pace(rng, way, stops, centres)
        turned = np.abs(np.diff(yaw)) / TURN_RATE
        moved = np.linalg.norm(np.diff(xy, axis=0), axis=1) / SPEED
        step = np.maximum(np.maximum(turned, moved), _TICK)
        self._t = np.concatenate([[0.0], np.cumsum(step)])
        self.duration = float(self._t[-1])
        count = len(self._t)
        pitch = np.radians(rng.uniform(-22.0, -4.0)) + np.radians(9.0) * _drift(rng, count, 2.5)
        roll = np.radians(1.6) * _drift(rng, count, 1.5)
        height = rng.uniform(HEIGHT_MIN + 0.12, HEIGHT_MAX - 0.12)
        # Two steps a metre and a half; the head is lowest when both feet are down.
        bob = (
            rng.uniform(0.008, 0.02)
            * speed
            / SPEED
            * np.cos(2 * np.pi * np.cumsum(speed * _TICK) / 0.75)
        )
        z = height + 0.03 * _drift(rng, count, 3.0) + bob
        self._values = (
            *xy.T,
            np.clip(z, HEIGHT_MIN, HEIGHT_MAX),
            yaw,
            np.clip(pitch, -PITCH_MAX, PITCH_MAX),
            np.clip(roll, -ROLL_MAX, ROLL_MAX),
        )

    def camera_poses(self, t: ArrayLike) -> Array:
        """(N, 4, 4) T_map_optical at times (N,), s."""
        t = np.asarray(t, np.float64) % (2.0 * self.duration)
        t = np.minimum(t, 2.0 * self.duration - t)
        x, y, z, yaw, pitch, roll = (np.interp(t, self._t, v) for v in self._values)
        T = np.tile(np.eye(4), (len(t), 1, 1))
        T[:, :3, :3] = _turned(2, yaw) @ _turned(1, -pitch) @ _turned(0, roll)
        T[:, :3, 3] = np.stack([x, y, z], -1)
        return T @ T_BODY_OPTICAL


def _walk(rng: Generator, plan: FloorPlan, rooms: tuple[RoomShape, ...]) -> tuple[Array, list[int]]:
    """A smooth way (N, 2), _SPACING apart, and the indices of its stops."""
    free = plan.region(CLEARANCE + 0.1)
    goals: list[tuple[int, int]] = []
    for room in _order(rng, rooms):
        inside = ((plan.centres > room.low) & (plan.centres < room.high)).all(-1) & free
        cells = np.argwhere(inside if inside.any() else free)
        for _ in range(int(rng.integers(1, 3)) + 2 * (len(rooms) == 1)):
            row, column = cells[rng.integers(len(cells))].tolist()
            goals.append((row, column))
    legs, stops = [plan.centres[goals[0]][None]], [0]
    for start, end in pairwise(goals):
        goal = np.zeros_like(free)
        goal[end] = True
        leg = _resample(plan.way(start, plan.travel(goal, free)))[1:]
        legs.append(leg)
        stops.append(stops[-1] + len(leg))
    return _smooth(plan, np.concatenate(legs), stops), stops


def _order(rng: Generator, rooms: tuple[RoomShape, ...]) -> list[RoomShape]:
    """Any room first, then always the nearest that has not been visited."""
    left = [rooms[k] for k in rng.permutation(len(rooms))]
    order = [left.pop()]
    while left:
        near = min(left, key=lambda room: float(np.linalg.norm(room.centre - order[-1].centre)))
        left.remove(near)
        order.append(near)
    return order


def _resample(way: Array) -> Array:
    """Points of a polyline at even distances of about _SPACING, both ends kept."""
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    at = np.linspace(0.0, s[-1], max(2, round(s[-1] / _SPACING) + 1))
    return np.column_stack([np.interp(at, s, way[:, k]) for k in (0, 1)])


def _smooth(plan: FloorPlan, way: Array, stops: list[int], *, rounds: int = 40) -> Array:
    """Round the corners off and push off from obstacles; no point may lose its clearance.

    The stops stay where they are, or a visit to a room would be smoothed away.
    """
    steps = 0.05 * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
    for _ in range(rounds):
        padded = np.pad(way, ((4, 4), (0, 0)), mode='edge')
        spread = 0.25 * (padded[3:-5] + padded[5:-3] + padded[:-8] + padded[8:])
        around = plan.clearance((steps[:, None] + way).reshape(-1, 2)).reshape(5, -1)
        slope = np.column_stack([around[1] - around[2], around[3] - around[4]]) / 0.1
        push = 0.1 * np.maximum(0.0, COMFORT - around[0])
        moved = 0.5 * way + 0.5 * spread + push[:, None] * slope
        held = plan.clearance(moved) < CLEARANCE + 0.03
        held[stops] = True
        way = np.where(held[:, None], way, moved)
    return way


def _room_around(rooms: tuple[RoomShape, ...], xy: Array) -> RoomShape:
    """The room that a place lies in, or the nearest."""
    return min(rooms, key=lambda room: np.maximum(room.low - xy, xy - room.high).max())


def _pace(
    rng: Generator, way: Array, stops: list[int], centres: list[Array]
) -> tuple[Array, Array, Array]:
    """Place (N, 2), where one looks (N,), rad, and speed (N,), m/s, at ticks of a clock.

    Who stands still, as one does in every new room, looks to its centre (`centres`, one for each
    stop) and around; who walks looks ahead.
    """
    usual = rng.uniform(0.35, 0.8)
    ahead = _headings(way)
    index, look = [0.0], [0.0]
    for k, (stop, centre) in enumerate(zip(stops, centres, strict=True)):
        if k:
            _go(index, look, stops[k - 1], stop, usual)
        new = not any(np.array_equal(centre, other) for other in centres[:k])
        if new or k == len(stops) - 1 or rng.random() < 0.6:
            inward = np.arctan2(*(centre - way[stop])[::-1]) - ahead[stop]
            _stand(rng, index, look, float((inward + np.pi) % (2 * np.pi) - np.pi))
    at = np.array(index)
    xy = np.column_stack([np.interp(at, np.arange(len(way)), way[:, k]) for k in (0, 1)])
    yaw = np.interp(at, np.arange(len(way)), ahead)
    yaw = gaussian_filter1d(yaw + np.array(look), 0.35 / _TICK, mode='nearest')
    yaw += np.radians(rng.uniform(10.0, 28.0)) * _drift(rng, len(yaw), 2.0)
    xy = gaussian_filter1d(xy, 0.15 / _TICK, axis=0, mode='nearest')
    speed = np.linalg.norm(np.gradient(xy, axis=0), axis=1) / _TICK
    return xy, yaw, speed


def _stand(rng: Generator, index: list[float], look: list[float], inward: float) -> None:
    """Stay for a while; look into the room, to one side and the other, or all around."""
    turn = rng.choice([-1.0, 1.0]) * np.radians(rng.uniform(30.0, 110.0))
    if rng.random() < 0.25:
        swing = np.linspace(0.0, np.sign(turn) * 2.0 * np.pi, int(rng.uniform(6.5, 9.0) / _TICK))
    else:
        phase = np.linspace(0.0, 2 * np.pi, int(rng.uniform(2.0, 4.5) / _TICK))
        swing = turn * np.sin(phase)
    index += [index[-1]] * len(swing)
    look += (look[-1] + inward + swing).tolist()
    look[-1] -= inward


def _go(index: list[float], look: list[float], start: int, end: int, speed: float) -> None:
    """Walk from rest to rest, looking ahead."""
    way = (end - start) * _SPACING
    count = max(2, int(way / speed / _TICK) + int(1.0 / _TICK))
    share = np.linspace(0.0, 1.0, count)
    eased = share - np.sin(2 * np.pi * share) / (2 * np.pi) * min(1.0, 1.0 / max(way, 0.1))
    index += (start + (end - start) * eased).tolist()
    look += [look[-1]] * count


def _headings(way: Array) -> Array:
    """(N,) direction of travel, averaged over about half a metre, unwrapped."""
    step = gaussian_filter1d(np.gradient(way, axis=0), 0.25 / _SPACING, axis=0, mode='nearest')
    return np.unwrap(np.arctan2(step[:, 1], step[:, 0]))


def _drift(rng: Generator, count: int, period: float) -> Array:
    """(count,) smooth noise of deviation 1 about 0, over ticks; it swings in about `period` s."""
    noise = gaussian_filter1d(rng.standard_normal(count + 200), 0.25 * period / _TICK)[100:-100]
    return np.clip(noise * np.sqrt(2 * np.sqrt(np.pi) * 0.25 * period / _TICK), -2.5, 2.5)


def _turned(axis: int, angle: Array) -> Array:
    """(N, 3, 3) rotations about a coordinate axis."""
    R = np.tile(np.eye(3), (len(angle), 1, 1))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    R[:, a, a] = R[:, b, b] = np.cos(angle)
    R[:, b, a] = np.sin(angle)
    R[:, a, b] = -R[:, b, a]
    return R
