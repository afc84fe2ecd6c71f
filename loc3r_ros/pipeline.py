# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The stages in one object: encoder, tracker and map, with their timing.

The offline runner and the benchmarks feed it frames. The ROS nodes run the same two halves, the
`Localizer` and the `Mapper`, each in a thread of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loc3r_ros.geometry import Array
from loc3r_ros.localizer import Localizer, Step, timed
from loc3r_ros.mapping import BevConfig
from loc3r_ros.mapping.mapper import Mapper
from loc3r_ros.tracking import TrackerConfig
from loc3r_ros.types import Frame, OccupancyGrid

if TYPE_CHECKING:
    from loc3r_ros.cut3r.encoder import PoseEncoder


class Pipeline:
    """Tracks a camera and maps what it sees.

    Args:
        encoder: with trained weights; without one, tracking needs depth.
        T_base_camera: (4, 4) mount of the camera on the robot; see `Localizer`.
        tracker: settings of the tracker.
        bev: settings of the map.

    Raises:
        InputError: the encoder's weights are untrained; its poses would be noise.
    """

    def __init__(
        self,
        *,
        encoder: PoseEncoder | None = None,
        T_base_camera: Array | None = None,
        tracker: TrackerConfig | None = None,
        bev: BevConfig | None = None,
    ) -> None:
        self.localizer = Localizer(
            encoder=encoder,
            T_base_camera=T_base_camera,
            tracker=tracker,
        )
        self.mapper = Mapper(bev)

    def step(self, frame: Frame) -> Step | None:
        """Take in one frame; see `Localizer.step`."""
        step = self.localizer.step(frame)
        if step is not None:
            with timed(step.latency_ms, 'mapping'):
                self.mapper.step(step.scan)
        return step

    def grid(self) -> OccupancyGrid:
        """The map as it is now, with the stamp of the last frame."""
        return self.mapper.grid()

    def reset(self) -> None:
        """Begin a new epoch: no map, no keyframes, no encoder state."""
        self.localizer.reset()
        self.mapper.clear()

    def save(self, folder: Path) -> None:
        """Write everything that later frames depend on; `load` goes on with the same numbers."""
        self.localizer.save(folder)
        self.mapper.save(folder)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, with the same settings.

        Raises:
            InputError: nothing was saved there, with other settings, or it is damaged.
        """
        self.localizer.load(folder)
        self.mapper.load(folder)
