# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A furnished flat of one to four rooms from a seed.

Each room is furnished alone, about its own centre, and then moved to its place.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array, pose
from loc3r_ros.world import stock
from loc3r_ros.world.arrange import Arrangement
from loc3r_ros.world.blueprint import OUTSIDE, WALL, draw_plan
from loc3r_ros.world.floorplan import CELL, FloorPlan
from loc3r_ros.world.furnishing import furnish
from loc3r_ros.world.furniture import decor, extras, shell
from loc3r_ros.world.mood import Mood
from loc3r_ros.world.palette import Palette
from loc3r_ros.world.scene import Item, Light, Material, Passage, RoomShape, Scene
from loc3r_ros.world.tour import CLEARANCE

SHARES = (0.5, 0.2, 0.15, 0.15)
"""Shares of flats of one, two, three and four rooms, where the number is drawn."""

KINDS_MIN, FREE_MIN = 8, 1.5
"""A flat has at least so many categories of furniture; each room so much floor that a robot gets
to, m^2."""

_ATTEMPTS = 50


def generate_apartment(seed: int, rooms: int | None = None) -> Scene:
    """Furnish a flat; the same seed gives the same flat on every machine.

    Args:
        seed: any integer from 0.
        rooms: how many, 1 to 4; drawn when not given.

    Raises:
        InputError: a number or seed out of range.
    """
    if seed < 0:
        raise InputError(f'flat seed {seed}: must be 0 or greater')
    if rooms is not None and rooms not in OUTSIDE:
        raise InputError(f'a flat of {rooms} rooms: give 1 to {max(OUTSIDE)}')
    count = rooms or 1 + int(np.random.default_rng((seed, 0xF1A7)).choice(4, p=SHARES))
    for attempt in range(_ATTEMPTS):
        scene = _Builder(seed, attempt).build(count)
        kinds = {item.category for item in scene.furniture}
        if len(kinds) >= KINDS_MIN and min(_free_floor(scene)) >= FREE_MIN:
            return scene
    raise RuntimeError(f'flat seed {seed}: no arrangement in {_ATTEMPTS} attempts')


def _free_floor(scene: Scene) -> list[float]:
    """Floor of each room that a robot gets to from every other, m^2."""
    plan = FloorPlan(scene)
    reached = plan.centres[plan.region(CLEARANCE + 0.05)]
    return [
        float(((reached > room.low) & (reached < room.high)).all(1).sum() * CELL**2)
        for room in scene.rooms
    ]


