# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The map of a tracked camera: scans of trusted poses in, a grid out, a new map each epoch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import transform
from loc3r_ros.mapping.bev import BevMap
from loc3r_ros.mapping.config import BevConfig
from loc3r_ros.types import OccupancyGrid, Scan, TrackingState


class Mapper:
    """Keeps one `BevMap` for the current epoch.

    Args:
        config: settings of the map.

    Attributes:
        map: the map of the current epoch.
        epoch: that epoch; None before the first scan.
        scans: how many scans are in the map.
    """

    def __init__(self, config: BevConfig | None = None) -> None:
        self.config = config or BevConfig()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.epoch: int | None = None
        self._begin(None)

    def _begin(self, epoch: int | None) -> None:
        self.map = BevMap(self.config)
        self.epoch = epoch
        self.scans = 0
        self._stamp = 0.0

    def step(self, scan: Scan) -> bool:
        """Take in one scan; only one of a trusted pose enters the map.

        Returns:
            Whether the map changed, be it that a new epoch emptied it.
        """
        changed = scan.epoch != self.epoch
        if changed:
            self._begin(scan.epoch)
        self._stamp = scan.stamp
        if scan.state is not TrackingState.TRACKING or not len(scan.points_camera):
            return changed
        if not self.scans:
            self.map = BevMap(self.config, scan.floor_height)
        T = scan.T_map_camera
        self.map.integrate(transform(T, scan.points_camera), T[:3, 3])
        self.scans += 1
        return True

    def grid(self) -> OccupancyGrid:
        """The map as it is now, with the stamp of the last scan."""
        return self.map.grid(self._stamp)

    def save(self, folder: Path) -> None:
        """Write the map; `load` goes on with the same numbers."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / 'map.npz', **self.map.state_dict())  # type: ignore[arg-type]
        about = {'epoch': self.epoch, 'scans': self.scans, 'stamp': self._stamp}
        (folder / 'mapper.json').write_text(json.dumps(about))

    def load(self, folder: Path, epoch: int | None = None) -> None:
        """Go on from what `save` wrote, with the same settings.

        Args:
            folder: where it was saved.
            epoch: the epoch that the map belongs to from now on; by default the saved one.

        Raises:
            InputError: nothing was saved there, or it is damaged.
        """
        try:
            about = json.loads((folder / 'mapper.json').read_text())
            with np.load(folder / 'map.npz', allow_pickle=False) as state:
                loaded = BevMap(self.config)
                loaded.load_state_dict(dict(state))
            self.epoch = about['epoch'] if epoch is None else epoch
            self.scans, self._stamp = about['scans'], about['stamp']
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f'{folder}: no map there, or a damaged one ({error!r})') from error
        self.map = loaded
