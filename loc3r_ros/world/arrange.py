# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where furniture goes: against walls, in corners, around tables, never into each other."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.world.furniture.design import Design
from loc3r_ros.world.overlap import Boxes, clear_of, gap
from loc3r_ros.world.scene import Item

GAP = 0.02
"""Items keep this far from each other, m, unless one stands on the other."""

_TRIES = 40


class Arrangement:
    """Items placed so far in an empty room, and the floor that must stay free before them.

    Every method that looks for a place returns the item, or None when there is no room for it.
    Sides are numbered so that furniture against side k faces along k * 90 degrees.

    Attributes:
        size: (x, y, z) of the room's inside, m.
        items: in order of their instances.
    """

    def __init__(self, rng: Generator, size: Array) -> None:
        self.size = size
        self.items: list[Item] = []
        self._rng = rng
        self._solid: Boxes | None = None
        self._access: Boxes | None = None

    def length(self, side: int) -> float:
        """Length of a side of the room, m."""
        return float(self.size[1] if side % 2 == 0 else self.size[0])

    def lay(self, design: Design, base: tuple[float, float, float]) -> Item:
        """Put a design at a place without asking."""
        return self._add(design.place(len(self.items) + 1, pose(np.eye(3), base)), solid=False)

    def wall(
        self, side: int, design: Design, thickness: float, *, along: float = 0.0, base: float = 0.0
    ) -> Item:
        """Put up a wall, or a piece of one, so that its `thickness` lies outside the room."""
        T = self._at_wall(side, along, 0.0)
        shift = design.size[0] / 2 - thickness
        T[:3, 3] += shift * T[:3, 0]
        T[2, 3] += base
        return self._add(design.place(len(self.items) + 1, T), solid=False)

    def keep_open(self, side: int, along: float, width: float, *, access: float) -> None:
        """Let nothing stand in an opening of a wall, hang over it, or block the way to it."""
        T = self._at_wall(side, along, 0.0)
        before = _zone(T, 1.0, width, 0.0)
        above = Boxes(before.centre + np.array([0.0, 0.0, 1.0]), before.axes, before.half)
        solid = [before, above] if self._solid is None else [self._solid, before, above]
        self._solid = Boxes.join(solid)
        self._keep_free(_zone(T, 2.0 * access, width, 0.0))

    def against_wall(self, design: Design, *, access: float) -> Item | None:
        """Stand it with its back to some wall, with `access` metres of free floor before it."""
        for _ in range(_TRIES):
            side = int(self._rng.integers(4))
            slack = self.length(side) - design.size[1] - 2 * GAP
            along = self._rng.uniform(-0.5, 0.5) * max(0.0, slack)
            item = self._stand(
                design, self._at_wall(side, along, design.size[0] / 2 + 0.03), access
            )
            if item is not None:
                return item
        return None

    def on_wall(
        self, design: Design, *, height: float, access: float = 0.0, side: int | None = None
    ) -> Item | None:
        """Hang it on a wall, its underside at `height`."""
        for _ in range(_TRIES):
            k = int(self._rng.integers(4)) if side is None else side
            slack = self.length(k) - design.size[1] - 0.3
            along = self._rng.uniform(-0.5, 0.5) * max(0.0, slack)
            T = self._at_wall(k, along, design.size[0] / 2)
            T[2, 3] = height
            item = self._stand(design, T, access, margin=0.10, rim=0.0)
            if item is not None:
                return item
        return None

    def facing(self, anchor: Item | None, design: Design, *, access: float) -> Item | None:
        """Stand it against the wall that an item faces, opposite to it where there is room."""
        if anchor is None:
            return self.against_wall(design, access=access)
        forward = anchor.T_map_item[:2, 0]
        side = (round(float(np.arctan2(forward[1], forward[0])) / (np.pi / 2)) + 2) % 4
        across = self._at_wall(side, 0.0, 0.0)[:2, 1]
        for spread in np.linspace(0.0, 1.5, _TRIES):
            along = float(anchor.T_map_item[:2, 3] @ across) + self._rng.uniform(-spread, spread)
            T = self._at_wall(side, along, design.size[0] / 2 + 0.03)
            item = self._stand(design, T, access)
            if item is not None:
                return item
        return None

    def in_corner(self, design: Design) -> Item | None:
        """Stand it in a corner of the room, else at a wall."""
        inset = float(np.linalg.norm(design.size[:2])) / 2 + 0.03
        for corner in self._rng.permutation(4):
            sign = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])[corner]
            base = [*(sign * (self.size[:2] / 2 - inset)), 0.0]
            turn = exp_so3([0, 0, np.arctan2(-sign[1], -sign[0])])
            item = self._stand(design, pose(turn, base), 0.0)
            if item is not None:
                return item
        return self.against_wall(design, access=0.0)

    def inside(self, design: Design, *, around: float) -> Item | None:
        """Stand it away from the walls, with free floor all around it."""
        for _ in range(_TRIES):
            turn = exp_so3([0, 0, np.pi / 2 * self._rng.integers(4)])
            reach = np.abs(turn[:2, :2]) @ design.size[:2] / 2 + around + 0.2
            slack = np.maximum(self.size[:2] / 2 - reach, 0.0)
            T = pose(turn, [*self._rng.uniform(-slack, slack), 0.0])
            zone = _zone(T, design.size[0] + 2 * around, design.size[1] + 2 * around, 0.0)
            if self._solid is None or (gap(zone, self._solid) >= 0.0).all():
                item = self._stand(design, T, 0.0)
                self._keep_free(zone)
                return item
        return None

    def beside(self, anchor: Item | None, design: Design, side: float) -> Item | None:
        """Stand it left (1) or right (-1) of an item, backs in line."""
        if anchor is None:
            return None
        x = -anchor.size[0] / 2 + design.size[0] / 2
        y = side * (anchor.size[1] / 2 + design.size[1] / 2 + 0.06)
        return self._stand(design, anchor.T_map_item @ pose(np.eye(3), [x, y, 0]), 0.2)

    def before(
        self, anchor: Item | None, design: Design, *, gap: float, on: Item | None = None
    ) -> Item | None:
        """Put it in front of an item, at a distance; on a rug, if there is one."""
        if anchor is None:
            return None
        x = anchor.size[0] / 2 + gap + design.size[0] / 2
        lift = on.size[2] + 1e-3 if on else 0.0
        T = anchor.T_map_item @ pose(np.eye(3), [x, 0.0, lift])
        return self._stand(design, T, 0.0, own=anchor, on=on)

    def chair_at(self, table: Item, design: Design, side: int, along: float) -> Item | None:
        """Put a chair to the front (1) or back (-1) of a table, pushed a little under it."""
        turned = exp_so3([0, 0, (np.pi if side > 0 else 0.0) + self._rng.uniform(-0.15, 0.15)])
        x = side * (table.size[0] / 2 + design.size[0] / 2 + self._rng.uniform(-0.05, 0.08))
        T = table.T_map_item @ pose(turned, [x, along * table.size[1], 0])
        return self._stand(design, T, 0.0, own=table)

    def on_top(self, support: Item | None, design: Design, *, turn: float = 3.0) -> Item | None:
        """Put it on an item's upper side, turned by up to `turn` radians."""
        if support is None:
            return None
        room = support.size[:2] / 2 - np.linalg.norm(design.size[:2]) / 2 - 0.02
        if (room < 0).any():
            return None
        for _ in range(_TRIES):
            xy = self._rng.uniform(-room, room)
            yaw = self._rng.uniform(-turn, turn)
            T = support.T_map_item @ pose(exp_so3([0, 0, yaw]), [*xy, support.size[2] + 1e-3])
            item = design.place(len(self.items) + 1, T, support=support.instance)
            if clear_of(item, self._solid, 0.0):
                return self._add(item)
        return None

    def behind(self, anchor: Item | None, design: Design, *, height: float) -> Item | None:
        """Hang it on the wall behind an item, its underside at `height`: above it or below."""
        if anchor is None:
            return None
        T = anchor.T_map_item.copy()
        forward = T[:2, 0]
        distance = T[:2, 3] @ forward + np.abs(forward) @ self.size[:2] / 2
        T[:2, 3] += (design.size[0] / 2 - distance) * forward
        T[2, 3] = height
        return self._stand(design, T, 0.0, margin=0.01, rim=0.0)

    def _stand(
        self,
        design: Design,
        T: Array,
        access: float,
        *,
        margin: float = GAP,
        rim: float = GAP,
        own: Item | None = None,
        on: Item | None = None,
    ) -> Item | None:
        """Add it there if it keeps `rim` from the walls and `margin` from all else.

        It may block no access but that of its `own`er; `on` is what it stands on.
        """
        item = design.place(len(self.items) + 1, T, support=on.instance if on else 0)
        corners = item.corners
        reach = self.size[:2] / 2 - rim + 1e-6
        if (np.abs(corners[:, :2]) > reach).any() or corners[7, 2] > self.size[2]:
            return None
        flat = design.category == 'rug'
        if not clear_of(item, self._solid, 0.0 if flat or on else margin):
            return None
        low = T[2, 3] < 1.0 and not flat
        if low and own is None and not clear_of(item, self._access, 0.0):
            return None
        if access > 0.0:
            zone = _zone(T, access, design.size[1], design.size[0] / 2 + access / 2)
            if self._solid is not None and (gap(zone, self._solid) < 0.0).any():
                return None
            self._keep_free(zone)
        return self._add(item)

    def _keep_free(self, zone: Boxes) -> None:
        self._access = zone if self._access is None else Boxes.join([self._access, zone])

    def _add(self, item: Item, *, solid: bool = True) -> Item:
        self.items.append(item)
        if solid:
            boxes = Boxes.of(item)
            self._solid = boxes if self._solid is None else Boxes.join([self._solid, boxes])
        return item

    def _at_wall(self, side: int, along: float, distance: float) -> Array:
        """A pose on the floor that faces away from a side of the room."""
        R = np.round(exp_so3([0, 0, side * np.pi / 2]))
        half = self.size[side % 2] / 2
        return pose(R, (distance - half) * R[:, 0] + along * R[:, 1])


def _zone(T: Array, depth: float, width: float, forward: float) -> Boxes:
    """A box above the floor, up to a person's height, ahead of a pose."""
    centre = T[:3, 3] + forward * T[:3, 0]
    return Boxes(
        np.array([[centre[0], centre[1], 0.55]]),
        T[None, :3, :3],
        np.array([[depth, width, 1.0]]) / 2,
    )
