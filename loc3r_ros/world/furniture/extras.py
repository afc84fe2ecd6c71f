# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What tells one home from another: a piano, a mirror, a suitcase that was never put away."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from loc3r_ros.world import pictures
from loc3r_ros.world.furniture.design import Design, ball, box, cylinder, legs
from loc3r_ros.world.palette import Palette
from loc3r_ros.world.scene import Material


def dresser(rng: Generator, palette: Palette) -> Design:
    """A chest of drawers."""
    body, front, metal = palette.wood(), palette.wood(), palette.metal(0.7)
    w, d, h, rows = rng.uniform(0.8, 1.2), 0.45, rng.uniform(0.8, 1.05), 4
    solids = [box(body, (d, w, h - 0.08), (0, 0, 0.08)), *legs(body, (d, w), 0.06, 0.08)]
    each = (h - 0.12) / rows
    for k in range(rows):
        z = 0.10 + k * each
        solids.append(box(front, (0.018, w - 0.05, each - 0.02), (d / 2 + 0.009, 0, z)))
        solids += [
            ball(metal, (0.035,) * 3, (d / 2 + 0.03, s * w / 4, z + each / 2 - 0.03))
            for s in (-1, 1)
        ]
    return Design.of('dresser', solids)


def piano(rng: Generator, palette: Palette) -> Design:
    """An upright piano with its keys."""
    dark = rng.random() < 0.6
    body = palette.lacquer((0.09, 0.08, 0.09)) if dark else palette.wood()
    white, black = palette.lacquer((0.96, 0.95, 0.92)), palette.lacquer((0.07, 0.07, 0.07))
    w, h = 1.45, rng.uniform(1.1, 1.25)
    solids = [
        box(body, (0.34, w, h - 0.03), (-0.14, 0, 0)),
        box(body, (0.38, w + 0.04, 0.03), (-0.14, 0, h - 0.03)),
        box(body, (0.26, w, 0.10), (0.16, 0, 0.60)),
        box(white, (0.15, w - 0.16, 0.02), (0.20, 0, 0.70)),
    ]
    solids += [box(body, (0.06, 0.06, 0.60), (0.24, s * (w / 2 - 0.05), 0)) for s in (-1, 1)]
    solids += [box(black, (0.09, 0.10, 0.012), (0.17, (k - 4) * 0.14, 0.72)) for k in range(9)]
    return Design.of('piano', solids)


def ottoman(rng: Generator, palette: Palette) -> Design:
    cloth, d, h = palette.cloth(), rng.uniform(0.45, 0.6), rng.uniform(0.36, 0.44)
    solids = [
        cylinder(palette.wood(), 0.8 * d, 0.06, (0, 0, 0)),
        cylinder(cloth, d, h - 0.12, (0, 0, 0.06)),
        ball(cloth, (d, d, 0.16), (0, 0, h - 0.14)),
    ]
    return Design.of('ottoman', solids)


def bench(rng: Generator, palette: Palette) -> Design:
    wood, w, h = palette.wood(), rng.uniform(1.0, 1.4), 0.45
    solids = [
        *legs(wood, (0.34, w - 0.1), 0.05, h - 0.04),
        box(wood, (0.38, w, 0.04), (0, 0, h - 0.04)),
    ]
    solids.append(box(palette.cloth(), (0.34, w - 0.06, 0.05), (0, 0, h)))
    return Design.of('bench', solids)


def suitcase(rng: Generator, palette: Palette) -> Design:
    """It stands on its wheels, its handle drawn out."""
    shell, black = palette.lacquer(palette.colour(0.2, 0.9)), palette.lacquer((0.1, 0.1, 0.1))
    w, h, d = rng.uniform(0.40, 0.48), rng.uniform(0.56, 0.68), 0.26
    solids = [box(shell, (d, w, h), (0, 0, 0.05))]
    solids += [
        cylinder(black, 0.05, 0.05, (sx * 0.09, sy * (w / 2 - 0.05), 0))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    solids += [box(black, (0.012, 0.02, h), (d / 2 + 0.006, s * w / 4, 0.05)) for s in (-1, 1)]
    solids += [
        box(palette.metal(), (0.02, 0.02, 0.26), (-0.08, s * 0.1, h + 0.05)) for s in (-1, 1)
    ]
    solids.append(box(black, (0.03, 0.24, 0.03), (-0.08, 0, h + 0.31)))
    return Design.of('suitcase', solids)


def bucket(rng: Generator, palette: Palette) -> Design:
    """A pail with a rim and a handle."""
    paint, d, h = (
        palette.lacquer(palette.colour()),
        rng.uniform(0.26, 0.32),
        rng.uniform(0.26, 0.34),
    )
    metal = palette.metal(0.9)
    solids = [
        cylinder(paint, 0.92 * d, h, (0, 0, 0)),
        cylinder(metal, d, 0.02, (0, 0, h)),
        cylinder(palette.lacquer((0.14, 0.14, 0.15)), 0.86 * d, 0.004, (0, 0, h + 0.02)),
    ]
    solids += [box(metal, (0.012, 0.012, 0.10), (0, s * 0.45 * d, h + 0.02)) for s in (-1, 1)]
    solids.append(box(metal, (0.012, 0.9 * d, 0.012), (0, 0, h + 0.11)))
    return Design.of('bucket', solids)


def radiator(rng: Generator, palette: Palette) -> Design:
    """White ribs on two pipes, hung near the floor."""
    white, w, h = palette.lacquer((0.96, 0.96, 0.94)), rng.uniform(0.7, 1.2), rng.uniform(0.5, 0.6)
    ribs = int(w / 0.08)
    solids = [box(white, (0.05, w, 0.05), (0, 0, z)) for z in (0.04, h - 0.09)]
    solids += [
        box(white, (0.09, 0.045, h), (0, (k - (ribs - 1) / 2) * 0.08, 0)) for k in range(ribs)
    ]
    return Design.of('radiator', solids)


def globe(rng: Generator, palette: Palette) -> Design:
    wood = palette.wood()
    d = rng.uniform(0.24, 0.32)
    sea, land = palette.lacquer((0.25, 0.45, 0.70)), palette.lacquer((0.42, 0.56, 0.28))
    solids = [
        cylinder(wood, 0.6 * d, 0.025, (0, 0, 0)),
        cylinder(palette.metal(), 0.02, 0.06, (0, 0, 0.025)),
        ball(sea, (d, d, d), (0, 0, 0.08)),
    ]
    for k in range(4):
        turn, up = 1.7 * k, 0.08 + d * (0.2 + 0.12 * k)
        at = (0.22 * d * np.cos(turn), 0.22 * d * np.sin(turn), up)
        solids.append(ball(land, (0.62 * d, 0.62 * d, 0.4 * d), at))
    return Design.of('globe', solids)


def mirror(rng: Generator, palette: Palette) -> Design:
    """A framed pane that shows a pale, blurred room."""
    w, h = rng.uniform(0.5, 0.7), rng.uniform(0.7, 1.0)
    pane = Material(palette.print(pictures.reflection, rng), width=None, emission=0.45)
    solids = [
        box(palette.metal(0.8), (0.025, w + 0.07, h + 0.07), (0, 0, 0)),
        box(pane, (0.004, w, h), (0.0145, 0, 0.035)),
    ]
    return Design.of('mirror', solids)
