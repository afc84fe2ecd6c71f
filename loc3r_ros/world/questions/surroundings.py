# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What lies where around somebody in a situation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import CELL
from loc3r_ros.world.questions.bearings import bearing, sector
from loc3r_ros.world.questions.question import Situation
from loc3r_ros.world.questions.visit import Visit, nearest_room
from loc3r_ros.world.scene import Item

WORDS = ('in front of me', 'on my left', 'behind me', 'on my right')
"""Quarters of the surroundings, counter-clockwise from the front."""

QUARTERS = tuple(np.radians([-45.0, 45.0, 135.0, 225.0]))

MARGIN = np.radians(15.0)
"""No thing lies nearer than this to a border between quarters or halves."""

AWAY_MIN = 0.8
"""Nearer things lie to several sides at once, m."""

BODY = 0.25
"""Half the width of whoever walks, m."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A situation in its scene."""

    visit: Visit
    situation: Situation

    def mentions(self, name: str) -> bool:
        """Whether a wording names the category: then it gives the answer away."""
        return any(re.search(rf'\b{name}\b', text) for text in self.situation.wordings)

    def reaches(self, item: Item) -> bool:
        """Whether an item is in the same room, with no wall between."""
        return self.visit.room_of(item) == self._room

    def distance(self, item: Item) -> float:
        """Metres on the floor to an item's bounding box."""
        return float(self._distances[self.visit.index[item.instance]])

    def quarter(self, item: Item) -> int:
        """Which of WORDS an item lies in; -1 where that is in doubt."""
        return int(self._quarter[self.visit.index[item.instance]])

    def quarters(self, item: Item) -> set[int]:
        """All of WORDS that an item may be said to lie in: all when near, else those it reaches."""
        k = self.visit.index[item.instance]
        near = self._distances[k] < AWAY_MIN
        return set(range(len(WORDS))) if near else set(self._reached[k].tolist())

    def half(self, item: Item, first: float) -> int:
        """0 where an item lies within half a turn counter-clockwise from `first`, else 1.

        -1 where that is in doubt.
        """
        if first not in self._halves:
            self._halves[first] = self._sectors((first, first + np.pi))
        return int(self._halves[first][self.visit.index[item.instance]])

    def walk(self, turn: float) -> float:
        """Metres that one can walk straight ahead after a turn to the left (rad), up to 3."""
        steps = np.arange(0.0, 3.0, CELL / 2)
        angle = self.situation.yaw + turn
        way = self.situation.position + steps[:, None] * (np.cos(angle), np.sin(angle))
        blocked = self.visit.plan.clearance(way) < BODY
        # Whoever stands close to a thing may still walk away from it.
        blocked &= steps >= BODY
        return float(steps[blocked.argmax()]) if blocked.any() else 3.0

    @cached_property
    def _room(self) -> int:
        return int(nearest_room(self.visit.scene, np.array(self.situation.position)))

    @cached_property
    def _distances(self) -> Array:
        return self.visit.landmarks.distances(np.array(self.situation.position))

    @cached_property
    def _bearings(self) -> tuple[Array, Array]:
        """(K,) of the things' centres and (K, 4) of their corners."""
        at, yaw = np.array(self.situation.position), self.situation.yaw
        things = self.visit.landmarks
        return bearing(at, yaw, things.centre), bearing(at, yaw, things.corners)

    @cached_property
    def _halves(self) -> dict[float, NDArray[np.intp]]:
        return {}

    @cached_property
    def _quarter(self) -> NDArray[np.intp]:
        return self._sectors(QUARTERS)

    @cached_property
    def _reached(self) -> NDArray[np.intp]:
        """(K, 10) quarters that centres and corners lie in, or nearly."""
        seen = np.concatenate([self._bearings[0][:, None], self._bearings[1]], 1)
        shifted = np.concatenate([seen - MARGIN, seen + MARGIN], 1)
        return sector(shifted, QUARTERS)

    def _sectors(self, borders: tuple[float, ...]) -> NDArray[np.intp]:
        """(K,) sector of each centre, if at least three of four corners lie in it too; else -1."""
        centre, corners = self._bearings
        index = sector(centre, borders, MARGIN)
        most = (sector(corners, borders) == index[:, None]).sum(1) >= 3
        return np.where(most & (self._distances >= AWAY_MIN), index, -1)
