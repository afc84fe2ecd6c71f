# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Textures from stock: made once a process, pale or grey, and tinted anew for every room.

A texture takes longer to make than all else in a room, and training wants rooms by the thousand.
Each has VARIANTS forms, the same on every machine.
"""

from __future__ import annotations

import colorsys
from functools import cache
from zlib import crc32

import numpy as np
from numpy.random import Generator

from loc3r_ros.world import textures
from loc3r_ros.world.palette import Palette, Print
from loc3r_ros.world.scene import Material
from loc3r_ros.world.textures import Texture

VARIANTS = 8

PRINTS = 32
"""Forms of each kind of picture."""

Tint = tuple[float, float, float]

_PALE = 0.65
_TIMBER = (
    (0.74, 0.55, 0.36), (0.45, 0.29, 0.18), (0.82, 0.70, 0.52), (0.60, 0.38, 0.24),
    (0.30, 0.20, 0.15), (0.88, 0.86, 0.82), (0.24, 0.24, 0.26), (0.66, 0.64, 0.60),
)  # fmt: skip


@cache
def _made(make: Print, variant: int) -> Texture:
    return make(np.random.default_rng((0x570C, crc32(make.__name__.encode()), variant)))


def pick(rng: Generator, make: Print, variants: int = VARIANTS) -> Texture:
    """One of the forms of a texture."""
    return _made(make, int(rng.integers(variants)))


class StockPalette(Palette):
    """A palette of textures from stock in colours of its own.

    Args:
        rng: source of every draw.
    """

    def __init__(self, rng: Generator) -> None:
        super().__init__(
            rng,
            woods=[
                Material(pick(rng, wood), width=0.8, tint=timber(rng), grain=True) for _ in range(3)
            ],
            cloths=[
                Material(
                    pick(rng, make), width=0.7, tint=colour(rng, (0.1, 0.65), (0.25, 0.9), _PALE)
                )
                for make in (cloth, cloth, check)
            ],
            lacquer=Material(pick(rng, lacquer), width=0.6),
            metal=Material(pick(rng, metal), width=0.4),
            leaves=Material(pick(rng, leaves), width=0.45, tint=_leafy(rng)),
        )

    def print(self, make: Print, rng: Generator) -> Texture:
        """A picture of some kind, from stock."""
        return pick(rng, make, PRINTS)


def floor_cover(rng: Generator, *, wet: bool = False) -> Material:
    """Boards, tiles or a carpet; where it gets `wet`, tiles most often and no carpet."""
    kind = rng.choice(3, p=(0.3, 0.7, 0.0) if wet else (0.5, 0.3, 0.2))
    if kind == 0:
        return Material(pick(rng, boards), width=4.0, tint=timber(rng))
    if kind == 1:
        return Material(pick(rng, tiles), width=4.0, tint=colour(rng, (0.0, 0.2), (0.4, 0.95)))
    return Material(pick(rng, carpet), width=2.5, tint=colour(rng, (0.05, 0.45), (0.3, 0.75)))


def ceiling_paint(rng: Generator) -> Material:
    return Material(pick(rng, plaster), width=3.0, tint=colour(rng, (0.0, 0.04), (0.9, 1.0)))


def wall_paint(rng: Generator) -> Material:
    """Plaster, a print of leaves, stripes or bricks, of any colour that one can live with."""
    kind = rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))
    if kind == 0:
        return Material(pick(rng, plaster), width=3.0, tint=colour(rng, (0.0, 0.3), (0.6, 1.0)))
    if kind == 3:
        return Material(pick(rng, bricks), width=2.5, tint=colour(rng, (0.0, 0.4), (0.5, 1.0)))
    make, width = (leafy_paper, 2.5) if kind == 1 else (striped_paper, 2.0)
    return Material(pick(rng, make), width=width, tint=colour(rng, (0.0, 0.35), (0.55, 1.0)))


def timber(rng: Generator) -> Tint:
    """The tint of some wood, natural or painted."""
    tone = np.array(_TIMBER[rng.integers(len(_TIMBER))]) * rng.uniform(0.85, 1.1)
    return _tint(tone / _PALE)


def colour(
    rng: Generator,
    saturation: tuple[float, float],
    value: tuple[float, float],
    pale: float = _PALE,
) -> Tint:
    """The tint that gives a texture as bright as `pale` a colour of any hue."""
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return _tint(np.array(rgb) / pale)


def _leafy(rng: Generator) -> Tint:
    return _tint(rng.uniform((0.8, 0.85, 0.7), (1.3, 1.2, 1.2)))


def _tint(values: np.ndarray) -> Tint:
    r, g, b = np.round(values, 6).tolist()
    return r, g, b


_GREY = (_PALE, _PALE, _PALE)


def wood(rng: Generator) -> Texture:
    return textures.wood(rng, _GREY, height=128, width=256, rings=5.0)


def cloth(rng: Generator) -> Texture:
    return textures.fabric(rng, _GREY)


def check(rng: Generator) -> Texture:
    """Cloth of two tones."""
    return textures.fabric(rng, _GREY, rng.uniform(0.35, 0.7, 3))


def lacquer(rng: Generator) -> Texture:
    return textures.plain(rng, (0.92, 0.91, 0.89))


def metal(rng: Generator) -> Texture:
    return textures.plain(rng, (0.55, 0.56, 0.58), depth=0.06)


def leaves(rng: Generator) -> Texture:
    return textures.leaves(rng, size=128, count=60)


def boards(rng: Generator) -> Texture:
    return textures.planks(rng, _GREY, boards=32, size=512)


def tiles(rng: Generator) -> Texture:
    other = np.array(_GREY) * rng.uniform(0.6, 1.0)
    return textures.tiles(rng, [_GREY, other], count=int(rng.choice([8, 16])), size=512)


def carpet(rng: Generator) -> Texture:
    return textures.plaster(rng, _GREY, size=256)


def plaster(rng: Generator) -> Texture:
    return textures.plaster(rng, _GREY)


def bricks(rng: Generator) -> Texture:
    return textures.brick(rng, _GREY, rows=32, size=512)


def leafy_paper(rng: Generator) -> Texture:
    return textures.wallpaper(rng, _GREY, size=512, count=600)


def striped_paper(rng: Generator) -> Texture:
    """Paper with upright stripes, two broad and two narrow."""
    stripe = np.zeros(256)
    for start, width in zip(rng.integers(0, 256, 4), (40, 24, 6, 6), strict=True):
        stripe[(start + np.arange(width)) % 256] += rng.uniform(-0.22, 0.1)
    return textures.paint(_GREY, stripe + 0.03 * textures.fractal(rng, 256, 256))
