# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node `bev_mapper`: posed clouds in, a latched occupancy grid out."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from nav_msgs.msg import OccupancyGrid as OccupancyGridMessage

from loc3r_ros.errors import InputError
from loc3r_ros.mapping import BevConfig
from loc3r_ros.mapping.map_file import save_map
from loc3r_ros.mapping.mapper import Mapper
from loc3r_ros.ros import qos
from loc3r_ros.ros.bus import Posed
from loc3r_ros.ros.conversion import messages
from loc3r_ros.ros.diagnostics import Level, Report
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.mailbox import Mailbox, Worker
from loc3r_ros.ros.parameters import Parameter
from loc3r_ros.ros.scan_input import ScanInput
from loc3r_ros.ros.statistics import Latency
from loc3r_ros.types import OccupancyGrid, Scan

try:
    from nav2_msgs.srv import SaveMap
except ImportError:  # nav2_msgs is not part of ros_base
    SaveMap = None

_DEFAULTS = BevConfig()

TABLE = (
    Parameter('map_frame', 'map', 'Frame of the grid.'),
    Parameter('resolution_m', _DEFAULTS.resolution, 'Edge of a cell.', range=(0.01, 0.5)),
    Parameter(
        'max_range_m',
        _DEFAULTS.max_range,
        'Points farther than this mark nothing; their rays still clear up to it.',
        range=(0.5, 50.0),
    ),
    Parameter(
        'band_low_m',
        _DEFAULTS.band_low,
        'What is lower above the floor does not block: sills, cables, noise of the floor.',
        range=(0.02, 1.0),
    ),
    Parameter(
        'band_high_m',
        _DEFAULTS.band_high,
        'What is higher above the floor does not block: the height of the robot with a margin.',
        range=(0.2, 5.0),
    ),
    Parameter(
        'max_drop_m',
        _DEFAULTS.max_drop,
        'Floor missing by more than this blocks: a stair, a ledge.',
        range=(0.05, 1.0),
    ),
    Parameter(
        'max_area_m2',
        _DEFAULTS.max_area,
        'The grid never covers more; what lies outside is ignored and counted.',
        range=(1.0, 1e6),
    ),
    Parameter(
        'publish_period_s',
        1.0,
        'Least time between two grids; one is published only when the map has changed.',
        range=(0.1, 60.0),
    ),
)


