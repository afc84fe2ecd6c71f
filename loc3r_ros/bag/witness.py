# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Who has seen a recording, and can be asked about it: what `spatial_vlm` is to a robot."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from loc3r_ros.answers.answering import Answering
from loc3r_ros.answers.goals import ROBOT_RADIUS_M, SNAP_RADIUS_M, Goals, NoCostmap
from loc3r_ros.answers.requests import Turns
from loc3r_ros.answers.scene import Scene
from loc3r_ros.bag.closing import Closing
from loc3r_ros.bag.keyframes import Keyframes
from loc3r_ros.bag.recording import Recording
from loc3r_ros.localizer import Step
from loc3r_ros.types import OccupancyGrid, TrackedPose, TrackingState, View
from loc3r_ros.vlm.engine import SpatialEngine

logger = logging.getLogger(__name__)

MakeEngine = Callable[
    [Callable[[], TrackedPose | None], Callable[[], OccupancyGrid | None]], SpatialEngine
]
"""Makes an engine that looks at the newest pose and at the map."""


class Witness(Closing):
    """Sees each image once, remembers what its engine remembers of keyframes, and answers.

    Args:
        make_engine: see there.

    Attributes:
        answering: answers, about what was seen up to now.
    """

    def __init__(self, make_engine: MakeEngine) -> None:
        self._scene = Scene()
        self._engine = make_engine(lambda: self._scene.pose, lambda: self._scene.grid)
        settings = {'robot_radius_m': ROBOT_RADIUS_M, 'goal_snap_radius_m': SNAP_RADIUS_M}
        goals = Goals(self._scene, NoCostmap(), settings)
        self.answering = Answering(self._engine, Turns(lambda: 0), self._scene, goals)
        self._failures: dict[str, int] = {}

    @property
    def engine(self) -> str:
        """Name of what answers."""
        return self._engine.identity

    @property
    def grid(self) -> OccupancyGrid | None:
        """The map that goals must be free in; None before the first."""
        return self._scene.grid

    @property
    def problems(self) -> list[str]:
        """Keyframes that the engine did not take in, and why."""
        return [f'{why}: {count} keyframes' for why, count in self._failures.items()]

    def see(self, stamp_ns: int, step: Step) -> None:
        """Take in one image; a keyframe reaches the engine."""
        self._scene.see(stamp_ns, step.epoch, step.pose)
        if step.pose.keyframe is not None:
            self._observe(step.view)

    def recall(self, keyframes: Keyframes, recording: Recording) -> None:
        """See again what an earlier run saw of the same recording.

        Raises:
            InputError: the recording has changed.
        """
        if keyframes.last is None:
            return
        logger.info('the keyframes of before are read again: %d', len(keyframes))
        unknown = np.full((6, 6), np.nan)
        for number, (stamp_ns, view) in enumerate(keyframes.views(recording)):
            tracked = TrackingState.TRACKING
            pose = TrackedPose(view.stamp, view.T_map_camera, unknown, tracked, number)
            self._scene.see(stamp_ns, keyframes.epoch, pose)
            self._observe(view)
        stamp_ns, newest = keyframes.last
        self._scene.see(stamp_ns, keyframes.epoch, newest)

    def close(self) -> None:
        """Free the engine; nothing is asked any more."""
        self._engine.close()

    def know(self, stamp_ns: int, grid: OccupancyGrid) -> None:
        """Take in the map as it is at the end of what was seen, whose stamp (ns) is given.

        From then on the same questions get the same answers.
        """
        self._scene.map(stamp_ns, grid)
        self._engine.wait()

    def _observe(self, view: View) -> None:
        """One keyframe less is no reason to stop a run."""
        try:
            self.answering.observe(view)
        except Exception as error:
            logger.debug('keyframe at %.3f s', view.stamp, exc_info=True)
            why = f'{self.engine} did not take in ({type(error).__name__}: {error})'
            self._failures[why] = self._failures.get(why, 0) + 1
