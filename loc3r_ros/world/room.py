# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A furnished room from a seed."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from loc3r_ros.errors import InputError
from loc3r_ros.world.arrange import Arrangement
from loc3r_ros.world.floorplan import CELL, FloorPlan
from loc3r_ros.world.furnishing import (
    dining_place,
    seating_corner,
    sleeping_corner,
    working_place,
)
from loc3r_ros.world.furniture import decor, seating, shell, storage
from loc3r_ros.world.palette import Palette
from loc3r_ros.world.scene import Item, Light, Scene
from loc3r_ros.world.tour import CLEARANCE

SIDE_MIN, SIDE_MAX = 4.0, 8.0
"""Lengths of a room's sides, m."""

KINDS_MIN, FREE_MIN = 10, 3.0
"""A room has at least so many categories of furniture, and so much floor to drive on, m^2."""

_ATTEMPTS = 50


def generate_room(seed: int, size: tuple[float, float] | None = None) -> Scene:
    """Furnish a room; the same seed gives the same room on every machine.

    Args:
        seed: any integer from 0.
        size: (x, y) of the floor, m, each within SIDE_MIN..SIDE_MAX; drawn when not given.

    Raises:
        InputError: a size or seed out of range.
    """
    if seed < 0:
        raise InputError(f'room seed {seed}: must be 0 or greater')
    if size is not None and not all(SIDE_MIN <= side <= SIDE_MAX for side in size):
        raise InputError(f'room size {size} m: each side must lie within {SIDE_MIN}..{SIDE_MAX}')
    for attempt in range(_ATTEMPTS):
        # Looks have a source of their own, so that a new texture moves no furniture.
        layout, looks = (np.random.default_rng((seed, attempt, k)) for k in (0, 1))
        scene = _furnish(seed, layout, looks, size)
        kinds = {item.category for item in scene.furniture}
        free = FloorPlan(scene).region(CLEARANCE + 0.05).sum() * CELL**2
        if len(kinds) >= KINDS_MIN and free >= FREE_MIN:
            return scene
    raise RuntimeError(f'room seed {seed}: no arrangement in {_ATTEMPTS} attempts')


def _furnish(
    seed: int, rng: Generator, looks: Generator, size: tuple[float, float] | None
) -> Scene:
    plan = rng.uniform(SIDE_MIN + 0.4, SIDE_MAX - 0.8, 2) if size is None else np.array(size)
    room = Arrangement(rng, np.array([*plan, rng.uniform(2.45, 2.75)]))
    palette = Palette.fresh(looks)
    windows = _build_shell(room, rng, looks, palette)
    _place_furniture(room, rng, palette)
    _hang_pictures(room, rng, palette)
    lamps = _hang_lamps(room, rng, palette)
    daylight = [
        Light(
            tuple((item.centre + 0.35 * item.T_map_item[:3, 0]).tolist()),
            (0.62, 0.70, 0.80),
            2.2,
            0.45,
        )
        for item in windows
    ]
    lights = tuple(lamps + daylight)
    return Scene(seed, room.size, tuple(room.items), lights, (0.17, 0.17, 0.185))


def _build_shell(
    room: Arrangement, rng: Generator, looks: Generator, palette: Palette
) -> list[Item]:
    """Floor, ceiling, walls, a door and windows; returns the windows."""
    above, common, accent = shell.wall_paints(looks)
    room.lay(shell.floor(shell.floor_cover(looks), room.size), (0, 0, -shell.THICKNESS))
    room.lay(shell.ceiling(above, room.size), (0, 0, room.size[2]))
    skirting, special = palette.lacquer(), int(rng.integers(4))
    for side in range(4):
        paint = accent if side == special else common
        length = room.length(side)
        room.wall(side, shell.wall(paint, skirting, length, room.size[2]), shell.THICKNESS)
    room.on_wall(shell.door(rng, palette), height=0.0, access=0.9)
    count = 2 if room.size[0] * room.size[1] > 26.0 else 1
    windows = [room.on_wall(shell.window(rng, palette), height=0.92) for _ in range(count)]
    return [item for item in windows if item is not None]


def _place_furniture(room: Arrangement, rng: Generator, palette: Palette) -> None:
    area = room.size[0] * room.size[1]
    sleeping = rng.random() < 0.5
    central = min(room.size[:2]) > 5.0
    if central:
        dining_place(room, rng, palette, central=True)
    if area > 24.0 or not sleeping:
        seating_corner(room, rng, palette)
    if area > 24.0 or sleeping:
        sleeping_corner(room, rng, palette)
    if not central:
        dining_place(room, rng, palette, central=False)
    room.against_wall(storage.bookcase(rng, palette), access=0.5)
    room.against_wall(storage.fridge(rng, palette), access=0.6)
    cabinet = room.against_wall(storage.cabinet(rng, palette), access=0.5)
    for make in (decor.vase, decor.book_pile, decor.bowl):
        room.on_top(cabinet, make(rng, palette))
    room.in_corner(decor.plant(rng, palette))
    room.in_corner(decor.floor_lamp(rng, palette))
    if area > 20.0:
        working_place(room, rng, palette)
        room.against_wall(storage.bookcase(rng, palette), access=0.5)
        room.against_wall(seating.armchair(rng, palette), access=0.5)
    for make in (decor.plant, storage.crate, seating.stool):
        room.against_wall(make(rng, palette), access=0.0)


def _hang_pictures(room: Arrangement, rng: Generator, palette: Palette) -> None:
    room.on_wall(decor.clock(rng, palette), height=rng.uniform(1.75, 1.95))
    for side in (0, 1, 2, 3, 0, 1, 2, 3):
        room.on_wall(decor.picture(rng, palette), height=rng.uniform(1.2, 1.4), side=side)


def _hang_lamps(room: Arrangement, rng: Generator, palette: Palette) -> list[Light]:
    lamp = decor.ceiling_lamp(rng, palette)
    x, y, height = room.size
    spots = [(0.0, 0.0)] if max(x, y) < 5.5 else [(0.0, -float(y) / 4), (0.0, float(y) / 4)]
    if max(x, y) >= 5.5 and x > y:
        spots = [(-float(x) / 4, 0.0), (float(x) / 4, 0.0)]
    lights = []
    for spot in spots:
        room.lay(lamp, (*spot, height - lamp.size[2]))
        colour = np.array(decor.WARM) * (1.15 if len(spots) == 1 else 0.8)
        lights.append(Light((*spot, float(height) - 0.45), tuple(colour.tolist()), 2.4, 0.15))
    for item in room.items:
        if item.category == 'lamp':
            at = item.T_map_item[:3, 3] + (0.0, 0.0, item.size[2] - 0.12)
            lights.append(Light(tuple(at.tolist()), (0.6, 0.48, 0.3), 0.9, 0.1))
    return lights