class BevMapper(Stage):
    """Maps what a camera sees.

    Args:
        composed: scans come through `take`, by reference, from a node in this process; else from
            the topics `points` and `pose_token`.
    """

    part = 'map'

    def __init__(self, *, composed: bool = False, **node_options: Any) -> None:
        super().__init__('bev_mapper', TABLE, **node_options)
        self._composed = composed
        self._lock = Lock()
        self._mapper: Mapper | None = None
        self._mailbox: Mailbox[tuple[int, Scan]] | None = None

    def configure(self) -> None:
        """Check the settings."""
        settings = self.settings
        self._config = BevConfig(
            resolution=settings['resolution_m'],
            max_range=settings['max_range_m'],
            band_low=settings['band_low_m'],
            band_high=settings['band_high_m'],
            max_drop=settings['max_drop_m'],
            max_area=settings['max_area_m2'],
        )

    def activate(self) -> None:
        """Begin an empty map."""
        self._latency = Latency()
        self._mapper = Mapper(self._config)
        self._is_due, self._stamp_ns = False, 0
        self._publisher = self.advertise(OccupancyGridMessage, 'bev', qos.latched())
        mailbox: Mailbox[tuple[int, Scan]] = Mailbox()
        worker = Worker(mailbox, self._integrate, name='bev_mapper')
        self.own(worker, worker.stop)
        self._worker, self._mailbox = worker, mailbox
        self._input = None if self._composed else ScanInput(self, mailbox.put)
        self.every(self.settings['publish_period_s'], self._publish)
        if SaveMap is None:
            self.get_logger().warning(
                'nav2_msgs is not installed: no service save_map. Install it with apt install '
                'ros-$ROS_DISTRO-nav2-msgs, or save with: ros2 run nav2_map_server map_saver_cli'
            )
        else:
            self.serve(SaveMap, 'save_map', self._save_map)

    def deactivate(self) -> None:
        """Drop the map."""
        self._mailbox = None
        with self._lock:
            self._mapper = None

    def take(self, posed: Posed) -> None:
        """Map what another node of this process has seen; from any thread."""
        mailbox = self._mailbox
        if mailbox is not None:
            mailbox.put((posed.stamp_ns, posed.step.scan))

    def grid(self) -> OccupancyGrid | None:
        """The map as it is now; None while there is none."""
        with self._lock:
            return None if self._mapper is None else self._mapper.grid()

    def save(self, folder: Path) -> None:
        """Write the map beside the state of the localizer."""
        with self._lock:
            if self._mapper is not None:
                self._mapper.save(folder)

    def adopt(self, folder: Path, epoch: int) -> None:
        """Take over what `save` wrote, as the map of this epoch.

        Raises:
            InputError: nothing was saved there, with other settings, or it is damaged.
        """
        with self._lock:
            if self._mapper is not None:
                self._mapper.load(folder, epoch)
                self._is_due = True

    def status(self) -> list[Report]:
        """Size, what waits, and how long a scan takes."""
        with self._lock:
            mapper, mailbox = self._mapper, self._mailbox
            if mapper is None or mailbox is None:
                return []
            values = {
                'scans': mapper.scans,
                'epoch': mapper.epoch,
                'dropped': mailbox.dropped,
                'latency_p50_ms': 1e3 * self._latency.p50,
                'latency_p95_ms': 1e3 * self._latency.p95,
                'memory_mb': mapper.map.nbytes / 1e6,
                'points_outside_max_area': mapper.map.ignored,
            }
            waiting = mapper.map.waiting and mapper.map.floor_height is None
        if self._worker.last_error:
            return [Report('map', Level.ERROR, self._worker.last_error, values)]
        if waiting:
            return [Report('map', Level.WARN, 'no floor in sight yet', values)]
        return [Report('map', values=values)]

    def _integrate(self, item: tuple[int, Scan]) -> None:
        stamp_ns, scan = item
        begun = perf_counter()
        with self._lock:
            if self._mapper is None:
                return
            begins_anew = self._mapper.epoch not in (None, scan.epoch)
            if self._mapper.step(scan):
                self._is_due, self._stamp_ns = True, stamp_ns
        self._latency.add(perf_counter() - begun)
        if begins_anew:
            self._publish()

    def _publish(self) -> None:
        """Publish the grid if it has changed.

        Before anything is mapped that is one block of unknown cells, since a grid without cells
        would make a costmap without cells.
        """
        with self._lock:
            if self._mapper is None or not self._is_due:
                return
            grid, self._is_due = self._mapper.grid(), False
        if not grid.data.size:
            block = np.full((self._config.block, self._config.block), -1, np.int8)
            grid = OccupancyGrid(grid.stamp, block, grid.resolution, (0.0, 0.0))
        frame = self.settings['map_frame']
        self._publisher.publish(messages().occupancy_grid(self._stamp_ns, frame, grid))

    def _save_map(self, request: Any, response: Any) -> Any:
        """nav2_msgs/SaveMap: of our own map, as a trinary pgm with Nav2's thresholds."""
        grid = self.grid()
        try:
            if request.image_format not in ('', 'pgm') or request.map_mode not in ('', 'trinary'):
                raise InputError(
                    f'image_format {request.image_format!r}, map_mode {request.map_mode!r}: '
                    'allowed are pgm and trinary; map_saver_cli writes others'
                )
            if grid is None:
                raise InputError('the node is not active: there is no map')
            yaml, _ = save_map(grid, _path_of(request.map_url))
        except (InputError, OSError) as error:
            self.get_logger().error(f'save_map: {error}')
            response.result = False
        else:
            self.get_logger().info(f'save_map: wrote {yaml}')
            response.result = True
        return response


def _path_of(url: str) -> Path:
    """The path without suffix that a `map_url` names."""
    parts = urlsplit(url)
    if not parts.path or parts.scheme not in ('', 'file'):
        raise InputError(f'map_url is {url!r}; give a path, as in file:///home/me/map')
    path = Path(unquote(parts.path)).expanduser()
    return path.with_suffix('') if path.suffix in ('.yaml', '.pgm') else path


def nodes() -> list[BevMapper]:
    """What the executable runs."""
    return [BevMapper()]
