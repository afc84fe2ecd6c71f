# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How near two items come to each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, transform
from loc3r_ros.world.scene import Item


def distance_to_points(item: Item, points: Array) -> Array:
    """Distance (N,) of points (N, 3) in `map` to the closest point of an item, m; 0 within."""
    pieces = Pieces.of(item)
    q = np.abs((points[:, None, :2] - pieces.centre) @ pieces.axes) - pieces.half
    z = points[:, None, 2]
    up = np.maximum(pieces.low - z, z - pieces.high)
    beyond = np.maximum(np.concatenate([q, up[..., None]], -1), 0.0)
    return np.asarray(np.linalg.norm(beyond, axis=-1).min(1))


def footprint(item: Item) -> Array:
    """(4, 2) corners of an item's bounding box seen from above."""
    return item.corners[:4, :2]


@dataclass(frozen=True, eq=False)
class Pieces:
    """An item as upright boxes, one around each of its n solids.

    Attributes:
        axes: (2, 2) the item's own x and y in its columns: items only turn about z.
        centre, half: (n, 2) on the floor, half along the axes, m.
        low, high: (n,) m.
    """

    axes: Array
    centre: Array
    half: Array
    low: Array
    high: Array

    @staticmethod
    def of(item: Item) -> Pieces:
        T = np.array([solid.T_item_solid for solid in item.solids])
        size = np.array([solid.size for solid in item.solids])
        half = np.einsum('nij,nj->ni', np.abs(T[:, :3, :3]), size / 2.0)
        centre = transform(item.T_map_item, T[:, :3, 3])
        low, high = centre[:, 2] - half[:, 2], centre[:, 2] + half[:, 2]
        return Pieces(item.T_map_item[:2, :2], centre[:, :2], half[:, :2], low, high)

    def gap(self, other: Pieces) -> float:
        """Distance between the closest points of two items, m; 0 where they touch.

        It is exact; the published generators take the least over surface points 5 cm apart, which
        is always too far.
        """
        (ab, apart_ab), (ba, apart_ba) = _corners_from(self, other), _corners_from(other, self)
        # Of two convex shapes that are apart, a corner of one is nearest to the other.
        across = np.where(apart_ab | apart_ba.T, np.minimum(ab, ba.T), 0.0)
        up = np.maximum(self.low[:, None] - other.high, other.low - self.high[:, None])
        return float(np.hypot(across, np.maximum(up, 0.0)).min())

    @cached_property
    def corners(self) -> Array:
        """(n, 4, 2) in `map`."""
        signs = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
        return self.centre[:, None] + (signs * self.half[:, None]) @ self.axes.T


def _corners_from(a: Pieces, b: Pieces) -> tuple[Array, NDArray[np.bool_]]:
    """(n, m) least distance of b's corners from a's rectangles; whether an edge of a parts them."""
    q = (b.corners - a.centre[:, None, None]) @ a.axes
    half = a.half[:, None]
    beyond = np.maximum(np.abs(q) - half[:, :, None], 0.0)
    apart = (q.min(2) > half) | (q.max(2) < -half)
    return np.hypot(beyond[..., 0], beyond[..., 1]).min(2), apart.any(-1)
