# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What stands in rooms of each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numpy.random import Generator

from loc3r_ros.world.arrange import Arrangement
from loc3r_ros.world.furniture import decor, extras, household, seating, storage
from loc3r_ros.world.furniture.design import Design
from loc3r_ros.world.palette import Palette

Maker = Callable[[Generator, Palette], Design]


def furnish(kind: str, room: Arrangement, rng: Generator, palette: Palette) -> None:
    """Furnish a room of a kind that `ROOMS` names; the more, the larger it is."""
    ROOMS[kind](room, rng, palette)


def sleeping_corner(room: Arrangement, rng: Generator, palette: Palette) -> None:
    """A bed with its nightstands, and a wardrobe."""
    bed = room.against_wall(seating.bed(rng, palette), access=0.3)
    for side in (-1.0, 1.0):
        stand = room.beside(bed, storage.nightstand(rng, palette), side)
        room.on_top(stand, decor.book_pile(rng, palette))
    room.against_wall(storage.wardrobe(rng, palette), access=0.6)


def seating_corner(room: Arrangement, rng: Generator, palette: Palette) -> None:
    """A sofa on a rug before a television."""
    sofa = room.against_wall(seating.sofa(rng, palette), access=0.4)
    rug = room.before(sofa, decor.rug(rng, palette), gap=0.03)
    low = room.before(sofa, seating.coffee_table(rng, palette), gap=0.45, on=rug)
    room.on_top(low, decor.bowl(rng, palette))
    room.on_top(low, decor.book_pile(rng, palette))
    room.facing(sofa, decor.television(rng, palette), access=0.5)


def dining_place(room: Arrangement, rng: Generator, palette: Palette, *, central: bool) -> None:
    """A laid table and its chairs, in the middle of the room or at a wall."""
    table = seating.table(rng, palette)
    placed = room.inside(table, around=1.3) if central else None
    placed = placed or room.against_wall(table, access=0.7)
    chair = seating.chair(rng, palette)
    if placed is not None:
        for side, along in ((1, -0.22), (1, 0.22), (-1, -0.22), (-1, 0.22)):
            room.chair_at(placed, chair, side, along)
        for make in (decor.vase, decor.bowl, decor.book_pile):
            room.on_top(placed, make(rng, palette))


def working_place(room: Arrangement, rng: Generator, palette: Palette) -> None:
    """A desk with a laptop, and its chair."""
    desk = room.against_wall(seating.desk(rng, palette), access=0.8)
    if desk is None:
        return
    room.chair_at(desk, seating.chair(rng, palette), 1, -0.15)
    room.on_top(desk, decor.laptop(rng, palette), turn=0.0)
    room.on_top(desk, decor.book_pile(rng, palette))


def cooking_place(room: Arrangement, rng: Generator, palette: Palette) -> None:
    """A stove between a sink and a counter, and a fridge."""
    stove = room.against_wall(household.stove(rng, palette), access=0.7)
    side = float(rng.choice([-1.0, 1.0]))
    sink = room.beside(stove, household.sink(rng, palette), side)
    if sink is None:
        room.against_wall(household.sink(rng, palette), access=0.6)
    counter = room.beside(stove, household.counter(rng, palette), -side)
    if counter is None:
        counter = room.against_wall(household.counter(rng, palette), access=0.6)
    room.on_top(counter, household.microwave(rng, palette), turn=0.1)
    room.on_top(counter, decor.bowl(rng, palette))
    room.against_wall(storage.fridge(rng, palette), access=0.6)


def _single(room: Arrangement, rng: Generator, palette: Palette) -> None:
    """One room to live in: two or three of all that there is to do in a home."""
    area = room.size[0] * room.size[1]
    central = min(room.size[:2]) > 5.2
    if central:
        dining_place(room, rng, palette, central=True)
    places = [seating_corner, sleeping_corner, cooking_place, working_place]
    for k in rng.permutation(len(places))[: 2 + int(area > 26.0)]:
        places[k](room, rng, palette)
    if not central and rng.random() < 0.5:
        dining_place(room, rng, palette, central=False)
    _at_walls(room, rng, palette, _ANYWHERE, at_most=_plenty(room, 6))
    _odds_and_ends(room, rng, palette)


