# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A piece of furniture before it has a place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from loc3r_ros.geometry import Array, exp_so3, pose, transform
from loc3r_ros.world.scene import Item, Material, Shape, Solid, box_corners


@dataclass(frozen=True, eq=False)
class Design:
    """Solids in the frame that `Item` describes.

    Attributes:
        category: a common English noun.
        size: (3,) extent of the bounding box, m.
        solids: its pieces.
    """

    category: str
    size: Array
    solids: tuple[Solid, ...]

    @staticmethod
    def of(category: str, solids: Iterable[Solid]) -> Design:
        """A design whose frame is put at the centre of the underside of its bounding box."""
        solids = tuple(solids)
        corners = np.concatenate(
            [transform(s.T_item_solid, box_corners(-s.size / 2, s.size / 2)) for s in solids]
        )
        low, high = corners.min(0), corners.max(0)
        shift = pose(np.eye(3), [-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]])
        moved = tuple(replace(s, T_item_solid=shift @ s.T_item_solid) for s in solids)
        return Design(category, high - low, moved)

    def place(self, instance: int, T_map_item: Array, *, support: int = 0) -> Item:
        """The item of this design at a pose."""
        return Item(self.category, instance, self.size, T_map_item, self.solids, support)


def box(
    material: Material,
    size: ArrayLike,
    base: Sequence[float],
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
) -> Solid:
    """A box on the centre of its underside; pitch > 0 lowers its front (about its centre)."""
    return _solid(Shape.BOX, material, size, base, yaw, pitch)


def cylinder(
    material: Material, diameter: float, height: float, base: Sequence[float], *, flat: bool = False
) -> Solid:
    """An upright cylinder on the centre of its underside; `flat` turns its axis to the front."""
    if not flat:
        return _solid(Shape.CYLINDER, material, (diameter, diameter, height), base)
    x, y, z = base
    lying = pose([[0, 0, 1], [1, 0, 0], [0, 1, 0]], [x, y, z + diameter / 2])
    return Solid(Shape.CYLINDER, np.array([diameter, diameter, height]), lying, material)


def ball(material: Material, size: ArrayLike, base: Sequence[float]) -> Solid:
    """An ellipsoid on its lowest point."""
    return _solid(Shape.SPHERE, material, size, base)


def legs(
    material: Material, size: Sequence[float], thickness: float, height: float, *, base: float = 0.0
) -> list[Solid]:
    """Four square legs flush with the corners of a rectangle of size (x, y)."""
    x, y = (size[0] - thickness) / 2, (size[1] - thickness) / 2
    return [
        box(material, (thickness, thickness, height), (sx * x, sy * y, base))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]


def _solid(
    shape: Shape,
    material: Material,
    size: ArrayLike,
    base: Sequence[float],
    yaw: float = 0.0,
    pitch: float = 0.0,
) -> Solid:
    size = np.asarray(size, np.float64)
    x, y, z = base
    T = pose(exp_so3([0, 0, yaw]) @ exp_so3([0, pitch, 0]), [x, y, z + size[2] / 2])
    return Solid(shape, size, T, material)