class _Builder:
    """Builds one flat; layout, looks and light have sources of their own."""

    def __init__(self, seed: int, attempt: int) -> None:
        self._seed = seed
        self._rng, self._looks, self._lamps = (
            np.random.default_rng((seed, 0xF1A7, attempt, k)) for k in range(3)
        )
        self._items: list[Item] = []
        self._lights: list[Light] = []
        self._height = float(self._rng.uniform(2.45, 2.8))
        self._mood = Mood.draw(self._lamps)
        self._floor = stock.floor_cover(self._looks)

    def build(self, count: int) -> Scene:
        rooms, passages = draw_plan(self._rng, count)
        entrance = int(np.argmax([room.area for room in rooms]))
        for k in range(len(rooms)):
            self._build_room(k, rooms, passages, entrance=k == entrance)
        palette = stock.StockPalette(self._looks)
        for passage in passages:
            turn = np.eye(3) if passage.axis == 0 else [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
            T = pose(turn, [*passage.centre, 0.0])
            frame = shell.doorway(palette, passage.width)
            self._items.append(frame.place(len(self._items) + 1, T))
        corner = np.max([room.high for room in rooms], 0)
        size = np.array([*(2.0 * corner), self._height])
        return Scene(
            self._seed, size, tuple(self._items), tuple(self._lights), self._mood.ambient, rooms,
            passages,
        )  # fmt: skip

    def _build_room(
        self,
        index: int,
        rooms: tuple[RoomShape, ...],
        passages: tuple[Passage, ...],
        *,
        entrance: bool,
    ) -> None:
        shape, rng = rooms[index], self._rng
        room = Arrangement(rng, np.array([*shape.size, self._height]))
        palette = stock.StockPalette(self._looks)
        corner = np.max([other.high for other in rooms], 0)
        openings = _openings(shape, [p for p in passages if index in p.rooms])
        outer = [k for k in range(4) if _is_outer(shape, k, corner)]
        self._build_shell(room, shape.name, openings, outer, palette)
        windows = _pierce(room, shape.name, rng, palette, outer, entrance=entrance)
        furnish(shape.name, room, rng, palette)
        for window in windows:
            if rng.random() < 0.5:
                room.behind(window, extras.radiator(rng, palette), height=0.10)
        _decorate(room, shape.name, rng, palette)
        T = pose(np.eye(3), [*shape.centre, 0.0])
        shone, lights = self._mood.light(
            self._lamps, [_moved(item, T, len(self._items)) for item in room.items], index
        )
        self._items += shone
        self._lights += lights

    def _build_shell(
        self,
        room: Arrangement,
        kind: str,
        openings: dict[int, list[tuple[float, float]]],
        outer: list[int],
        palette: Palette,
    ) -> None:
        looks, (x, y, height) = self._looks, room.size
        wet = kind in ('bathroom', 'kitchen')
        cover = stock.floor_cover(looks, wet=True) if wet else self._floor
        # Under the walls, too: half of each doorway has this room's floor.
        room.lay(shell.floor(cover, np.array([x + WALL, y + WALL])), (0, 0, -shell.THICKNESS))
        room.lay(shell.ceiling(stock.ceiling_paint(looks), room.size), (0, 0, height))
        common, accent, skirting = (
            stock.wall_paint(looks),
            stock.wall_paint(looks),
            palette.lacquer(),
        )
        special = int(looks.integers(4)) if looks.random() < 0.5 else -1
        for side in range(4):
            paint = accent if side == special else common
            if side in outer:
                piece = shell.wall(paint, skirting, room.length(side), float(height))
                room.wall(side, piece, shell.THICKNESS)
            else:
                _inner_wall(room, side, openings.get(side, []), paint, skirting)


def _inner_wall(
    room: Arrangement,
    side: int,
    openings: list[tuple[float, float]],
    paint: Material,
    skirting: Material,
) -> None:
    """A room's half of a wall, with openings (along, width)."""
    height, end = float(room.size[2]), room.length(side) / 2 + WALL / 2
    start = -end
    for along, width in [*sorted(openings), (end, 0.0)]:
        stop = along - width / 2
        piece = shell.wall_piece(paint, skirting, stop - start, height)
        room.wall(side, piece, WALL / 2, along=(start + stop) / 2)
        start = along + width / 2
    for along, width in openings:
        above = shell.lintel(paint, width, height - shell.OPENING)
        room.wall(side, above, WALL / 2, along=along, base=shell.OPENING)
        room.keep_open(side, along, width, access=1.0)


def _pierce(
    room: Arrangement,
    kind: str,
    rng: Generator,
    palette: Palette,
    outer: list[int],
    *,
    entrance: bool,
) -> list[Item]:
    """The front door, where this room has it, and windows, which it returns."""
    if entrance:
        door = shell.door(rng, palette)
        sides = [outer[k] for k in rng.permutation(len(outer))]
        any(room.on_wall(door, height=0.0, access=0.9, side=side) for side in sides)
    count = 1 + int(room.size[0] * room.size[1] > 20.0)
    count = int(rng.random() < 0.6) if kind == 'bathroom' else count
    hung = [
        room.on_wall(shell.window(rng, palette), height=0.92, side=outer[rng.integers(len(outer))])
        for _ in range(count)
    ]
    return [item for item in hung if item is not None]


def _decorate(room: Arrangement, kind: str, rng: Generator, palette: Palette) -> None:
    """Pictures, now and then a clock, and ceiling lights."""
    if kind != 'bathroom':
        if rng.random() < 0.4:
            room.on_wall(decor.clock(rng, palette), height=rng.uniform(1.75, 1.95))
        for side in range(4):
            if rng.random() < 0.55:
                height = rng.uniform(1.2, 1.45)
                room.on_wall(decor.picture(rng, palette), height=height, side=side)
    lamp = replace(decor.ceiling_lamp(rng, palette), category='ceiling light')
    x, y, height = room.size.tolist()
    spots = [(0.0, 0.0)]
    if max(x, y) > 5.5:
        spots = [(-x / 4, 0.0), (x / 4, 0.0)] if x > y else [(0.0, -y / 4), (0.0, y / 4)]
    for spot in spots:
        room.lay(lamp, (*spot, height - lamp.size[2]))


def _is_outer(shape: RoomShape, side: int, corner: Array) -> bool:
    """Whether a side of a room (0: low x, 1: low y, 2: high x, 3: high y) is the flat's own."""
    axis = side % 2
    edge = -shape.low[axis] if side < 2 else shape.high[axis]
    return bool(edge > corner[axis] - 1e-6)


def _openings(shape: RoomShape, passages: list[Passage]) -> dict[int, list[tuple[float, float]]]:
    """(along, width) of a room's openings by its sides, as `Arrangement` measures them."""
    openings: dict[int, list[tuple[float, float]]] = {}
    for passage in passages:
        offset = np.subtract(passage.centre, shape.centre)
        side = passage.axis + (2 if offset[passage.axis] > 0 else 0)
        # Facing away from side k, left is y, -x, -y, x.
        along = float(offset[1 - passage.axis] * (1, -1, -1, 1)[side])
        openings.setdefault(side, []).append((along, passage.width))
    return openings


def _moved(item: Item, T: Array, before: int) -> Item:
    """The item of a room at its place in the flat, numbered after those `before`."""
    return replace(
        item,
        instance=item.instance + before,
        T_map_item=T @ item.T_map_item,
        support=item.support + before if item.support else 0,
    )
