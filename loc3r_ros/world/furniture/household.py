# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What kitchens and bathrooms are known by."""

from __future__ import annotations

from numpy.random import Generator

from loc3r_ros.world.furniture.design import Design, ball, box, cylinder
from loc3r_ros.world.palette import Palette
from loc3r_ros.world.scene import Solid

WORKTOP = 0.90
"""Height of what one works at, m."""

BLACK = (0.10, 0.10, 0.11)
WATER = (0.62, 0.70, 0.74)


def stove(rng: Generator, palette: Palette) -> Design:
    """A cooker: four plates, a row of knobs, an oven's window."""
    white, black, metal = palette.lacquer(), palette.lacquer(BLACK), palette.metal(0.8)
    w, d = rng.uniform(0.58, 0.7), 0.60
    solids = [box(white, (d, w, WORKTOP), (0, 0, 0))]
    solids += [
        cylinder(black, rng.uniform(0.15, 0.20), 0.012, (sx * 0.14, sy * 0.15, WORKTOP))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    solids.append(box(black, (0.02, w - 0.14, 0.32), (d / 2 + 0.005, 0, 0.28)))
    solids.append(box(metal, (0.04, w - 0.14, 0.02), (d / 2 + 0.03, 0, 0.66)))
    for k in range(5):
        y = (k - 2) * (w - 0.16) / 4
        solids.append(cylinder(black, 0.045, 0.03, (d / 2 + 0.015, y, 0.78), flat=True))
    return Design.of('stove', solids)


def counter(rng: Generator, palette: Palette) -> Design:
    """Kitchen cupboards under a worktop."""
    return Design.of('counter', _cupboards(rng.uniform(0.8, 1.4), rng, palette))


def sink(rng: Generator, palette: Palette) -> Design:
    """A steel basin in a worktop, with a tap."""
    w, metal, dark = rng.uniform(0.75, 0.95), palette.metal(1.2), palette.metal(0.45)
    solids = _cupboards(w, rng, palette)
    solids.append(box(metal, (0.44, w - 0.12, 0.012), (0, 0, WORKTOP)))
    solids.append(box(dark, (0.34, 0.40, 0.003), (0.02, 0, WORKTOP + 0.012)))
    return Design.of('sink', [*solids, *_tap(palette, (-0.20, 0, WORKTOP + 0.012))])


def _cupboards(width: float, rng: Generator, palette: Palette) -> list[Solid]:
    body, front, metal = palette.wood(), palette.wood(), palette.metal(0.7)
    top = palette.lacquer(palette.colour(0.3, 0.8))
    d, doors = 0.60, 1 + int(width > 0.9)
    solids = [
        box(palette.metal(0.3), (d - 0.10, width - 0.02, 0.10), (-0.04, 0, 0)),
        box(body, (d - 0.03, width, WORKTOP - 0.14), (-0.015, 0, 0.10)),
        box(top, (d + 0.02, width, 0.04), (0.01, 0, WORKTOP - 0.04)),
    ]
    each = width / doors
    for k in range(doors):
        y = (k + 0.5) * each - width / 2
        solids.append(box(front, (0.02, each - 0.02, 0.70), (d / 2 - 0.02, y, 0.13)))
        solids.append(box(metal, (0.02, 0.16, 0.015), (d / 2, y, 0.76)))
    return solids


def _tap(palette: Palette, base: tuple[float, float, float]) -> list[Solid]:
    metal = palette.metal(1.2)
    x, y, z = base
    return [
        cylinder(metal, 0.035, 0.24, (x, y, z)),
        box(metal, (0.20, 0.03, 0.025), (x + 0.085, y, z + 0.22)),
        cylinder(metal, 0.03, 0.05, (x + 0.17, y, z + 0.17)),
    ]


def washbasin(rng: Generator, palette: Palette) -> Design:
    """A bathroom's sink: a white bowl on a column."""
    white, w = palette.lacquer((0.97, 0.97, 0.96)), rng.uniform(0.5, 0.65)
    solids = [
        cylinder(white, 0.18, 0.68, (-0.06, 0, 0)),
        box(white, (0.44, w, 0.16), (0, 0, 0.68)),
        cylinder(palette.lacquer(WATER), 0.30, 0.003, (0.03, 0, 0.84)),
    ]
    return Design.of('sink', [*solids, *_tap(palette, (-0.16, 0, 0.84))])


def toilet(rng: Generator, palette: Palette) -> Design:
    """A bowl with its lid down and a cistern behind."""
    white, lid = palette.lacquer((0.97, 0.97, 0.96)), palette.lacquer()
    h = rng.uniform(0.38, 0.42)
    solids = [
        cylinder(white, 0.24, h - 0.05, (0.04, 0, 0)),
        ball(white, (0.52, 0.38, 0.34), (0.08, 0, h - 0.30)),
        box(lid, (0.40, 0.36, 0.03), (0.08, 0, h)),
        box(white, (0.18, 0.42, 0.40), (-0.27, 0, h - 0.06)),
        cylinder(palette.metal(), 0.05, 0.012, (-0.27, 0, h + 0.34)),
    ]
    return Design.of('toilet', solids)


def bathtub(rng: Generator, palette: Palette) -> Design:
    """A tub with water in it, its long side to the wall."""
    white, water = palette.lacquer((0.97, 0.97, 0.96)), palette.lacquer(WATER)
    w, d, h, rim = rng.uniform(1.5, 1.75), rng.uniform(0.70, 0.80), 0.55, 0.07
    solids = [box(white, (d, w, 0.10), (0, 0, 0))]
    solids += [box(white, (rim, w, h - 0.10), (s * (d - rim) / 2, 0, 0.10)) for s in (-1, 1)]
    solids += [
        box(white, (d - 2 * rim, rim, h - 0.10), (0, s * (w - rim) / 2, 0.10)) for s in (-1, 1)
    ]
    solids.append(box(water, (d - 2 * rim, w - 2 * rim, 0.28), (0, 0, 0.10)))
    solids += _tap(palette, (0.0, w / 2 - 0.035, h))
    return Design.of('bathtub', solids)


def washer(rng: Generator, palette: Palette) -> Design:
    """A washing machine: a round window in a white box."""
    white, metal, dark = palette.lacquer(), palette.metal(0.9), palette.lacquer((0.16, 0.18, 0.22))
    w, d, h = 0.60, rng.uniform(0.52, 0.6), 0.85
    solids = [
        box(white, (d, w, h), (0, 0, 0)),
        cylinder(metal, 0.40, 0.03, (d / 2 + 0.015, 0, 0.20), flat=True),
        cylinder(dark, 0.30, 0.03, (d / 2 + 0.03, 0, 0.25), flat=True),
        box(dark, (0.006, 0.16, 0.05), (d / 2 + 0.003, 0.15, 0.75)),
        cylinder(metal, 0.07, 0.03, (d / 2 + 0.015, -0.12, 0.735), flat=True),
    ]
    return Design.of('washer', solids)


def microwave(rng: Generator, palette: Palette) -> Design:
    body, dark = palette.metal(rng.uniform(0.4, 1.3)), palette.lacquer(BLACK)
    w = rng.uniform(0.44, 0.50)
    solids = [
        box(body, (0.34, w, 0.26), (0, 0, 0.01)),
        box(dark, (0.01, 0.66 * w, 0.20), (0.175, -0.13 * w, 0.04)),
        cylinder(dark, 0.05, 0.015, (0.178, 0.36 * w, 0.06), flat=True),
        box(palette.metal(0.2), (0.30, w - 0.06, 0.01), (0, 0, 0)),
    ]
    return Design.of('microwave', solids)
