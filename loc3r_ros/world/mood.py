# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The light of an hour: by day or at night, which lamps are on, how bright and how warm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from loc3r_ros.world.scene import Item, Light

DAY = 0.65
"""Share of scenes by day."""

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Mood:
    """What one flat has in common.

    Attributes:
        day: whether the sky gives light.
        sky: linear RGB of a window's light.
        lamp: linear RGB of a ceiling light; other lamps have a share of it.
        lamps_on: share of lamps that are on.
        ambient: linear RGB that comes from everywhere.
    """

    day: bool
    sky: Colour
    lamp: Colour
    lamps_on: float
    ambient: Colour

    @staticmethod
    def draw(rng: Generator) -> Mood:
        day = bool(rng.random() < DAY)
        warmth = rng.uniform(0.0, 1.0)
        lamp = rng.uniform(0.75, 1.35) * np.array([1.0, 1.0 - 0.12 * warmth, 1.0 - 0.4 * warmth])
        sky = rng.uniform(0.8, 1.8) * rng.uniform((0.60, 0.68, 0.68), (0.80, 0.78, 0.86))
        ambient = rng.uniform(0.15, 0.26) * np.array([0.97, 1.0, 1.06]) if day else 0.12 * lamp
        lamps_on = rng.uniform(0.0, 0.7) if day else rng.uniform(0.6, 1.0)
        return Mood(day, _colour(sky), _colour(lamp), float(lamps_on), _colour(ambient))

    def light(
        self, rng: Generator, items: Sequence[Item], room: int
    ) -> tuple[list[Item], list[Light]]:
        """Switch the lamps of a room on or off.

        Args:
            rng: source of what is on.
            items: of the room.
            room: its index.

        Returns:
            the items, those that glow as bright as they are now; the lights.
        """
        windows = any(item.category == 'window' for item in items)
        ceiling = (self.day and windows) <= (rng.random() < self.lamps_on)
        shone: list[Item] = []
        lights: list[Light] = []
        for item in items:
            factor, light = 1.0, None
            if item.category == 'window':
                factor = 1.0 if self.day else 0.04
                light = self._window(item, room) if self.day else None
            elif item.category == 'ceiling light':
                factor = float(ceiling)
                light = self._lamp(item, room, 1.0, 2.4, 0.15) if ceiling else None
            elif item.category == 'lamp':
                on = rng.random() < max(self.lamps_on, 0.3)
                factor = float(on)
                light = self._lamp(item, room, 0.6, 1.2, 0.1) if on else None
            elif item.category in ('television', 'laptop'):
                factor = float(rng.random() < 0.5)
            shone.append(_glow(item, factor))
            lights += [light] if light else []
        return shone, lights

    def _window(self, item: Item, room: int) -> Light:
        at = item.centre + 0.35 * item.T_map_item[:3, 0]
        return Light(tuple(at.tolist()), self.sky, 2.2, 0.45, room)

    def _lamp(self, item: Item, room: int, share: float, reach: float, radius: float) -> Light:
        # Under a ceiling light, within the shade of another.
        z = -0.1 if item.category == 'ceiling light' else item.size[2] - 0.12
        at = item.T_map_item[:3, 3] + (0.0, 0.0, z)
        return Light(tuple(at.tolist()), _colour(share * np.array(self.lamp)), reach, radius, room)


def _glow(item: Item, factor: float) -> Item:
    """The item with what it gives off multiplied."""
    if factor == 1.0:
        return item
    solids = tuple(
        replace(s, material=replace(s.material, emission=factor * s.material.emission))
        if s.material.emission
        else s
        for s in item.solids
    )
    return replace(item, solids=solids)


def _colour(values: np.ndarray) -> Colour:
    r, g, b = np.round(values, 6).tolist()
    return r, g, b
