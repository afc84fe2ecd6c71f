# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Textures that are seen whole, once: paintings, book spines, a view, a screen, a rug, a dial."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from loc3r_ros.world.textures import Texture, fractal, paint

LIVELY = np.array(
    [
        (0.75, 0.22, 0.17), (0.90, 0.60, 0.20), (0.93, 0.82, 0.45), (0.32, 0.52, 0.30),
        (0.16, 0.42, 0.48), (0.20, 0.30, 0.55), (0.45, 0.25, 0.45), (0.88, 0.85, 0.78),
        (0.15, 0.15, 0.18), (0.55, 0.35, 0.22),
    ]
)  # fmt: skip


def landscape(rng: Generator, *, size: int = 256) -> Texture:
    """Hills in rows under a sky with a low sun."""
    y, x = np.mgrid[0:size, 0:size] / size
    high, low = np.array([0.35, 0.55, 0.80]), np.array([0.95, 0.80, 0.62])
    image = high + (low - high) * np.clip(1.6 * y, 0, 1)[..., None]
    image += 0.10 * np.clip(fractal(rng, size, size, slope=1.6, stretch=(1, 3)), 0, 2)[..., None]
    sun = rng.uniform(0.2, 0.8)
    image[np.hypot(x - sun, y - 0.35) < 0.07] = (1.0, 0.93, 0.70)
    tone = LIVELY[rng.integers(2, 6)]
    for k in range(4):
        ridge = 0.45 + 0.13 * k + (0.09 - 0.015 * k) * fractal(rng, 8, size, slope=1.8)[0]
        image[y > ridge[None, :]] = tone * (1.0 - 0.2 * k) + (0.35 - 0.1 * k) * low * 0.5
    return paint(image, 0.05 * fractal(rng, size, size, slope=0.5, finest=3.0))


def abstract(rng: Generator, *, size: int = 256) -> Texture:
    """Discs, bars and lines in strong colours."""
    y, x = np.mgrid[0:size, 0:size] / size
    image = np.broadcast_to(LIVELY[rng.integers(len(LIVELY))], (size, size, 3)).copy()
    for _ in range(14):
        cx, cy, r, angle = *rng.uniform(0, 1, 2), rng.uniform(0.05, 0.25), rng.uniform(0, np.pi)
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        form = (np.hypot(u, v) < r, (np.abs(u) < r) & (np.abs(v) < 0.4 * r), np.abs(v) < 0.008)
        image[form[rng.integers(3)]] = LIVELY[rng.integers(len(LIVELY))]
    return paint(image, 0.05 * fractal(rng, size, size, slope=0.5, finest=3.0))


def books(rng: Generator, *, height: int = 64, width: int = 256) -> Texture:
    """Spines of a full shelf, with title bands; dark gaps above the shorter ones."""
    image = np.full((height, width, 3), 0.06)
    x = 0
    while x < width:
        w, top = int(rng.integers(6, 15)), int(height * rng.uniform(0.02, 0.30))
        colour = LIVELY[rng.integers(len(LIVELY))] * rng.uniform(0.6, 1.0)
        image[top:, x : x + w - 1] = colour
        band = int(rng.uniform(top + 5, height - 16))
        other = LIVELY[rng.integers(len(LIVELY))]
        image[band : band + int(rng.integers(3, 12)), x + 1 : x + w - 2] = other
        x += w
    return paint(image, 0.05 * fractal(rng, height, width, slope=0.5))


def outdoors(rng: Generator, *, size: int = 256) -> Texture:
    """What a window shows: a bright sky, houses far off, trees before them."""
    y, x = np.mgrid[0:size, 0:size] / size
    image = np.array([0.62, 0.80, 0.98]) + (1 - y[..., None]) * 0.0
    image = (
        image + 0.16 * np.clip(fractal(rng, size, size, slope=1.7, stretch=(1, 3)), 0, 2)[..., None]
    )
    left = 0.0
    while left < 1.0:
        w, top = rng.uniform(0.08, 0.2), rng.uniform(0.42, 0.62)
        house = (x >= left) & (x < left + w) & (y > top)
        image[house] = LIVELY[rng.integers(len(LIVELY))] * 0.4 + 0.45
        panes = house & ((x - left) * 32 % 2 < 1) & ((y - top) * 28 % 2 < 1)
        image[panes] *= 0.6
        left += w
    crowns = y > 0.72 + 0.05 * fractal(rng, 8, size, slope=1.2)[0][None, :]
    image[crowns] = (0.30, 0.46, 0.24)
    return paint(
        image, np.where(crowns, 0.22, 0.02) * fractal(rng, size, size, slope=0.7, finest=4)
    )


def screen(rng: Generator, *, size: int = 128) -> Texture:
    """A dark display with a dim picture and a bar of text."""
    image = 0.25 * landscape(rng, size=2 * size)[::2, ::2] / 255.0 + 0.03
    for row in range(8, size // 3, 10):
        image[row : row + 4, 8 : int(rng.integers(size // 3, size - 8))] = (0.45, 0.52, 0.60)
    return paint(image, np.zeros(image.shape[:2]))


def rug(rng: Generator, *, height: int = 256, width: int = 256) -> Texture:
    """A carpet with borders and a field of lozenges."""
    field, ink, edge = LIVELY[rng.choice(len(LIVELY), 3, replace=False)]
    y, x = np.mgrid[0:height, 0:width]
    rim = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)) / min(
        height, width
    )
    cell = np.abs(x * 8.0 / width % 1 - 0.5) + np.abs(y * 6.0 / height % 1 - 0.5)
    image = np.where((np.floor(cell * 6) % 2 == 0)[..., None], field, ink)
    kind = rng.integers(0, 3, (6, 8))[y * 6 // height, x * 8 // width]
    image = np.where(((kind == 0) & (cell < 0.3))[..., None], edge, image)
    for low, high, colour in ((0.0, 0.03, ink), (0.03, 0.09, edge), (0.09, 0.11, field)):
        image = np.where(((rim >= low) & (rim < high))[..., None], colour, image)
    return paint(0.85 * image, 0.10 * fractal(rng, height, width, slope=0.3))


def dial(rng: Generator, colour: ArrayLike, *, size: int = 128) -> Texture:
    """A clock's face with twelve marks and two hands."""
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size * 2 - 1
    r, angle = np.hypot(x, y), np.arctan2(x, -y) % (2 * np.pi)
    image = np.full((size, size, 3), 0.93)
    mark = np.abs((angle * 6 / np.pi + 0.5) % 1 - 0.5) < 0.12
    image[mark & (r > 0.72) & (r < 0.88)] = 0.1
    for length, width in ((0.5, 0.06), (0.75, 0.04)):
        turn = rng.uniform(0, 2 * np.pi)
        u, v = x * np.sin(turn) - y * np.cos(turn), x * np.cos(turn) + y * np.sin(turn)
        image[(u > 0) & (u < length) & (np.abs(v) < width)] = 0.1
    image[r > 0.92] = colour
    return paint(image, 0.02 * fractal(rng, size, size))


def reflection(rng: Generator, *, size: int = 128) -> Texture:
    """What a mirror shows: pale and dark parts of a room, out of focus."""
    y, x = np.mgrid[0:size, 0:size] / size
    tone = 0.72 + 0.10 * fractal(rng, size, size, slope=2.0) - 0.18 * (y > rng.uniform(0.6, 0.8))
    streak = 0.12 * np.exp(-(((x - y + rng.uniform(-0.4, 0.4)) / 0.12) ** 2))
    return paint(np.array([0.86, 0.92, 0.96]), np.clip(tone + streak, 0.2, 1.1) - 1.0)
