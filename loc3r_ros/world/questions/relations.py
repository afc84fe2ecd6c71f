# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What somebody says about where they stand: relations to things, and the poses they leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array
from loc3r_ros.world.questions.bearings import wrap
from loc3r_ros.world.questions.landmarks import Landmarks
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

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """The same for relations that say the same."""
        return self.kind, tuple(thing.instance for thing in self.things)

    def holds(self, position: Array, yaw: Array) -> NDArray[np.bool_]:
        """Whether it is true at poses (..., 2), (...,)."""
        off = _off(self.kind, self._landmarks, position, yaw)
        return np.asarray(off[..., 0] <= _limit(self.kind))

    @cached_property
    def _landmarks(self) -> Landmarks:
        return Landmarks(self.things)


def true_relations(
    things: Sequence[Item], position: Array, yaw: float, slack: float
) -> dict[str, list[Relation]]:
    """By kind, all that is true of a pose (2,); a slack below 1 asks for clear cases."""
    landmarks = Landmarks(things)
    pairs = list(combinations(things, 2))
    true: dict[str, list[Relation]] = {}
    for kind in ('beside', 'between', *TOWARDS):
        said = pairs if kind == 'between' else [(thing,) for thing in things]
        off = _off(kind, landmarks, position, np.array(yaw))
        near = np.flatnonzero(off <= slack * _limit(kind))
        if len(near):
            true[kind] = [Relation(kind, said[k]) for k in near]
    return true


def _off(kind: str, landmarks: Landmarks, position: Array, yaw: Array) -> Array:
    """(..., m) how far poses (..., 2), (...,) are from being just so, m or rad.

    For each of the landmarks, or for each pair of them in the order of `combinations`.
    """
    if kind == 'beside':
        away = landmarks.distances(position)
        return np.where(away > 0.0, away, np.inf)  # whoever stands on a rug is not next to it
    if kind == 'between':
        first, second = np.triu_indices(len(landmarks.centre), 1)
        middle = (landmarks.centre[first] + landmarks.centre[second]) / 2.0
        return np.asarray(np.linalg.norm(position[..., None, :] - middle, axis=-1))
    return np.abs(wrap(landmarks.bearings(position, yaw) - TOWARDS[kind]))


def _limit(kind: str) -> float:
    """What `_off` may at most be."""
    return float({'beside': BESIDE, 'between': MIDWAY, 'facing': FACING}.get(kind) or SIDE)


class Poses:
    """All poses that somebody in a room can have.

    Args:
        places: (P, 2) free, m.
        yaws: (Y,) evenly spaced, rad.
    """

    def __init__(self, places: Array, yaws: Array) -> None:
        self._places, self._yaws = places, yaws
        self._true: dict[tuple[str, tuple[int, ...]], NDArray[np.bool_]] = {}

    def spread(self, relations: tuple[Relation, ...], position: Array, yaw: float) -> Array:
        """How far a listener who knows no more may be off: (rms distance m, rms angle rad).

        The mean is over all poses at which every relation holds; infinite where there is none.
        """
        open_ = np.ones((len(self._places), len(self._yaws)), bool)
        for relation in relations:
            open_ &= self._where(relation)
        where, facing = np.nonzero(open_)
        if not len(where):
            return np.array([np.inf, np.inf])
        away = ((self._places[where] - position) ** 2).sum(1)
        turned = wrap(self._yaws[facing] - yaw) ** 2
        return np.sqrt([away.mean(), turned.mean()])

    def _where(self, relation: Relation) -> NDArray[np.bool_]:
        """Where it holds, (P, Y) or (P, 1)."""
        if relation.key not in self._true:
            yaws = self._yaws if relation.kind in TOWARDS else np.zeros(1)
            self._true[relation.key] = relation.holds(self._places[:, None], yaws)
        return self._true[relation.key]
