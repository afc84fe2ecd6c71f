# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Encoder and tracker in one object: a frame in, a pose and the points it saw out.

It never reads a clock but to time itself, so that a replayed bag gives the same numbers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import T_BODY_OPTICAL, Array, transform
from loc3r_ros.mapping.level import find_level
from loc3r_ros.tracking import Tracker, TrackerConfig
from loc3r_ros.tracking.prior import MIN_CONFIDENCE
from loc3r_ros.types import Frame, Observation, Scan, TrackedPose, View

if TYPE_CHECKING:  # a robot with depth needs neither weights nor torch
    from loc3r_ros.cut3r.encoder import PoseEncoder

logger = logging.getLogger(__name__)

LOOPED_S = 1.0
"""Stamps that fall back by more start a new epoch; frames out of order by less are late."""

MAP_WIDTH = 320
"""Columns of the depth image that are mapped; at 4 m that is still four points a cell."""


@dataclass(frozen=True, eq=False)
class Step:
    """What is known of one frame.

    Attributes:
        frame: the frame.
        pose: where the camera is.
        epoch: id of the map's life; it rises when time runs backwards or on `reset`.
        index: number of the frame in its epoch, from 0.
        floor_height: z of the floor in `map` where the epoch began, m; None where it is not known.
        observation: what the encoder says, where there is one with trained weights.
        points_camera: (N, 3) float32, m, optical frame: the points of this frame to be mapped.
        latency_ms: stage to time.
    """

    frame: Frame
    pose: TrackedPose
    epoch: int
    index: int
    floor_height: float | None
    observation: Observation | None
    points_camera: NDArray[np.float32]
    latency_ms: dict[str, float]
    _pixels: NDArray[np.bool_] = field(repr=False)
    _stride: int = field(repr=False)

    @cached_property
    def points(self) -> NDArray[np.float32]:
        """(N, 3) m in `map`; right only as far as the pose is."""
        return transform(self.pose.T_map_camera, self.points_camera)

    @cached_property
    def colors(self) -> NDArray[np.uint8]:
        """(N, 3) RGB of the points."""
        k = self._stride
        return self.frame.rgb[::k, ::k][self._pixels]

    @property
    def scan(self) -> Scan:
        """What a map takes of it."""
        pose = self.pose
        return Scan(
            pose.stamp,
            self.epoch,
            pose.T_map_camera,
            self.points_camera,
            pose.state,
            self.floor_height,
        )

    @property
    def view(self) -> View:
        """What a language model takes of it."""
        frame, seen = self.frame, self.observation
        token = None if seen is None else seen.camera_token
        return View(frame.stamp, self.epoch, frame.rgb, self.pose.T_map_camera, frame.camera, token)


