# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The room itself: floor, ceiling, walls with skirting, a door and windows."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from loc3r_ros.world import pictures, textures
from loc3r_ros.world.blueprint import WALL
from loc3r_ros.world.furniture.design import Design, ball, box
from loc3r_ros.world.palette import Palette
from loc3r_ros.world.scene import Material, Solid

THICKNESS = 0.10
"""Of outer walls, floor and ceiling, m; they stand outside the room's size."""

OPENING = 2.05
"""Height of an opening between two rooms, m."""

_WALL_TONES = ((0.88, 0.85, 0.78), (0.80, 0.84, 0.86), (0.82, 0.86, 0.76), (0.90, 0.82, 0.74))
_FLOORS = (
    lambda rng: textures.planks(rng, (0.64, 0.45, 0.28)),
    lambda rng: textures.planks(rng, (0.48, 0.32, 0.21)),
    lambda rng: textures.tiles(rng, [(0.72, 0.68, 0.62), (0.66, 0.60, 0.54)], count=24),
)


def floor_cover(rng: Generator) -> Material:
    """Boards or tiles."""
    return Material(_FLOORS[rng.integers(len(_FLOORS))](rng), width=8.0)


def floor(cover: Material, size: np.ndarray) -> Design:
    """Its underside is its base, its upper side belongs at z = 0."""
    return Design.of('floor', [box(cover, (*size[:2], THICKNESS), (0, 0, 0))])


def ceiling(paint: Material, size: np.ndarray) -> Design:
    return Design.of('ceiling', [box(paint, (*size[:2], THICKNESS), (0, 0, 0))])


def wall_paints(rng: Generator) -> tuple[Material, Material, Material]:
    """Materials of the ceiling, of three walls and of the fourth."""
    tone = np.array(_WALL_TONES[rng.integers(len(_WALL_TONES))])
    plaster = textures.plaster(rng, (0.92, 0.91, 0.89))
    accent = (
        textures.brick(rng, (0.62, 0.36, 0.28))
        if rng.random() < 0.5
        else textures.fabric(rng, 0.85 * tone, 0.6 * tone, size=512)
    )
    return (
        Material(plaster, width=3.0),
        Material(textures.wallpaper(rng, tone), width=5.0),
        Material(accent, width=5.0 if accent.shape[0] == 1024 else 2.5),
    )


def wall(paint: Material, skirting: Material, length: float, height: float) -> Design:
    """A wall whose front looks into the room; the skirting stands 15 mm out of it."""
    return Design.of(
        'wall',
        [
            box(paint, (THICKNESS, length + 2 * THICKNESS, height), (0, 0, 0)),
            box(skirting, (0.015, length - 0.03, 0.08), (THICKNESS / 2 + 0.0075, 0, 0)),
        ],
    )


def wall_piece(paint: Material, skirting: Material, length: float, height: float) -> Design:
    """Half the thickness of a wall between two rooms, or a stretch of it."""
    return Design.of(
        'wall',
        [
            box(paint, (WALL / 2, length, height), (0, 0, 0)),
            box(skirting, (0.015, length, 0.08), (WALL / 4 + 0.0075, 0, 0)),
        ],
    )


def lintel(paint: Material, length: float, height: float) -> Design:
    """What a wall has above an opening, half its thickness."""
    return Design.of('wall', [box(paint, (WALL / 2, length, height), (0, 0, 0))])


def doorway(palette: Palette, width: float) -> Design:
    """The frame of an opening, with a lip on both sides of the wall; one goes through along x."""
    paint, lining, lip = palette.lacquer(), 0.012, 0.07
    # Farther out than the skirting, which ends behind it.
    out = 0.022
    depth = WALL + 2 * out
    post = box(paint, (depth, lining, OPENING), (0, (width - lining) / 2, 0))
    solids = [post, box(paint, (depth, lining, OPENING), (0, (lining - width) / 2, 0))]
    solids.append(box(paint, (depth, width - 2 * lining, lining), (0, 0, OPENING - lining)))
    for x in (-1, 1):
        face = x * (WALL + out) / 2
        solids += [
            box(paint, (out, lip, OPENING), (face, y * (width + lip) / 2, 0)) for y in (-1, 1)
        ]
        solids.append(box(paint, (out, width + 2 * lip, lip), (face, 0, OPENING)))
    return Design.of('doorway', solids)


def door(rng: Generator, palette: Palette) -> Design:
    """A closed door in its frame, on the wall's surface."""
    leaf, frame, metal = palette.wood(), palette.lacquer(), palette.metal()
    w, h = rng.uniform(0.82, 0.95), 2.02
    solids = [box(leaf, (0.035, w, h), (0, 0, 0))]
    solids += [box(frame, (0.05, 0.08, h + 0.08), (0, s * (w / 2 + 0.04), 0)) for s in (-1, 1)]
    solids.append(box(frame, (0.05, w, 0.08), (0, 0, h)))
    panel = palette.wood()
    for z, tall in ((0.18, 0.72), (1.06, 0.78)):
        solids.append(box(panel, (0.012, w - 0.28, tall), (0.0235, 0, z)))
    solids.append(box(metal, (0.01, 0.04, 0.16), (0.0225, w / 2 - 0.08, 0.97)))
    solids.append(box(metal, (0.03, 0.12, 0.02), (0.0425, w / 2 - 0.12, 1.05)))
    return Design.of('door', solids)


def window(rng: Generator, palette: Palette) -> Design:
    """A window with a sill and curtains, on the wall's surface."""
    view = Material(palette.print(pictures.outdoors, rng), width=None, emission=1.25)
    frame, cloth = palette.lacquer(), palette.cloth()
    w, h = rng.uniform(1.2, 1.8), rng.uniform(1.05, 1.25)
    solids: list[Solid] = [box(view, (0.02, w, h), (0, 0, 0.03))]
    solids += [box(frame, (0.05, 0.06, h), (0, k * (w - 0.06) / 2, 0.03)) for k in (-1, 0, 1)]
    solids += [box(frame, (0.045, w, 0.06), (0, 0, 0.03 + k * (h - 0.06))) for k in (0, 0.62, 1)]
    solids.append(box(frame, (0.16, w + 0.12, 0.03), (0.055, 0, 0)))
    for side in (-1, 1):
        for k in range(4):
            y = side * (w / 2 + 0.10 + 0.075 * k)
            solids.append(box(cloth, (0.05, 0.06, h + 0.20), (0.03 + 0.02 * (k % 2), y, -0.06)))
    solids.append(box(palette.metal(0.5), (0.02, w + 1.0, 0.02), (0.03, 0, h + 0.14)))
    solids += [
        ball(palette.metal(0.5), (0.05,) * 3, (0.03, s * (w / 2 + 0.5), h + 0.125)) for s in (-1, 1)
    ]
    return Design.of('window', solids)
