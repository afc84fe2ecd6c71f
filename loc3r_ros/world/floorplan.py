# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where a ground robot can go: distances on the floor plan, and ways through free space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from loc3r_ros.geometry import Array
from loc3r_ros.world.scene import Scene

CELL = 0.10
"""Edge of a cell of the planning grid, m."""

PASSABLE = 0.03
"""Items lower than this are driven over (rugs), m."""

OVERHEAD = 1.4
"""Items that begin higher than this are passed under (pictures, lamps), m."""

_STEPS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


class FloorPlan:
    """The rectangles that block the floor of a scene: furniture, and walls between rooms.

    Attributes:
        centres: (ny, nx, 2) centres of the grid's cells in `map`, m.
        clearances: (ny, nx) distance from each to the nearest obstacle, m; negative inside one.
    """

    def __init__(self, scene: Scene) -> None:
        self._half = scene.size[:2] / 2.0
        standing = [
            *scene.furniture,
            # Of the outer walls, which lie beyond the box, `_half` knows.
            *(
                item
                for item in scene.items
                if item.category == 'wall' and (np.abs(item.centre[:2]) < self._half).all()
            ),
        ]
        blocking = [
            item
            for item in standing
            if item.T_map_item[2, 3] < OVERHEAD and item.T_map_item[2, 3] + item.size[2] > PASSABLE
        ]
        self._centre = np.array([item.T_map_item[:2, 3] for item in blocking]).reshape(-1, 2)
        self._axes = np.array([item.T_map_item[:2, :2] for item in blocking]).reshape(-1, 2, 2)
        self._extent = np.array([item.size[:2] / 2.0 for item in blocking]).reshape(-1, 2)
        counts = np.ceil(scene.size[:2] / CELL).astype(int)
        x, y = ((np.arange(n) + 0.5) * CELL - n * CELL / 2.0 for n in counts)
        self.centres = np.stack(np.meshgrid(x, y), -1)
        self.clearances = self.clearance(self.centres.reshape(-1, 2)).reshape(counts[::-1])

    def clearance(self, points: Array) -> Array:
        """Distance (N,) m of points (N, 2) to the nearest wall or item; negative inside one."""
        to_wall = (self._half - np.abs(points)).min(1)
        x, y = (points[:, k, None] - self._centre[:, k] for k in (0, 1))
        ahead, left = self._axes[:, :, 0], self._axes[:, :, 1]
        qx = np.abs(x * ahead[:, 0] + y * ahead[:, 1]) - self._extent[:, 0]
        qy = np.abs(x * left[:, 0] + y * left[:, 1]) - self._extent[:, 1]
        outside = np.hypot(np.maximum(qx, 0.0), np.maximum(qy, 0.0))
        inside = np.minimum(np.maximum(qx, qy), 0.0)
        return np.minimum(to_wall, (outside + inside).min(1, initial=np.inf))

    def region(self, margin: float) -> NDArray[np.bool_]:
        """(ny, nx) the largest connected part of the floor with at least this clearance."""
        free = self.clearances >= margin
        parts, count = label(free, structure=np.ones((3, 3)))
        sizes = np.bincount(parts[free], minlength=count + 1)
        return np.asarray(free & (parts == sizes.argmax()))

    def travel(
        self, goal: NDArray[np.bool_], free: NDArray[np.bool_], toll: Array | float = 0.0
    ) -> Array:
        """(ny, nx) cost of the way to the goal cells through free cells, inf where there is none.

        The cost is metres, more where it is narrow, so that ways keep to the middle; `toll`
        (ny, nx) is added for each metre in a cell.
        """
        price = 1.0 + 0.1 / np.maximum(self.clearances, 0.05) ** 2 + toll
        number = np.full(np.add(free.shape, 2), -1)
        number[1:-1, 1:-1][free] = np.arange(free.sum())
        here, there, length = [], [], []
        for dy, dx in _STEPS:
            beside = number[1 + dy :, 1 + dx :][: free.shape[0], : free.shape[1]]
            open_ = free & (beside >= 0)
            # From a neighbour to here: what is paid is the price of the cell that is entered.
            here.append(beside[open_])
            there.append(number[1:-1, 1:-1][open_])
            length.append(float(np.hypot(dy, dx)) * CELL * price[open_])
        edges = csr_array(
            (np.concatenate(length), (np.concatenate(here), np.concatenate(there))),
            shape=(free.sum(),) * 2,
        )
        cost = np.full(free.shape, np.inf)
        start = number[1:-1, 1:-1][goal & free]
        if len(start):
            cost[free] = dijkstra(edges, indices=start, min_only=True)
        return cost

    def way(self, start: tuple[int, int], cost: Array) -> Array:
        """(N, 2) points from a cell down a `travel` cost to its goal."""
        cell, cells = start, [start]
        while cost[cell] > 0.0:
            around = [(cell[0] + dy, cell[1] + dx) for dy, dx in _STEPS]
            inside = [c for c in around if 0 <= c[0] < cost.shape[0] and 0 <= c[1] < cost.shape[1]]
            cell = min(inside, key=lambda c: cost[c])
            cells.append(cell)
        return self.centres[tuple(np.array(cells).T)]
