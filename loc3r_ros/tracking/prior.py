# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the encoder contributes to tracking: a motion prior, and whether it has earned trust.

CUT3R sees motion where there is no depth and where features fail, but its length unit is an
estimate and it drifts. So its lengths are scaled by depth where there is any, and its motions are
compared with measured ones all the time: only a prior that has agreed lately is used.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from loc3r_ros.geometry import Array, invert, rotation_angle
from loc3r_ros.types import Frame, Observation

WINDOW = 15
"""Frames over which scale and trust are judged: about a second."""

MIN_JUDGED = 5
STEP = 8
"""Every n-th pixel of the point map takes part in the scale."""

MIN_CONFIDENCE = 1.5
"""CUT3R's own threshold for points worth showing (reference section 9)."""


class EncoderPrior:
    """The encoder's motion since the last frame, in metres, with a record of its honesty."""

    def __init__(self) -> None:
        self.scale = 1.0
        self.scale_source = 'none'
        self.motion: Array | None = None
        self._last: Observation | None = None
        self._log_scales: deque[float] = deque(maxlen=WINDOW)
        self._errors: deque[float] = deque(maxlen=WINDOW)

    @property
    def trusted(self) -> bool:
        """Whether its motions have agreed with the measured ones."""
        return len(self._errors) >= MIN_JUDGED and float(np.median(self._errors)) < 1.0

    def observe(self, observation: Observation | None, frame: Frame) -> None:
        """Take in what the encoder says of a frame; None says that it saw nothing."""
        self.motion = None
        if observation is None:
            self._last = None
            return
        if self.scale_source == 'none':
            self.scale_source = 'metric_model'
        ratio = depth_ratio(observation, frame)
        if ratio is not None:
            self._log_scales.append(float(np.log(ratio)))
            self.scale = float(np.exp(np.median(self._log_scales)))
            self.scale_source = 'depth'
        last = self._last
        if last is not None and last.epoch == observation.epoch:
            self.motion = invert(last.T_world_camera) @ observation.T_world_camera
            self.motion[:3, 3] *= self.scale
        self._last = observation

    def judge(self, measured: Array) -> None:
        """Compare the motion with the measured T_previous_now of the same frames.

        An error of 1 is a quarter of the motion plus 2 cm and 1 degree.
        """
        if self.motion is None:
            return
        shift = float(np.linalg.norm(self.motion[:3, 3] - measured[:3, 3]))
        turn = rotation_angle(self.motion[:3, :3].T @ measured[:3, :3])
        length = float(np.linalg.norm(measured[:3, 3]))
        angle = rotation_angle(measured[:3, :3])
        self._errors.append(
            max(shift / (0.02 + 0.25 * length), turn / (np.radians(1.0) + 0.25 * angle))
        )

    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for `load_state_dict`; the last pose among it."""
        last = self._last
        return {
            'scale': np.array(self.scale),
            'source': np.array(self.scale_source),
            'log_scales': np.array(self._log_scales),
            'errors': np.array(self._errors),
            'last': np.zeros((0, 4, 4)) if last is None else last.T_world_camera[None],
            'epoch': np.array(-1 if last is None else last.epoch),
        }

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Become the prior that `state_dict` wrote."""
        self.__init__()  # type: ignore[misc]
        self.scale, self.scale_source = float(state['scale']), str(state['source'])
        self._log_scales.extend(state['log_scales'].tolist())
        self._errors.extend(state['errors'].tolist())
        if len(state['last']):
            empty = np.zeros((0,), np.float32)
            self._last = Observation(0.0, int(state['epoch']), 0, empty, empty, state['last'][0])


def depth_ratio(observation: Observation, frame: Frame) -> float | None:
    """Median of measured depth over the encoder's, or None where too few pixels have both."""
    points, camera = observation.points_camera, observation.camera
    if points is None or camera is None or frame.camera is None or frame.depth is None:
        return None
    rays = camera.rays[::STEP, ::STEP].reshape(-1, 2)
    z = points[::STEP, ::STEP, 2].reshape(-1)
    sure = np.ones(len(z), bool)
    if observation.confidence_camera is not None:
        sure = observation.confidence_camera[::STEP, ::STEP].reshape(-1) > MIN_CONFIDENCE
    pixels = frame.camera.project(np.column_stack([rays, np.ones(len(rays))]))
    u, v = np.round(pixels).astype(int).T
    height, width = frame.depth.shape
    inside = sure & (z > 0.05) & (u >= 0) & (v >= 0) & (u < width) & (v < height)
    measured = frame.depth[v[inside], u[inside]]
    known = np.isfinite(measured)
    if np.count_nonzero(known) < 50:
        return None
    return float(np.median(measured[known] / z[inside][known]))