class Localizer:
    """Tracks a camera.

    Args:
        encoder: with trained weights; without one, tracking needs depth.
        T_base_camera: (4, 4) mount of the camera on the robot, from its static TF. Without it the
            first depth image tells which way is up, and failing that the camera is taken as level.
        tracker: settings of the tracker.

    Attributes:
        encoder: as given.
        epoch: id of the map's life.
        late_frames: frames left out because they came after later ones.

    Raises:
        InputError: the encoder's weights are untrained; its poses would be noise.
    """

    def __init__(
        self,
        *,
        encoder: PoseEncoder | None = None,
        T_base_camera: Array | None = None,
        tracker: TrackerConfig | None = None,
    ) -> None:
        if encoder is not None and not encoder.trained:
            raise InputError(
                'the encoder has no trained weights; load a checkpoint with PoseEncoder.load, '
                'or run without an encoder on a camera with depth'
            )
        self.encoder = encoder
        self.tracker = Tracker(tracker)
        self.epoch = 0
        self.late_frames = 0
        self._T_base_camera = T_base_camera
        self._begin()

    def reset(self) -> None:
        """Begin a new epoch: no keyframes, no encoder state."""
        self.epoch += 1
        if self.encoder is not None:
            self.encoder.reset()
        self._begin()

    def _begin(self) -> None:
        self.last_stamp: float | None = None
        self._placed = False
        self._index = 0
        self._floor_height: float | None = None
        self.tracker.reset()

    def step(self, frame: Frame) -> Step | None:
        """Take in one frame.

        Returns:
            None for a frame that comes after a later one; a large jump back in time, as of a bag
            that loops, begins a new epoch instead.

        Raises:
            InputError: depth or intrinsics are of another size than the image.
        """
        _check_sizes(frame)
        if self.last_stamp is not None and frame.stamp <= self.last_stamp:
            if self.last_stamp - frame.stamp < LOOPED_S:
                self.late_frames += 1
                return None
            logger.warning(
                'time ran backwards by %.1f s: starting anew', self.last_stamp - frame.stamp
            )
            self.reset()
        self.last_stamp = frame.stamp
        latency: dict[str, float] = {}
        observation = None
        if self.encoder is not None:
            with timed(latency, 'encoder'):
                observation = self.encoder.observe(frame)
        with timed(latency, 'cloud'):
            points, pixels, stride = mapped_points(frame)
            if not len(points) and observation is not None:
                points = encoder_points(observation, self.tracker.prior.scale)
                pixels = np.zeros(frame.rgb[::stride, ::stride].shape[:2], bool)
        if not self._placed and (len(points) or observation is not None):
            self._place(frame)
        with timed(latency, 'tracking'):
            pose = self.tracker.step(frame, observation)
        index, self._index = self._index, self._index + 1
        return Step(
            frame,
            pose,
            self.epoch,
            index,
            self._floor_height,
            observation,
            points,
            latency,
            pixels,
            stride,
        )

    def _place(self, frame: Frame) -> None:
        """Decide how the first camera stands in `map`."""
        self._placed = True
        self._floor_height = 0.0
        if self._T_base_camera is not None:
            self.tracker.reset(self._T_base_camera)
            return
        level = None
        if frame.depth is not None and frame.camera is not None:
            level = find_level(frame.camera.backproject(frame.depth))
        if level is None:
            logger.warning(
                'no TF of the camera, and its first image does not tell which way is up: it is '
                'taken as level. Publish a static TF from base_link to the camera'
            )
            self._floor_height = None
            self.tracker.reset(T_BODY_OPTICAL)
            return
        self._floor_height = 0.0 if level.floor_seen else None
        logger.info(
            'no TF of the camera: up is taken from its first depth image (confidence %.2f, floor '
            '%s)',
            level.confidence,
            'seen' if level.floor_seen else 'not seen',
        )
        self.tracker.reset(level.T_level_camera)

    def save(self, folder: Path) -> None:
        """Write everything that later frames depend on.

        Raises:
            InputError: the encoder's state cannot be written.
            OSError: the rest cannot.
        """
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / 'tracker.npz', **self.tracker.state_dict())  # type: ignore[arg-type]
        if self.encoder is not None:
            self.encoder.save_state(folder / 'encoder.safetensors')
        about = {
            'settings': self._settings(),
            'epoch': self.epoch,
            'late_frames': self.late_frames,
            'last_stamp': self.last_stamp,
            'placed': self._placed,
            'index': self._index,
            'floor_height': self._floor_height,
        }
        (folder / 'localizer.json').write_text(json.dumps(about, indent=1))

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, with the same numbers. On an error nothing changes.

        Raises:
            InputError: nothing was saved there, with other settings, or it is damaged.
        """
        about, tracks = self._read(folder)
        if self.encoder is not None:
            self.encoder.load_state(folder / 'encoder.safetensors')
        self.tracker.load_state_dict(tracks)
        self.epoch, self.late_frames = about['epoch'], about['late_frames']
        self.last_stamp, self._placed = about['last_stamp'], about['placed']
        self._index, self._floor_height = about['index'], about['floor_height']

    def adopt(self, folder: Path) -> None:
        """Take over the keyframes of an earlier session, in a new epoch, at a pose yet unknown.

        The camera is LOST until it recognises a known place; an encoder begins anew.

        Raises:
            InputError: nothing was saved there, with other settings, or it is damaged.
        """
        about, tracks = self._read(folder)
        if not about['placed']:
            raise InputError(f'{folder}: holds no keyframes; it was saved before the first image')
        self.reset()
        self.epoch = max(self.epoch, about['epoch'] + 1)
        self.tracker.load_state_dict(tracks)
        self.tracker.interrupt()
        self._placed, self._floor_height = True, about['floor_height']

    def _settings(self) -> dict[str, Any]:
        encoder = self.encoder.fingerprint if self.encoder else None
        return {'encoder': encoder, 'tracker': asdict(self.tracker.config)}

    def _read(self, folder: Path) -> tuple[dict[str, Any], dict[str, NDArray]]:
        try:
            about = json.loads((folder / 'localizer.json').read_text())
            if about['settings'] != self._settings():
                raise InputError(
                    f'{folder}: saved with {about["settings"]}, which cannot go on with '
                    f'{self._settings()}; use the same weights and settings'
                )
            with np.load(folder / 'tracker.npz', allow_pickle=False) as state:
                return about, dict(state)
        except FileNotFoundError as error:
            raise InputError(f'{folder}: no saved state there ({error})') from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f'{folder}: the saved state is damaged ({error!r})') from error


def _check_sizes(frame: Frame) -> None:
    """What belongs to other pixels than the image's would give wrong numbers without a word."""
    height, width = frame.rgb.shape[:2]
    depth, camera = frame.depth, frame.camera
    sizes = {
        'depth': None if depth is None else depth.shape[::-1],
        'camera': None if camera is None else (camera.width, camera.height),
    }
    for name, size in sizes.items():
        if size is not None and size != (width, height):
            raise InputError(
                f'{name} is of {size[0]}x{size[1]} but the image of {width}x{height}: register '
                'the depth to the image, and give the intrinsics of the image as it is'
            )


def mapped_points(frame: Frame) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """The depth of a frame as points (N, 3) in its optical frame, about 320 columns of it.

    Returns:
        Points, which pixels (h, w) of the reduced image they are, and the stride of the reduction.
    """
    stride = max(1, round(frame.rgb.shape[1] / MAP_WIDTH))
    if frame.depth is None or frame.camera is None:
        empty = np.zeros(frame.rgb[::stride, ::stride].shape[:2], bool)
        return np.zeros((0, 3), np.float32), empty, stride
    z = frame.depth[::stride, ::stride]
    pixels = np.isfinite(z)
    z = z[pixels]
    points = np.column_stack([frame.camera.rays[::stride, ::stride][pixels] * z[:, None], z])
    return points, pixels, stride


def encoder_points(observation: Observation, scale: float) -> NDArray[np.float32]:
    """The confident points of an observation (N, 3), m, in its optical frame."""
    points, confidence = observation.points_camera, observation.confidence_camera
    if points is None or confidence is None:
        return np.zeros((0, 3), np.float32)
    return points[confidence > MIN_CONFIDENCE] * np.float32(scale)


@contextmanager
def timed(latency_ms: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long a stage takes, ms."""
    start = perf_counter()
    yield
    latency_ms[stage] = (perf_counter() - start) * 1e3
