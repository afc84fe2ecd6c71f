# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a run remembers of each frame, for its trajectory, summary and report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.localizer import Step
from loc3r_ros.tracking.covariance import sigma
from loc3r_ros.types import TrackingState

THUMBNAILS = 48
"""Pictures kept; when there are more, every second one goes, so that they stay evenly spread."""

THUMBNAIL_WIDTH = 240

STATES = tuple(TrackingState)


@dataclass
class RunLog:
    """One row a frame; about 250 bytes each, and the pictures."""

    stamps_ns: list[int] = field(default_factory=list)
    T_map_camera: list[NDArray[np.float64]] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    inliers: list[int] = field(default_factory=list)
    sigma: list[float] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    keyframe: list[bool] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    latency_ms: dict[str, list[float]] = field(default_factory=dict)
    thumbnails: list[tuple[int, NDArray[np.uint8]]] = field(default_factory=list)
    thumbnail_every: int = 1

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def add(self, stamp_ns: int, step: Step) -> None:
        """Remember a step."""
        pose = step.pose
        if len(self) % self.thumbnail_every == 0:
            self._add_thumbnail(step.frame.rgb)
        self.stamps_ns.append(stamp_ns)
        self.T_map_camera.append(pose.T_map_camera)
        self.states.append(STATES.index(pose.state))
        self.inliers.append(pose.inliers)
        self.sigma.append(sigma(pose.covariance)[0])
        seen = step.observation
        known = seen is not None and seen.confidence_camera is not None
        self.confidence.append(float(seen.confidence_camera.mean()) if known else np.nan)  # type: ignore[union-attr]
        self.keyframe.append(pose.keyframe is not None)
        self.epochs.append(step.epoch)
        for stage, ms in step.latency_ms.items():
            self.latency_ms.setdefault(stage, [np.nan] * (len(self) - 1)).append(ms)
        for stage in self.latency_ms.keys() - step.latency_ms.keys():
            self.latency_ms[stage].append(np.nan)

    def state_of(self, index: int) -> TrackingState:
        """The tracking state of a frame."""
        return STATES[self.states[index]]

    def trusted(self, epoch: int) -> NDArray[np.int64]:
        """Frames of an epoch with a measured or predicted pose: TRACKING and DEGRADED."""
        good = [STATES.index(TrackingState.TRACKING), STATES.index(TrackingState.DEGRADED)]
        return np.flatnonzero((np.array(self.epochs) == epoch) & np.isin(self.states, good))

    def poses(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """T_map_camera (n, 4, 4) of some frames."""
        return np.array([self.T_map_camera[i] for i in frames]).reshape(-1, 4, 4)

    def save(self, path: Path) -> None:
        """Write everything to an .npz file."""
        arrays: dict[str, Any] = {name: np.array(getattr(self, name)) for name in _COLUMNS}
        arrays |= {f'latency/{k}': np.array(v) for k, v in self.latency_ms.items()}
        arrays |= {f'thumbnail/{i}': rgb for i, rgb in self.thumbnails}
        np.savez(path, every=np.array(self.thumbnail_every), **arrays)

    @staticmethod
    def load(path: Path) -> RunLog:
        """Read what `save` wrote."""
        log = RunLog()
        with np.load(path, allow_pickle=False) as arrays:
            for name in _COLUMNS:
                values = arrays[name]
                setattr(log, name, list(values) if values.ndim > 1 else values.tolist())
            for key in arrays.files:
                kind, _, rest = key.partition('/')
                if kind == 'latency':
                    log.latency_ms[rest] = arrays[key].tolist()
                elif kind == 'thumbnail':
                    log.thumbnails.append((int(rest), arrays[key]))
            log.thumbnail_every = int(arrays['every'])
        return log

    def _add_thumbnail(self, rgb: NDArray[np.uint8]) -> None:
        height = max(1, round(rgb.shape[0] * THUMBNAIL_WIDTH / rgb.shape[1]))
        small = cv2.resize(rgb, (THUMBNAIL_WIDTH, height), interpolation=cv2.INTER_AREA)
        self.thumbnails.append((len(self), small.astype(np.uint8)))
        if len(self.thumbnails) > THUMBNAILS:
            self.thumbnails = self.thumbnails[::2]
            self.thumbnail_every *= 2


_COLUMNS = (
    'stamps_ns',
    'T_map_camera',
    'states',
    'inliers',
    'sigma',
    'confidence',
    'keyframe',
    'epochs',
)
