# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What somebody says about where they stand: relations to things, and the poses they leave open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, invert, transform
from loc3r_ros.world.questions.bearings import bearing, wrap
from loc3r_ros.world.scene import Item

BESIDE = 0.8
"""Whoever is next to a thing is this near to its bounding box on the floor, m."""

TOWARDS = {'facing': 0.0, 'left': 0.5 * np.pi, 'behind': np.pi, 'right': -0.5 * np.pi}
"""Middle of the directions that a word means, counter-clockwise from the front, rad."""

FACING, SIDE = np.radians(15.0), np.radians(40.0)
"""How far from the middle a thing may lie that one faces, or that lies on a side, rad."""

MIDWAY = 0.4
"""Whoever is between two things is this near to the middle of the line between them, m."""


@dataclass(frozen=True, eq=False)
class Relation:
    """One true thing to say about a pose.

    Attributes:
        kind: a word of TOWARDS, 'beside' or 'between'.
        things: the one that it is said of; two for 'between'.
    """

    kind: str
    things: tuple[Item, ...]

    def holds(self, position: Array, yaw: Array, *, slack: float = 1.0) -> NDArray[np.bool_]:
        """Whether it is true at poses (..., 2), (...,); a slack below 1 asks for a clear case."""
        if self.kind == 'beside':
            return distance_to_box(self.things[0], position) <= slack * BESIDE
        centres = np.array([thing.centre[:2] for thing in self.things])
        if self.kind == 'between':
            away = np.linalg.norm(position - centres.mean(0), axis=-1)
            return np.asarray(away <= slack * MIDWAY)
        spread = FACING if self.kind == 'facing' else SIDE
        off = wrap(bearing(position, yaw, centres[0]) - TOWARDS[self.kind])
        return np.asarray(np.abs(off) <= slack * spread)


def distance_to_box(item: Item, position: Array) -> Array:
    """Distance on the floor of (..., 2) places to an item's bounding box, m; 0 within."""
    at = np.concatenate([position, np.zeros((*position.shape[:-1], 1))], -1)
    own = np.abs(transform(invert(item.T_map_item), at))[..., :2]
    return np.asarray(np.linalg.norm(np.maximum(own - item.size[:2] / 2.0, 0.0), axis=-1))


@dataclass(frozen=True, eq=False)
class Poses:
    """All poses that somebody in a room can have: P free places, Y evenly spaced headings.

    Attributes:
        places: (P, 2), m.
        yaws: (Y,), rad.
    """

    places: Array
    yaws: Array

    def spread(self, relations: tuple[Relation, ...], position: Array, yaw: float) -> Array:
        """How far a listener who knows no more may be off: (rms distance m, rms angle rad).

        The mean is over all poses at which every relation holds; infinite where there is none.
        """
        open_ = np.ones((len(self.places), len(self.yaws)), bool)
        for relation in relations:
            open_ &= relation.holds(self.places[:, None], self.yaws)
        where, facing = np.nonzero(open_)
        if not len(where):
            return np.array([np.inf, np.inf])
        away = ((self.places[where] - position) ** 2).sum(1)
        turned = wrap(self.yaws[facing] - yaw) ** 2
        return np.sqrt([away.mean(), turned.mean()])
