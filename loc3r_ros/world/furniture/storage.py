# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What holds things: shelves, cabinets, wardrobes, the fridge."""

from __future__ import annotations

from numpy.random import Generator

from loc3r_ros.world.furniture.design import Design, ball, box, cylinder
from loc3r_ros.world.palette import Palette
from loc3r_ros.world.pictures import books
from loc3r_ros.world.scene import Material, Solid


def bookcase(rng: Generator, palette: Palette) -> Design:
    wood, t = palette.wood(), 0.025
    w, d, h, rows = rng.uniform(0.8, 1.2), 0.30, rng.uniform(1.7, 2.05), 5
    solids = [box(wood, (0.01, w - 2 * t, h), (-d / 2 + 0.005, 0, 0))]
    solids += [box(wood, (d, t, h), (0, s * (w - t) / 2, 0)) for s in (-1, 1)]
    pitch = (h - t) / rows
    inner = w - 2 * t
    for k in range(rows + 1):
        solids.append(box(wood, (d - 0.01, inner, t), (0.005, 0, k * pitch)))
    for k in range(rows):
        solids += _row_of_books(rng, palette, inner, pitch - t, k * pitch + t)
    return Design.of('bookcase', solids)


def _row_of_books(
    rng: Generator, palette: Palette, width: float, height: float, z: float
) -> list[Solid]:
    """Books over most of a shelf, and an ornament in the gap that is left."""
    share, side = rng.uniform(0.55, 0.95), rng.choice([-1.0, 1.0])
    length, tall = share * width, 0.88 * height
    spines = Material(palette.print(books, rng), width=None)
    solids = [box(spines, (0.20, length, tall), (-0.03, side * (width - length) / 2, z))]
    gap = width - length
    if gap > 0.12:
        size = min(0.9 * gap, 0.16)
        y = -side * (width - gap) / 2
        lacquer = palette.lacquer(palette.colour())
        vase = rng.random() < 0.5
        solids.append(
            cylinder(lacquer, size, 0.6 * height, (0, y, z))
            if vase
            else ball(lacquer, (size, size, size), (0, y, z))
        )
    return solids


def cabinet(rng: Generator, palette: Palette) -> Design:
    """A sideboard with doors."""
    return _with_doors('cabinet', (0.42, rng.uniform(1.1, 1.5), rng.uniform(0.75, 0.9)), 3, palette)


def wardrobe(rng: Generator, palette: Palette) -> Design:
    return _with_doors('wardrobe', (0.58, rng.uniform(1.0, 1.5), rng.uniform(1.9, 2.1)), 2, palette)


def _with_doors(
    category: str, size: tuple[float, float, float], doors: int, palette: Palette
) -> Design:
    body, front, metal = palette.wood(), palette.wood(), palette.metal(0.7)
    d, w, h = size
    solids = [
        box(body, (d - 0.06, w - 0.06, 0.06), (-0.02, 0, 0)),
        box(body, (d, w, h - 0.06), (0, 0, 0.06)),
    ]
    each = w / doors
    for k in range(doors):
        y = (k + 0.5) * each - w / 2
        solids.append(box(front, (0.02, each - 0.02, h - 0.12), (d / 2 + 0.01, y, 0.09)))
        grip = y + (0.5 * each - 0.06) * (1 if k % 2 == 0 else -1)
        solids.append(box(metal, (0.025, 0.015, 0.16), (d / 2 + 0.0325, grip, 0.55 * h)))
    return Design.of(category, solids)


def nightstand(rng: Generator, palette: Palette) -> Design:
    wood, front, metal = palette.wood(), palette.wood(), palette.metal(0.7)
    w, d, h = rng.uniform(0.42, 0.5), 0.40, rng.uniform(0.48, 0.56)
    solids = [
        box(wood, (d, w, h - 0.10), (0, 0, 0.10)),
        box(wood, (d - 0.08, w - 0.08, 0.10), (0, 0, 0)),
    ]
    for k in range(2):
        z = 0.13 + k * 0.5 * (h - 0.13)
        tall = 0.5 * (h - 0.13) - 0.03
        solids.append(box(front, (0.015, w - 0.04, tall), (d / 2 + 0.0075, 0, z)))
        solids.append(ball(metal, (0.03, 0.03, 0.03), (d / 2 + 0.03, 0, z + tall / 2 - 0.015)))
    return Design.of('nightstand', solids)


def fridge(rng: Generator, palette: Palette) -> Design:
    white, metal = palette.lacquer(), palette.metal()
    w, d, h = 0.60, 0.60, rng.uniform(1.6, 1.85)
    split = 0.38 * h
    solids = [box(white, (d, w, h), (0, 0, 0))]
    for low, high in ((0.04, split), (split + 0.01, h)):
        solids.append(box(white, (0.05, w - 0.005, high - low - 0.01), (d / 2 + 0.028, 0, low)))
        solids.append(
            box(metal, (0.03, 0.025, 0.3), (d / 2 + 0.068, -0.24, max(low, high - 0.8) + 0.1))
        )
    for _ in range(5):
        y, z = rng.uniform(-0.2, 0.2), rng.uniform(split + 0.15, h - 0.15)
        note = palette.lacquer(palette.colour(0.4, 1.0))
        solids.append(
            box(
                note, (0.004, rng.uniform(0.04, 0.1), rng.uniform(0.04, 0.1)), (d / 2 + 0.055, y, z)
            )
        )
    return Design.of('fridge', solids)


def crate(rng: Generator, palette: Palette) -> Design:
    """An open wooden box."""
    wood, s, h, t = palette.wood(), rng.uniform(0.32, 0.45), rng.uniform(0.25, 0.35), 0.018
    solids = [box(wood, (s, s, t), (0, 0, 0))]
    solids += [box(wood, (t, s, h - t), (k * (s - t) / 2, 0, t)) for k in (-1, 1)]
    solids += [box(wood, (s - 2 * t, t, h - t), (0, k * (s - t) / 2, t)) for k in (-1, 1)]
    return Design.of('box', solids)
