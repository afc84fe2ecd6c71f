# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Things on the floor plan, all at once: how far they are from places, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from loc3r_ros.geometry import Array
from loc3r_ros.world.questions.bearings import bearing
from loc3r_ros.world.questions.distances import footprint
from loc3r_ros.world.scene import Item


class Landmarks:
    """Some items as they lie on the floor.

    Attributes:
        centre: (n, 2) of their bounding boxes in `map`, m.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        T = np.array([item.T_map_item for item in items]).reshape(-1, 4, 4)
        self.centre: Array = T[:, :2, 3]
        self._items = items
        self._axes = T[:, :2, :2]
        self._half = np.array([item.size[:2] / 2.0 for item in items]).reshape(-1, 2)

    @cached_property
    def corners(self) -> Array:
        """(n, 4, 2) of the bounding boxes seen from above, in `map`, m."""
        return np.array([footprint(item) for item in self._items]).reshape(-1, 4, 2)

    def distances(self, position: Array) -> Array:
        """(..., n) from places (..., 2) to the bounding boxes, m; 0 within."""
        away = position[..., None, :] - self.centre
        own = np.abs(np.einsum('...ni,nij->...nj', away, self._axes))
        return np.asarray(np.linalg.norm(np.maximum(own - self._half, 0.0), axis=-1))

    def bearings(self, position: Array, yaw: Array) -> Array:
        """(..., n) of the centres from poses (..., 2), (...,), counter-clockwise from yaw, rad."""
        return bearing(position[..., None, :], np.asarray(yaw)[..., None], self.centre)
