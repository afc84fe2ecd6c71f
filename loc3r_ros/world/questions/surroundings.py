# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What lies where around somebody in a situation."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import CELL
from loc3r_ros.world.questions.bearings import bearing, sector
from loc3r_ros.world.questions.distances import footprint
from loc3r_ros.world.questions.question import Situation
from loc3r_ros.world.questions.relations import distance_to_box
from loc3r_ros.world.questions.visit import Visit
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
    """A situation in its room."""

    visit: Visit
    situation: Situation

    def mentions(self, name: str) -> bool:
        """Whether a wording names the category: then it gives the answer away."""
        return any(re.search(rf'\b{name}\b', text) for text in self.situation.wordings)

    def distance(self, item: Item) -> float:
        """Metres on the floor to an item's bounding box."""
        return float(distance_to_box(item, np.array(self.situation.position)))

    def quarter(self, item: Item) -> int:
        """Which of WORDS an item lies in; -1 where that is in doubt."""
        return self._sector(item, QUARTERS)

    def quarters(self, item: Item) -> set[int]:
        """All of WORDS that an item may be said to lie in: all when near, else those it reaches."""
        if self.distance(item) < AWAY_MIN:
            return set(range(len(WORDS)))
        at, yaw = np.array(self.situation.position), self.situation.yaw
        seen = bearing(at, yaw, np.array([*footprint(item), item.centre[:2]]))
        return {int(k) for shift in (-MARGIN, MARGIN) for k in sector(seen + shift, QUARTERS)}

    def half(self, item: Item, first: float) -> int:
        """0 where an item lies within half a turn counter-clockwise from `first`, else 1.

        -1 where that is in doubt.
        """
        return self._sector(item, (first, first + np.pi))

    def walk(self, turn: float) -> float:
        """Metres that one can walk straight ahead after a turn to the left (rad), up to 3."""
        steps = np.arange(0.0, 3.0, CELL / 2)
        angle = self.situation.yaw + turn
        way = self.situation.position + steps[:, None] * (np.cos(angle), np.sin(angle))
        blocked = self.visit.plan.clearance(way) < BODY
        # Whoever stands close to a thing may still walk away from it.
        blocked &= steps >= BODY
        return float(steps[blocked.argmax()]) if blocked.any() else 3.0

    def _sector(self, item: Item, borders: tuple[float, ...]) -> int:
        """The sector of the centre, if at least three of four corners lie in it too."""
        at, yaw = np.array(self.situation.position), self.situation.yaw
        index = int(sector(bearing(at, yaw, item.centre[:2]), borders, MARGIN))
        corners: Array = sector(bearing(at, yaw, footprint(item)), borders)
        sure = self.distance(item) >= AWAY_MIN and (corners == index).sum() >= 3
        return index if sure else -1
