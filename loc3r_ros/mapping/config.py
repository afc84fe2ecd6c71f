# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The settings of the bird's-eye-view map, with what they mean to a ground robot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loc3r_ros.errors import InputError

_ALLOWED: dict[str, tuple[float, float]] = {
    'resolution': (0.01, 0.5),
    'band_low': (0.02, 1.0),
    'band_high': (0.2, 5.0),
    'layer_height': (0.05, 1.0),
    'max_range': (0.5, 50.0),
    'max_drop': (0.05, 1.0),
    'p_hit': (0.5, 0.99),
    'p_miss': (0.01, 0.5),
    'p_min': (0.01, 0.49),
    'p_max': (0.51, 0.99),
    'p_occupied': (0.5, 0.99),
    'p_free': (0.01, 0.5),
    'block': (8, 1024),
    'max_area': (1.0, 1e6),
}


@dataclass(frozen=True)
class BevConfig:
    """Settings of `BevMap`; heights are above the floor that the robot stands on.

    Attributes:
        resolution: edge of a cell, m.
        band_low: what is lower does not block, m. Wheels pass a door sill or a cable; at 4 m the
            noise of a depth camera and one degree of tilt put the floor itself at up to 0.1 m.
        band_high: what is higher does not block, m: above a service robot with its mast, below a
            door's lintel. Table tops, at 0.7 m, must lie inside.
        layer_height: thickness of the slabs in which space is seen free or hit, m.
        max_range: points farther (horizontally) than this mark nothing, m; the noise of consumer
            depth cameras outgrows a cell about there. Their rays still clear up to it.
        max_drop: floor missing by more than this blocks, m: a stair or a ledge.
        p_hit, p_miss: what one cloud says of a cell that it hits, or sees through.
        p_min, p_max: clamps of the probability, so that the map can change its mind.
        p_occupied: at or above it, a cell is occupied.
        p_free: at or below it, a cell is free; by default that takes two looks through it.
        block: the map grows in squares of this many cells.
        max_area: the map never covers more than this, square m; cells outside it are ignored.

    """

    resolution: float = 0.05
    band_low: float = 0.10
    band_high: float = 1.80
    layer_height: float = 0.20
    max_range: float = 4.0
    max_drop: float = 0.15
    p_hit: float = 0.70
    p_miss: float = 0.40
    p_min: float = 0.12
    p_max: float = 0.97
    p_occupied: float = 0.65
    p_free: float = 0.35
    block: int = 128
    max_area: float = 10_000.0

    def __post_init__(self) -> None:
        for name, (low, high) in _ALLOWED.items():
            value = getattr(self, name)
            if not np.isfinite(value) or not low <= value <= high:
                raise InputError(f'BevConfig.{name}={value!r}: allowed is {low:g} to {high:g}')
        if self.block != int(self.block):
            raise InputError(f'BevConfig.block={self.block!r}: allowed are whole numbers of cells')
        for low_name, high_name in (('band_low', 'band_high'), ('p_free', 'p_occupied')):
            if getattr(self, low_name) >= getattr(self, high_name):
                raise InputError(
                    f'BevConfig.{low_name}={getattr(self, low_name)!r}: allowed is less than '
                    f'{high_name}={getattr(self, high_name)!r}'
                )
        if (self.block * self.resolution) ** 2 > self.max_area:
            raise InputError(
                f'BevConfig.max_area={self.max_area!r}: allowed is one block or more, '
                f'{(self.block * self.resolution) ** 2:g} square m'
            )

    @property
    def layers(self) -> int:
        """Number of slabs in the band."""
        return max(1, round((self.band_high - self.band_low) / self.layer_height))
