# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What one sits, lies and eats on."""

from __future__ import annotations

from numpy.random import Generator

from loc3r_ros.world.furniture.design import Design, ball, box, cylinder, legs
from loc3r_ros.world.palette import Palette


def chair(rng: Generator, palette: Palette) -> Design:
    wood = palette.wood()
    w, d, seat, back = (
        rng.uniform(0.40, 0.46),
        0.42,
        rng.uniform(0.44, 0.47),
        rng.uniform(0.40, 0.5),
    )
    solids = legs(wood, (d, w), 0.035, seat - 0.03)
    solids.append(box(palette.cloth(), (d, w, 0.03), (0, 0, seat - 0.03)))
    x = -d / 2 + 0.0175
    solids += [box(wood, (0.035, 0.035, back), (x, s * (w / 2 - 0.0175), seat)) for s in (-1, 1)]
    solids += [box(wood, (0.02, w - 0.07, 0.07), (x, 0, seat + h * back)) for h in (0.35, 0.82)]
    return Design.of('chair', solids)


def armchair(rng: Generator, palette: Palette) -> Design:
    return _upholstered('armchair', rng.uniform(0.78, 0.92), 1, rng, palette)


def sofa(rng: Generator, palette: Palette) -> Design:
    seats = int(rng.integers(2, 4))
    return _upholstered('sofa', 0.40 + 0.62 * seats, seats, rng, palette)


def _upholstered(
    category: str, width: float, seats: int, rng: Generator, palette: Palette
) -> Design:
    cloth, cushion, wood = palette.cloth(), palette.cloth(), palette.wood()
    depth, arm, seat = rng.uniform(0.82, 0.92), 0.16, 0.42
    back = rng.uniform(0.76, 0.88)
    inner = width - 2 * arm
    solids = legs(wood, (depth - 0.06, width - 0.06), 0.05, 0.10)
    solids.append(box(cloth, (depth, width, 0.18), (0, 0, 0.10)))
    solids.append(box(cloth, (0.22, width, back - 0.28), (-depth / 2 + 0.11, 0, 0.28)))
    solids += [
        box(cloth, (depth - 0.22, arm, 0.30), (0.11, s * (width - arm) / 2, 0.28)) for s in (-1, 1)
    ]
    for k in range(seats):
        y = (k + 0.5) * inner / seats - inner / 2
        solids.append(
            box(cloth, (depth - 0.23, inner / seats - 0.015, seat - 0.28), (0.11, y, 0.28))
        )
    for k in range(min(seats, 2)):
        y = (k - 0.5 * (min(seats, 2) - 1)) * (inner - 0.42)
        solids.append(box(cushion, (0.13, 0.38, 0.36), (-depth / 2 + 0.34, y, seat), pitch=-0.22))
    return Design.of(category, solids)


def bed(rng: Generator, palette: Palette) -> Design:
    wood, cover, linen = palette.wood(), palette.cloth(), palette.lacquer()
    width, length = rng.choice([1.0, 1.4, 1.6]), 2.05
    solids = legs(wood, (length, width), 0.07, 0.18)
    solids.append(box(wood, (length, width, 0.12), (0, 0, 0.18)))
    solids.append(box(wood, (0.05, width, rng.uniform(0.6, 0.8)), (-length / 2 - 0.025, 0, 0.18)))
    solids.append(box(linen, (length - 0.06, width - 0.06, 0.18), (0, 0, 0.30)))
    solids.append(box(cover, (1.35, width + 0.02, 0.06), (0.34, 0, 0.48)))
    pillows = 1 if width < 1.2 else 2
    for k in range(pillows):
        y = (k - 0.5 * (pillows - 1)) * width / 2
        solids.append(ball(linen, (0.42, 0.62, 0.16), (-length / 2 + 0.30, y, 0.47)))
    return Design.of('bed', solids)


def stool(rng: Generator, palette: Palette) -> Design:
    wood, d, h = palette.wood(), rng.uniform(0.32, 0.38), rng.uniform(0.42, 0.50)
    solids = legs(wood, (0.62 * d, 0.62 * d), 0.035, h - 0.04)
    solids.append(cylinder(wood, d, 0.04, (0, 0, h - 0.04)))
    return Design.of('stool', solids)


def table(rng: Generator, palette: Palette) -> Design:
    """A dining table, its long side along y."""
    wood, w, d = palette.wood(), rng.uniform(1.2, 1.7), rng.uniform(0.75, 0.9)
    solids = legs(wood, (d - 0.06, w - 0.06), 0.06, 0.70)
    solids += [box(wood, (0.02, w - 0.18, 0.08), (s * (d / 2 - 0.06), 0, 0.62)) for s in (-1, 1)]
    solids += [box(wood, (d - 0.18, 0.02, 0.08), (0, s * (w / 2 - 0.06), 0.62)) for s in (-1, 1)]
    solids.append(box(wood, (d, w, 0.035), (0, 0, 0.70)))
    return Design.of('table', solids)


def coffee_table(rng: Generator, palette: Palette) -> Design:
    wood, w, d, h = palette.wood(), rng.uniform(0.8, 1.1), rng.uniform(0.5, 0.6), 0.42
    solids = legs(wood, (d, w), 0.05, h - 0.03)
    solids.append(box(wood, (d, w, 0.03), (0, 0, h - 0.03)))
    solids.append(box(wood, (d - 0.10, w - 0.10, 0.02), (0, 0, 0.14)))
    return Design.of('coffee table', solids)


def desk(rng: Generator, palette: Palette) -> Design:
    """A desk with a drawer unit; one sits at its front."""
    wood, metal, w, d = palette.wood(), palette.metal(0.6), rng.uniform(1.1, 1.4), 0.65
    solids = [box(wood, (d, w, 0.03), (0, 0, 0.71))]
    solids += [box(wood, (d - 0.05, 0.03, 0.71), (0, s * (w / 2 - 0.02), 0)) for s in (-1, 1)]
    y = w / 2 - 0.235
    solids.append(box(wood, (d - 0.10, 0.40, 0.55), (0, y, 0.16)))
    for k in range(3):
        front = box(palette.wood(), (0.015, 0.38, 0.16), (d / 2 - 0.0425, y, 0.18 + 0.175 * k))
        solids += [front, box(metal, (0.02, 0.12, 0.012), (d / 2 - 0.025, y, 0.25 + 0.175 * k))]
    return Design.of('desk', solids)
