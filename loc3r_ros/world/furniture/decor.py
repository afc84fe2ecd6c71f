# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What makes a room pleasant: lamps, plants, pictures, rugs, and the small things on tables."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from loc3r_ros.world import pictures
from loc3r_ros.world.furniture.design import Design, ball, box, cylinder
from loc3r_ros.world.palette import Palette
from loc3r_ros.world.scene import Material

WARM = (1.0, 0.93, 0.78)


def floor_lamp(rng: Generator, palette: Palette) -> Design:
    metal, h = palette.metal(0.5), rng.uniform(1.45, 1.7)
    return Design.of(
        'lamp',
        [
            cylinder(metal, 0.30, 0.025, (0, 0, 0)),
            cylinder(metal, 0.028, h - 0.27, (0, 0, 0.025)),
            cylinder(_glow(palette), 0.36, 0.26, (0, 0, h - 0.26)),
        ],
    )


def ceiling_lamp(rng: Generator, palette: Palette) -> Design:
    size = rng.uniform(0.34, 0.44)
    return Design.of(
        'ceiling lamp',
        [
            ball(_glow(palette), (size, size, 0.5 * size), (0, 0, 0)),
            cylinder(palette.metal(0.5), 0.02, 0.30, (0, 0, 0.5 * size)),
        ],
    )


def _glow(palette: Palette) -> Material:
    plain = palette.lacquer(WARM)
    return Material(plain.texture, plain.width, WARM, emission=1.15)


def plant(rng: Generator, palette: Palette) -> Design:
    pot = palette.lacquer((0.72, 0.40, 0.28))
    d, stem, crown = rng.uniform(0.28, 0.36), rng.uniform(0.25, 0.45), rng.uniform(0.5, 0.65)
    solids = [
        cylinder(pot, d, 0.30, (0, 0, 0)),
        cylinder(palette.wood(), 0.04, stem, (0, 0, 0.30)),
    ]
    for k in range(5):
        turn, out = 2.4 * k, 0.14 + 0.03 * k
        size = crown * rng.uniform(0.55, 0.8, 3)
        base = (out * np.cos(turn), out * np.sin(turn), 0.22 + stem + 0.10 * k)
        solids.append(ball(palette.leaves, size, base))
    return Design.of('plant', solids)


def rug(rng: Generator, palette: Palette) -> Design:
    size = (rng.uniform(1.2, 1.6), rng.uniform(1.8, 2.4), 0.008)
    return Design.of(
        'rug', [box(Material(palette.print(pictures.rug, rng), width=None), size, (0, 0, 0))]
    )


def picture(rng: Generator, palette: Palette) -> Design:
    w, h = rng.uniform(0.5, 1.0), rng.uniform(0.4, 0.75)
    paint = pictures.landscape if rng.random() < 0.5 else pictures.abstract
    canvas = Material(palette.print(paint, rng), width=None)
    return Design.of(
        'picture',
        [
            box(palette.wood(), (0.025, w + 0.08, h + 0.08), (0, 0, 0)),
            box(canvas, (0.004, w, h), (0.0145, 0, 0.04)),
        ],
    )


def clock(rng: Generator, palette: Palette) -> Design:
    face = Material(pictures.dial(rng, palette.colour()), width=None)
    d = rng.uniform(0.28, 0.36)
    return Design.of(
        'clock',
        [
            box(palette.wood(), (0.03, d + 0.04, d + 0.04), (0, 0, 0)),
            box(face, (0.004, d, d), (0.017, 0, 0.02)),
        ],
    )


def television(rng: Generator, palette: Palette) -> Design:
    """A set on its low board."""
    w, wood, black = rng.uniform(0.9, 1.2), palette.wood(), palette.metal(0.25)
    show = Material(palette.print(pictures.screen, rng), width=None, emission=0.8)
    tall = 0.56 * w
    return Design.of(
        'television',
        [
            box(wood, (0.40, w + 0.4, 0.45), (0, 0, 0)),
            box(palette.wood(), (0.012, w / 2 + 0.16, 0.36), (0.206, -w / 4 - 0.09, 0.045)),
            box(palette.wood(), (0.012, w / 2 + 0.16, 0.36), (0.206, w / 4 + 0.09, 0.045)),
            box(black, (0.20, 0.4, 0.015), (-0.02, 0, 0.45)),
            box(black, (0.04, 0.10, 0.06), (-0.04, 0, 0.465)),
            box(black, (0.04, w, tall), (-0.02, 0, 0.525)),
            box(show, (0.004, w - 0.04, tall - 0.04), (0.002, 0, 0.545)),
        ],
    )


def laptop(rng: Generator, palette: Palette) -> Design:
    metal = palette.metal(0.9)
    show = Material(palette.print(pictures.screen, rng), width=None, emission=0.8)
    return Design.of(
        'laptop',
        [
            box(metal, (0.22, 0.32, 0.015), (0, 0, 0)),
            box(palette.metal(0.25), (0.10, 0.28, 0.003), (-0.02, 0, 0.015)),
            box(metal, (0.01, 0.32, 0.21), (-0.105, 0, 0.015)),
            box(show, (0.003, 0.30, 0.19), (-0.0985, 0, 0.025)),
        ],
    )


def vase(rng: Generator, palette: Palette) -> Design:
    glaze, h = palette.lacquer(palette.colour()), rng.uniform(0.16, 0.24)
    solids = [cylinder(glaze, 0.10, h, (0, 0, 0))]
    for k in range(5):
        base = (0.035 * np.cos(1.3 * k), 0.035 * np.sin(1.3 * k), h - 0.02 + 0.02 * k)
        solids.append(ball(palette.lacquer(palette.colour(0.3, 1.0)), (0.07, 0.07, 0.07), base))
    return Design.of('vase', solids)


def book_pile(rng: Generator, palette: Palette) -> Design:
    solids, z = [], 0.0
    for _ in range(int(rng.integers(2, 5))):
        t = rng.uniform(0.02, 0.04)
        size = (rng.uniform(0.15, 0.19), rng.uniform(0.21, 0.26), t)
        colour = pictures.LIVELY[rng.integers(len(pictures.LIVELY))]
        solids.append(
            box(palette.lacquer(tuple(colour)), size, (0, 0, z), yaw=rng.uniform(-0.3, 0.3))
        )
        z += t
    return Design.of('books', solids)


def bowl(rng: Generator, palette: Palette) -> Design:
    """A dish of fruit."""
    solids = [cylinder(palette.lacquer(palette.colour(0.5, 0.95)), 0.26, 0.05, (0, 0, 0))]
    for k in range(5):
        colour = [(0.75, 0.15, 0.12), (0.92, 0.60, 0.15), (0.55, 0.70, 0.20)][rng.integers(3)]
        base = (0.07 * np.cos(1.257 * k), 0.07 * np.sin(1.257 * k), 0.04)
        solids.append(ball(palette.lacquer(colour), (0.075, 0.075, 0.075), base))
    return Design.of('bowl', solids)