def _living_room(room: Arrangement, rng: Generator, palette: Palette) -> None:
    central = min(room.size[:2]) > 5.2
    if central:
        dining_place(room, rng, palette, central=True)
    seating_corner(room, rng, palette)
    if not central and room.size[0] * room.size[1] > 16.0:
        dining_place(room, rng, palette, central=False)
    makers = (seating.armchair, storage.bookcase, storage.cabinet, extras.piano, extras.ottoman)
    _at_walls(room, rng, palette, makers, at_most=_plenty(room, 4))
    _odds_and_ends(room, rng, palette)


def _bedroom(room: Arrangement, rng: Generator, palette: Palette) -> None:
    sleeping_corner(room, rng, palette)
    if rng.random() < 0.4:
        working_place(room, rng, palette)
    makers = (extras.dresser, extras.bench, seating.armchair, extras.suitcase, storage.bookcase)
    _at_walls(room, rng, palette, makers, at_most=_plenty(room, 3))
    _odds_and_ends(room, rng, palette)


def _kitchen(room: Arrangement, rng: Generator, palette: Palette) -> None:
    cooking_place(room, rng, palette)
    dining_place(room, rng, palette, central=False)
    makers = (storage.cabinet, household.washer, extras.bucket, seating.stool, storage.crate)
    _at_walls(room, rng, palette, makers, at_most=3)


def _bathroom(room: Arrangement, rng: Generator, palette: Palette) -> None:
    room.against_wall(household.bathtub(rng, palette), access=0.5)
    sink = room.against_wall(household.washbasin(rng, palette), access=0.6)
    if room.behind(sink, extras.mirror(rng, palette), height=1.15) is None:
        room.on_wall(extras.mirror(rng, palette), height=1.15)
    room.against_wall(household.toilet(rng, palette), access=0.5)
    makers = (household.washer, seating.stool, extras.bucket, storage.cabinet, decor.plant)
    _at_walls(room, rng, palette, makers, at_most=3)


def _study(room: Arrangement, rng: Generator, palette: Palette) -> None:
    working_place(room, rng, palette)
    room.against_wall(storage.bookcase(rng, palette), access=0.5)
    makers = (
        seating.armchair, extras.piano, storage.cabinet, storage.bookcase, extras.suitcase,
        seating.sofa,
    )  # fmt: skip
    _at_walls(room, rng, palette, makers, at_most=_plenty(room, 4))
    _odds_and_ends(room, rng, palette)


ROOMS: dict[str, Callable[[Arrangement, Generator, Palette], None]] = {
    'room': _single,
    'living room': _living_room,
    'bedroom': _bedroom,
    'kitchen': _kitchen,
    'bathroom': _bathroom,
    'study': _study,
}

_ANYWHERE = (
    storage.bookcase, storage.cabinet, storage.fridge, storage.wardrobe, storage.crate,
    seating.armchair, seating.stool, extras.dresser, extras.piano, extras.ottoman, extras.bench,
    extras.suitcase, extras.bucket, household.washer,
)  # fmt: skip

_LOW = ('stool', 'ottoman', 'suitcase', 'bucket', 'box', 'plant')
"""What nobody needs to stand before."""

_ON_TOP = {'cabinet': (decor.vase, decor.bowl, extras.globe), 'dresser': (decor.vase, extras.globe)}


def _at_walls(
    room: Arrangement, rng: Generator, palette: Palette, makers: Sequence[Maker], *, at_most: int
) -> None:
    """Some of these against walls, with small things on those that invite it."""
    for k in rng.permutation(len(makers))[: rng.integers(at_most // 2, at_most + 1)]:
        design = makers[k](rng, palette)
        access = 0.0 if design.category in _LOW else 0.5
        item = room.against_wall(design, access=access)
        for make in _ON_TOP.get(design.category, ()):
            if rng.random() < 0.6:
                room.on_top(item, make(rng, palette))


def _plenty(room: Arrangement, usual: int) -> int:
    """More than the usual number of things, the larger the room."""
    return usual + int(max(0.0, room.size[0] * room.size[1] - 12.0) / 7.0)


def _odds_and_ends(room: Arrangement, rng: Generator, palette: Palette) -> None:
    if rng.random() < 0.7:
        room.in_corner(decor.plant(rng, palette))
    if rng.random() < 0.6:
        room.in_corner(decor.floor_lamp(rng, palette))
    if rng.random() < 0.3:
        room.on_wall(extras.mirror(rng, palette), height=rng.uniform(0.8, 1.1))
