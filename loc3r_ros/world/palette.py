# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The materials of one room: a few textures, tinted anew for each piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from loc3r_ros.world import textures
from loc3r_ros.world.scene import Material
from loc3r_ros.world.textures import Texture

Print = Callable[[Generator], Texture]
"""A maker of pictures."""

_WOODS = ((0.74, 0.55, 0.36), (0.45, 0.29, 0.18), (0.82, 0.70, 0.52), (0.60, 0.38, 0.24))
_CLOTHS = (
    (0.32, 0.40, 0.50), (0.55, 0.24, 0.22), (0.36, 0.46, 0.34), (0.70, 0.62, 0.50),
    (0.42, 0.36, 0.42), (0.76, 0.54, 0.26),
)  # fmt: skip


class Palette:
    """Draws materials; every draw comes from the generator that it was made with.

    Args:
        rng: source of every draw.
        woods, cloths: kinds of timber, and of upholstery and bedding, that the room has.
        lacquer, metal, leaves: what else things are made of.
    """

    def __init__(
        self,
        rng: Generator,
        *,
        woods: Sequence[Material],
        cloths: Sequence[Material],
        lacquer: Material,
        metal: Material,
        leaves: Material,
    ) -> None:
        self._rng = rng
        self._woods, self._cloths = woods, cloths
        self._lacquer, self._metal, self.leaves = lacquer, metal, leaves

    @classmethod
    def fresh(cls, rng: Generator) -> Palette:
        """A palette whose textures are all made anew."""
        return cls(
            rng,
            woods=[
                Material(textures.wood(rng, _WOODS[k]), width=0.8, grain=True)
                for k in rng.choice(len(_WOODS), 2, replace=False)
            ],
            cloths=[
                Material(textures.fabric(rng, _CLOTHS[a], _CLOTHS[b] if check else None), width=0.7)
                for a, b, check in (
                    (*rng.choice(len(_CLOTHS), 2, replace=False), k == 1) for k in range(3)
                )
            ],
            lacquer=Material(textures.plain(rng, (0.92, 0.91, 0.89)), width=0.6),
            metal=Material(textures.plain(rng, (0.55, 0.56, 0.58), depth=0.06), width=0.4),
            leaves=Material(textures.leaves(rng), width=0.45),
        )

    def print(self, make: Print, rng: Generator) -> Texture:
        """A picture of some kind, made anew."""
        return make(rng)

    def wood(self) -> Material:
        """Timber, one of the room's kinds."""
        return self._tinted(self._woods[int(self._rng.integers(len(self._woods)))], 0.05)

    def cloth(self) -> Material:
        """Upholstery and bedding, one of the room's kinds."""
        return self._tinted(self._cloths[int(self._rng.integers(len(self._cloths)))], 0.15)

    def lacquer(self, colour: tuple[float, float, float] | None = None) -> Material:
        """A smooth painted surface, off-white unless a colour is given."""
        return replace(self._lacquer, tint=colour) if colour else self._tinted(self._lacquer, 0.08)

    def metal(self, shade: float = 1.0) -> Material:
        """Steel, or darker."""
        return replace(self._metal, tint=(shade, shade, shade))

    def colour(self, low: float = 0.25, high: float = 0.85) -> tuple[float, float, float]:
        """Any colour."""
        r, g, b = self._rng.uniform(low, high, 3)
        return float(r), float(g), float(b)

    def _tinted(self, material: Material, spread: float) -> Material:
        shade = self._rng.uniform(1.0 - 2.0 * spread, 1.0) * self._rng.uniform(1.0 - spread, 1.0, 3)
        return replace(material, tint=tuple(np.round(shade * material.tint, 6).tolist()))
