# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The bird's-eye-view map: what blocks a ground robot, what it may drive on, what nobody has seen.

Log-odds occupancy, as in octomap (Hornung et al., Autonomous Robots 2013), but in a few slabs
above the floor instead of an octree: a ray over a table clears the slab above the table top and
leaves the table. A column is occupied when one slab is. It is free when its lowest slab was seen
through and no slab leans to occupied. What was only seen through higher up stays unknown, for a
box may stand there; so does floor seen under something that hides what is between. Floor that is
missing where rays pass below it, at a stair or a ledge, counts as a hit.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import astuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.mapping.config import BevConfig
from loc3r_ros.mapping.evidence import View, Window, evidence
from loc3r_ros.mapping.floor import FloorTracker
from loc3r_ros.types import OccupancyGrid

_log = logging.getLogger(__name__)

_FARTHEST = 1e5  # m; float32 points are coarse beyond
_AROUND_M = 1.0  # about the sensor: there stands the robot, and planners start inside the map
_FIXED_POINT = 24.0  # int8 steps per unit of log-odds: probabilities from 0.01 to 0.99 fit


class BevMap:
    """Occupancy from posed clouds; see the module for what free and occupied mean.

    Attributes:
        config: the settings.
        ignored: points that fell outside the largest allowed area.
        waiting: clouds that were dropped because no floor had been seen yet.

    """

    def __init__(self, config: BevConfig | None = None, floor_height: float | None = 0.0) -> None:
        """Start an empty map.

        Args:
            config: the settings; the defaults suit an indoor robot.
            floor_height: z of the floor in `map`, m, to some centimetres; None where it is not
                known: clouds are then dropped until one shows a floor.

        """
        self.config = config or BevConfig()
        self._start_height = floor_height
        self.clear()

    def clear(self) -> None:
        """Forget everything, the floor too."""
        self.ignored = 0
        self.waiting = 0
        self._floor = FloorTracker(self._start_height)
        # Slab 0 is the floor itself, then the band from below. Cells are (slab, y, x).
        self._odds = np.zeros((self.config.layers + 1, 0, 0), np.int8)
        self._corner = np.zeros(2, np.int64)  # (x, y) of cell (0, 0), in cells

    @property
    def floor_height(self) -> float | None:
        """Height (z in `map`, m) of the floor where the sensor was last; None while unknown."""
        return self._floor.height

    @property
    def nbytes(self) -> int:
        """Memory of the map, bytes."""
        return self._odds.nbytes

    def integrate(self, points: ArrayLike, origin: ArrayLike) -> None:
        """Add one cloud.

        Args:
            points: (N, 3) in `map`, m; rows that are not finite are skipped.
            origin: (3,) position of the sensor in `map`, m.

        Raises:
            InputError: when a shape is wrong, or the origin is not finite or absurdly far away.

        """
        sensor = np.asarray(origin, dtype=np.float64)
        if sensor.shape != (3,) or not (np.abs(sensor) < _FARTHEST).all():
            raise InputError(
                f'origin {origin!r}: allowed are three coordinates below {_FARTHEST:g} m'
            )
        offsets = _offsets(points, sensor)
        if not offsets.shape[1]:
            return
        plane = self._floor.update(offsets, float(sensor[2]))
        if plane is None:
            if not self.waiting:
                _log.warning('no floor in sight yet: clouds are not mapped until one shows it')
            self.waiting += 1
            return
        self._add(View.of(offsets, plane), sensor[:2] / self.config.resolution)

    def _add(self, view: View, home: NDArray[np.float64]) -> None:
        """Update the cells that a view touches; home is the sensor's place in cells."""
        cfg = self.config
        low, high = self._extent(view, home)
        if (low >= high).any():
            return
        columns, rows = (int(n) for n in high - low)
        window = Window(rows, columns, sensor=home - low)
        hit, clear = evidence(view, window, cfg)
        step = np.zeros(hit.shape, np.int16)
        step[clear] = _steps(cfg.p_miss)
        step[hit] = _steps(cfg.p_hit)
        left, bottom = low - self._corner
        odds = self._odds[:, bottom : bottom + rows, left : left + columns]
        odds[:] = np.clip(odds + step, _steps(cfg.p_min), _steps(cfg.p_max))

    def _extent(self, view: View, home: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
        """First and past-the-last cell (x, y) of a view in the map, which grows for it."""
        cfg = self.config
        box = np.array([[v.min(), v.max()] for v in (view.x, view.y)], np.float64)
        box = np.clip(box, -cfg.max_range, cfg.max_range) / cfg.resolution
        low = np.floor(home + np.minimum(box[:, 0], 0.0)).astype(np.int64)
        high = np.floor(home + np.maximum(box[:, 1], 0.0)).astype(np.int64) + 1
        middle = np.floor(home).astype(np.int64)
        around = int(np.ceil(_AROUND_M / cfg.resolution))
        self._grow(np.minimum(low, middle - around), np.maximum(high, middle + around), middle)
        end = self._corner + self._odds.shape[:0:-1]
        inside_low, inside_high = np.maximum(low, self._corner), np.minimum(high, end)
        if (inside_low != low).any() or (inside_high != high).any():
            self._ignore(
                view, (self._corner - home) * cfg.resolution, (end - home) * cfg.resolution
            )
        return inside_low, inside_high

    def _ignore(self, view: View, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
        """Count the points in range that lie outside the map, from low to high of the sensor."""
        outside = (view.x < low[0]) | (view.x >= high[0]) | (view.y < low[1]) | (view.y >= high[1])
        count = int(np.count_nonzero(outside & (view.ranges < self.config.max_range)))
        if count and not self.ignored:
            _log.warning(
                'the map has reached max_area=%g square m: what lies outside is ignored',
                self.config.max_area,
            )
        self.ignored += count

    def _grow(self, low: NDArray, high: NDArray, home: NDArray) -> None:
        """Grow by blocks towards the cells from low to high, one side after the other."""
        block = self.config.block
        if self._odds.size == 0:
            self._corner = home // block * block
            self._odds = np.zeros((len(self._odds), block, block), np.int8)
        size = np.array(self._odds.shape[:0:-1])
        before = np.maximum(self._corner - low // block * block, 0)
        after = np.maximum(-(-high // block) * block - (self._corner + size), 0)
        most = self.config.max_area / self.config.resolution**2
        for side in (before, after):
            for axis in (0, 1):
                left = int(most // size[1 - axis] - size[axis]) // block * block
                side[axis] = max(0, min(side[axis], left))
                size[axis] += side[axis]
        if before.any() or after.any():
            pads = [(0, 0), *zip(before[::-1], after[::-1], strict=True)]
            self._odds = np.pad(self._odds, pads)
            self._corner = self._corner - before

    def grid(self, stamp: float) -> OccupancyGrid:
        """The map as Nav2's static layer takes it: -1, 0 or 100, nothing between.

        That layer reads whatever is neither -1 nor 100 as free, so doubt must be -1.
        """
        cfg = self.config
        data = np.full(self._odds.shape[1:], -1, np.int8)
        highest = self._odds.max(0)
        data[(self._odds[1] <= _steps(cfg.p_free)) & (highest <= 0)] = 0
        data[highest >= _steps(cfg.p_occupied)] = 100
        x, y = (float(v * cfg.resolution) for v in self._corner)
        return OccupancyGrid(stamp, data, cfg.resolution, (x, y))

    def state_dict(self) -> dict[str, NDArray]:
        """Everything that later clouds and grids depend on."""
        height = self._floor.height
        return {
            'config': np.array(astuple(self.config), np.float64),
            'odds': self._odds.copy(),
            'corner': self._corner.copy(),
            'floor': np.array([np.nan if height is None else height, self._floor.variance]),
            'counts': np.array([self.ignored, self.waiting], np.int64),
        }

    def load_state_dict(self, state: Mapping[str, NDArray]) -> None:
        """Continue from a `state_dict` of a map with the same settings.

        Raises:
            InputError: when something is missing, or was made with other settings.

        """
        missing = {'config', 'odds', 'corner', 'floor', 'counts'} - set(state)
        if missing:
            raise InputError(f'map state lacks {sorted(missing)}: it was not made by state_dict')
        if not np.array_equal(state['config'], astuple(self.config)):
            raise InputError(
                f'map state was made with settings {np.asarray(state["config"]).tolist()}; this '
                f'map has {list(astuple(self.config))}: load it with the settings it was made with'
            )
        odds = np.array(state['odds'], np.int8)
        if odds.ndim != 3 or len(odds) != self.config.layers + 1:
            raise InputError(
                f'map state odds have shape {odds.shape}: allowed is '
                f'({self.config.layers + 1}, rows, columns)'
            )
        height, variance = (float(v) for v in state['floor'])
        self._odds, self._corner = odds, np.array(state['corner'], np.int64)
        self._floor = FloorTracker(None if np.isnan(height) else height)
        self._floor.variance = variance
        self.ignored, self.waiting = (int(v) for v in state['counts'])


def _steps(probability: float) -> int:
    return round(_FIXED_POINT * float(np.log(probability / (1.0 - probability))))


def _offsets(points: ArrayLike, sensor: NDArray[np.float64]) -> NDArray[np.float32]:
    """Finite points less the sensor's position, (3, M), each coordinate in a row of its own."""
    cloud = np.asarray(points, dtype=np.float32)
    if cloud.ndim != 2 or cloud.shape[1] != 3:
        raise InputError(f'points have shape {cloud.shape}: allowed is (N, 3), m, in the map frame')
    offsets = np.subtract(cloud.T, sensor[:, None].astype(np.float32), order='C')
    usable = np.abs(offsets).max(0) < _FARTHEST  # which no NaN is
    return offsets if usable.all() else offsets[:, np.flatnonzero(usable)]
