# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Seamless textures from noise: wood, tiles, plaster, fabric, leaves and plain finishes.

Every function takes a random generator first and gives (h, w, 3) uint8 sRGB. Colours are numbers
in 0..1. The noise is made in the frequency domain, so it repeats without a seam.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

Field = NDArray[np.float64]
Texture = NDArray[np.uint8]


def fractal(
    rng: Generator,
    height: int,
    width: int,
    *,
    slope: float = 1.0,
    stretch: tuple[float, float] = (1.0, 1.0),
    finest: float = 2.0,
) -> Field:
    """Noise (height, width) of mean 0 and deviation 1 whose spectrum falls as 1/f^slope.

    Args:
        rng: source of the noise.
        height, width: size, texels.
        slope: 0 is white; 1 cloudy; 2 smooth.
        stretch: features are longer by these factors along (rows, columns).
        finest: nothing is finer than this many texels, so that the first mip level loses little.
    """
    fy = np.fft.fftfreq(height)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(width)[None, :] * stretch[1]
    f = np.hypot(fy, fx)
    f[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    noise = np.fft.irfft2(spectrum * f**-slope * (f < 1.0 / finest), s=(height, width))
    return noise / noise.std()


def paint(base: ArrayLike, shade: ArrayLike) -> Texture:
    """Colour (..., 3) times (1 + shade (...)), as sRGB bytes."""
    colour = np.asarray(base, np.float32) * (1.0 + np.asarray(shade, np.float32)[..., None])
    return np.round(255.0 * np.clip(colour, 0.0, 1.0)).astype(np.uint8)


def plain(rng: Generator, colour: ArrayLike, *, size: int = 128, depth: float = 0.03) -> Texture:
    """Enamel, metal or lacquer: one colour with faint blemishes."""
    return paint(colour, depth * fractal(rng, size, size, slope=0.8))


def plaster(rng: Generator, colour: ArrayLike, *, size: int = 512) -> Texture:
    """A painted wall: broad stains and the relief of a roller, with flecks where it caught."""
    broad = fractal(rng, size, size, slope=1.4)
    relief = fractal(rng, size, size, slope=0.5, finest=3.0)
    flecks = np.clip(np.abs(fractal(rng, size, size, slope=0.6, finest=6.0)) - 1.9, 0.0, 1.0)
    return paint(colour, 0.03 * broad + 0.03 * relief - 0.16 * flecks)


def brick(rng: Generator, colour: ArrayLike, *, rows: int = 64, size: int = 1024) -> Texture:
    """A wall of bricks in running bond, each of its own tone and three times as long as high."""
    y, x = np.mgrid[0:size, 0:size] * (rows / size)
    row = y.astype(int)
    along = x / 3.0 * (round(rows / 3.0) * 3.0 / rows) + 0.5 * (row % 2)
    columns = round(rows / 3.0)
    column = np.floor(along).astype(int) % columns
    tone = rng.uniform(-0.30, 0.22, (rows, columns))[row, column]
    hue = rng.uniform(-0.05, 0.05, (rows, columns, 3))[row, column]
    joint = (y % 1.0 < 0.12) | (along % 1.0 < 0.05)
    rough = 0.10 * fractal(rng, size, size, slope=0.6, finest=3.0)
    base = np.where(joint[..., None], (0.62, 0.60, 0.57), np.asarray(colour) + hue)
    return paint(base, np.where(joint, 0.4 * rough, tone + rough))


def wood(
    rng: Generator, colour: ArrayLike, *, height: int = 256, width: int = 256, rings: float = 7.0
) -> Texture:
    """Sawn timber, the grain along the rows."""
    drift = fractal(rng, height, width, slope=1.6, stretch=(1.0, 7.0))
    fibre = fractal(rng, height, width, slope=0.4, stretch=(1.0, 14.0))
    y = np.arange(height)[:, None] / height
    veins = np.sin(2 * np.pi * (np.round(rings) * y + 0.9 * drift))
    return paint(colour, 0.13 * veins + 0.08 * drift + 0.08 * fibre)


def planks(
    rng: Generator, colour: ArrayLike, *, boards: int = 64, size: int = 1024, cuts: int = 7
) -> Texture:
    """A floor of boards with staggered ends; no two boards alike."""
    tall = size // boards
    grain = wood(rng, (0.5, 0.5, 0.5), height=size, width=size, rings=2.0 * boards) / 127.5 - 1.0
    shade = np.empty((size, size))
    column = np.arange(size)
    for k in range(boards):
        ends = np.sort(rng.choice(np.arange(0, size, size // 32), cuts, replace=False))
        board = np.searchsorted(ends, column, side='right') % cuts
        tone = rng.uniform(-0.22, 0.18, cuts)[board]
        shift = rng.integers(0, size, cuts)[board]
        rows = slice(k * tall, (k + 1) * tall)
        shade[rows] = tone + grain[rows, :, 0][:, (column + shift) % size]
        shade[k * tall] -= 0.35
        shade[rows, ends] -= 0.35
    return paint(colour, shade)


def tiles(
    rng: Generator, colours: Sequence[ArrayLike], *, count: int = 16, size: int = 1024
) -> Texture:
    """Square tiles with grout, each of one of the colours, clouded like stone."""
    y, x = np.mgrid[0:size, 0:size] * (count / size)
    row, column = y.astype(int), x.astype(int)
    pick = rng.integers(0, len(colours), (count, count))
    base = np.asarray(colours, np.float64)[pick][row, column]
    tone = rng.uniform(-0.10, 0.10, (count, count))[row, column]
    grout = np.minimum(y % 1.0, x % 1.0) < 2.0 * count / size
    cloud = 0.06 * fractal(rng, size, size, slope=1.0)
    return paint(
        np.where(grout[..., None], (0.55, 0.53, 0.50), base), np.where(grout, 0, tone + cloud)
    )


def fabric(
    rng: Generator, colour: ArrayLike, second: ArrayLike | None = None, *, size: int = 256
) -> Texture:
    """Woven cloth, melange; with a second colour, a check."""
    warp = fractal(rng, size, size, slope=0.4, stretch=(6.0, 1.0))
    weft = fractal(rng, size, size, slope=0.4, stretch=(1.0, 6.0))
    base = np.broadcast_to(np.asarray(colour, np.float64), (size, size, 3))
    if second is not None:
        k = np.arange(size) * 8 // size % 4 == 0
        share = 0.5 * (k[:, None].astype(float) + k[None, :])
        base = base + share[..., None] * (np.asarray(second) - base)
    return paint(base, 0.08 * warp + 0.08 * weft)


def leaves(rng: Generator, *, size: int = 256, count: int = 140) -> Texture:
    """Foliage: overlapping leaves, light on dark."""
    image = np.full((size, size, 3), (0.05, 0.13, 0.05))
    for _ in range(count):
        green = np.array([0.25, 0.42, 0.18]) * rng.uniform(0.6, 1.4)
        rows, columns, v, inside = _leaf(rng, size, length=26.0, width=9.0)
        patch = image[rows, columns]
        patch[inside] = green
        patch[inside & (np.abs(v) < 1.2)] = 0.7 * green
        image[rows, columns] = patch
    return paint(image, 0.05 * fractal(rng, size, size))


def wallpaper(rng: Generator, colour: ArrayLike, *, size: int = 1024, count: int = 2400) -> Texture:
    """Paper with a print of scattered leaves, no two alike, light and dark."""
    shade = 0.03 * fractal(rng, size, size, slope=1.2)
    for _ in range(count):
        tone, scale = rng.choice([-1.0, 1.0]) * rng.uniform(0.07, 0.2), rng.uniform(0.6, 1.3)
        rows, columns, v, inside = _leaf(rng, size, length=10.0 * scale, width=4.5 * scale)
        shade[rows, columns] += tone * inside * (1.0 - 0.5 * (np.abs(v) < 0.8))
    return paint(colour, shade)


def _leaf(
    rng: Generator, size: int, *, length: float, width: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Field, NDArray[np.bool_]]:
    """An ellipse anywhere, turned anyhow, across the seam where need be.

    Returns:
        rows and columns of a square around it, to index with; across it, the distance from its
        midrib, texels; where it is.
    """
    (cy, cx), angle = rng.uniform(0, size, 2), rng.uniform(0, np.pi)
    reach = int(np.ceil(length)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    rows, columns = (y + int(cy)) % size, (x + int(cx)) % size
    return rows, columns, v, (u / length) ** 2 + (v / width) ** 2 < 1.0
