# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a scene is made of: plain values, from which images and questions are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, transform

STRUCTURE = ('floor', 'ceiling', 'wall', 'doorway')
"""Categories of the shell that holds everything else."""


class Shape(Enum):
    """Kinds of solids; each fills its bounding box, so ellipsoids and elliptic cylinders exist."""

    BOX = 0
    CYLINDER = 1
    SPHERE = 2


@dataclass(frozen=True, eq=False)
class Material:
    """How a surface looks.

    Attributes:
        texture: (h, w, 3) uint8 sRGB; h and w are powers of two. It repeats without a seam.
        width: metres that one width of the texture covers; None stretches it once over each face.
        tint: factor on the texture's colour.
        grain: the texture's rows run along the longer side of each face (wood).
        emission: light given off, as a share of the texture's colour; such a surface is not shaded
            and casts no shadow.
    """

    texture: NDArray[np.uint8]
    width: float | None = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grain: bool = False
    emission: float = 0.0


@dataclass(frozen=True, eq=False)
class Solid:
    """One convex piece of an item.

    Attributes:
        shape: its kind; a cylinder stands along its own z.
        size: (3,) extent along its own axes, m.
        T_item_solid: (4, 4); its origin is its centre.
        material: look of all its faces.
    """

    shape: Shape
    size: Array
    T_item_solid: Array
    material: Material


@dataclass(frozen=True, eq=False)
class Item:
    """One thing that has a name.

    Its own frame is x to its front, y left, z up, with the origin at the centre of the underside of
    its bounding box.

    Attributes:
        category: a common English noun.
        instance: number in its scene, from 1.
        size: (3,) extent of the bounding box along its own axes, m.
        T_map_item: (4, 4).
        solids: its pieces.
        support: instance of the item that it stands on or hangs from, 0 for none.
    """

    category: str
    instance: int
    size: Array
    T_map_item: Array
    solids: tuple[Solid, ...]
    support: int = 0

    @property
    def corners(self) -> Array:
        """(8, 3) corners of its bounding box in `map`."""
        half = np.array([0.5, 0.5, 0.0]) * self.size
        return transform(
            self.T_map_item, box_corners(-half, half + np.array([0.0, 0.0, self.size[2]]))
        )

    @property
    def centre(self) -> Array:
        """(3,) centre of its bounding box in `map`."""
        return transform(self.T_map_item, np.array([0.0, 0.0, 0.5 * self.size[2]]))


@dataclass(frozen=True)
class Light:
    """A small lamp.

    Attributes:
        position: (x, y, z) in `map`, m.
        colour: linear RGB that arrives on a surface facing it at a distance of 0 m; it falls to a
            half at `reach`.
        reach: m.
        radius: how far its glow is spread, m; shadows are as soft as that.
        room: index of the room that it lights.
    """

    position: tuple[float, float, float]
    colour: tuple[float, float, float]
    reach: float
    radius: float
    room: int = 0


@dataclass(frozen=True)
class RoomShape:
    """The floor of one room.

    Attributes:
        name: its kind: 'room' for any, else 'bedroom', 'kitchen' and so on.
        low, high: (x, y) corners in `map`, m.
    """

    name: str
    low: tuple[float, float]
    high: tuple[float, float]

    @property
    def size(self) -> Array:
        """(2,) sides along x and y, m."""
        return np.subtract(self.high, self.low)

    @property
    def centre(self) -> Array:
        """(2,) in `map`, m."""
        return np.add(self.low, self.high) / 2.0

    @property
    def area(self) -> float:
        """m^2."""
        return float(self.size.prod())


@dataclass(frozen=True)
class Passage:
    """An open doorway between two rooms.

    Attributes:
        rooms: indices of the two.
        axis: 0 where one goes through it along x, 1 along y.
        centre: (x, y) of its floor, m.
        width: m.
    """

    rooms: tuple[int, int]
    axis: int
    centre: tuple[float, float]
    width: float


@dataclass(frozen=True, eq=False)
class Scene:
    """A furnished room, or a flat of several.

    Attributes:
        seed: what it was made from.
        size: (x, y, z) of the box around all rooms, m; the origin is the centre of its floor.
        items: the shell, the furniture and the small things; `items[k].instance == k + 1`.
        lights: its lamps.
        ambient: linear RGB that comes from everywhere.
        rooms: they fill the box but for the walls between them; when not given, one that fills it.
        passages: between the rooms.
    """

    seed: int
    size: Array
    items: tuple[Item, ...]
    lights: tuple[Light, ...]
    ambient: tuple[float, float, float]
    rooms: tuple[RoomShape, ...] = ()
    passages: tuple[Passage, ...] = ()

    def __post_init__(self) -> None:
        if not self.rooms:
            x, y = (self.size[:2] / 2.0).tolist()
            object.__setattr__(self, 'rooms', (RoomShape('room', (-x, -y), (x, y)),))

    @property
    def floor_area(self) -> float:
        """Sum over its rooms, m^2."""
        return sum(room.area for room in self.rooms)

    @property
    def furniture(self) -> tuple[Item, ...]:
        """All items but the shell."""
        return tuple(item for item in self.items if item.category not in STRUCTURE)


def box_corners(low: Array, high: Array) -> Array:
    """(8, 3) corners of an axis-aligned box; corner k takes `high` on axis a where bit a is set."""
    bits = (np.arange(8)[:, None] >> np.arange(3)) & 1
    return np.where(bits, high, low).astype(np.float64)
