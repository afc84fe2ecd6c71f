# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a run tells the report: plain arrays, and the content of `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.answers.grading import Grade
from loc3r_ros.answers.reply import Reply
from loc3r_ros.errors import InputError
from loc3r_ros.types import OccupancyGrid, TrackingState

Array = NDArray[np.float64]


class Percentiles(TypedDict):
    """Median and 95th percentile of one stage's latency, ms."""

    p50: float
    p95: float


class Summary(TypedDict, total=False):
    """The figures of a run, as `summary.json` holds them. A figure that is not known is left out.

    Keys that are not listed here are shown under "Details" as they are.

    Keys:
        frames: images read. tracked: those with a trusted pose. keyframes: those kept.
        path_length_m, duration_s: of the tracked trajectory; of the recording.
        latency_ms: per stage. peak_memory_mib: resident set of the process.
        ate_rmse_m: after SE(3) alignment. rotation_error_mean_deg: after the same alignment.
        rpe_rmse_m, rpe_rmse_deg: over `rpe_delta`, in words (`1 frame`, `1 m`).
        weights: name of the encoder's weights, or `none`.
        versions: of the software that computed this.
    """

    frames: int
    tracked: int
    keyframes: int
    path_length_m: float
    duration_s: float
    latency_ms: dict[str, Percentiles]
    peak_memory_mib: float
    ate_rmse_m: float
    rotation_error_mean_deg: float
    rpe_rmse_m: float
    rpe_rmse_deg: float
    rpe_delta: str
    weights: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Event:
    """Something that happened at a frame.

    Attributes:
        index: frame, from 0.
        kind: `reset` is the start of a new epoch of the encoder's state.
        text: more about it, in plain words.
    """

    index: int
    kind: Literal['keyframe', 'lost', 'recovered', 'reset']
    text: str = ''


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """What the camera saw at a frame: (h, w, 3) uint8, of any size; the report scales it down."""

    index: int
    rgb: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ReportData:
    """A run, as far as it came: n frames, n >= 0. A value that is not known is NaN.

    Attributes:
        title: heading of the page.
        source: what was read, label to text, e.g. bag, image topic, depth topic.
        summary: the figures of the run.
        stamps: (n,) s.
        T_map_camera: (n, 4, 4), optical frame in `map`; while LOST, the last trusted pose.
        states: n tracking states.
        inliers: (n,) feature matches that agree with the pose.
        sigma: (n,) m, standard deviation of the position.
        latencies: stage name to (n,) ms; the stages run one after the other, so no sums here.
        confidence: (n,) mean confidence of the encoder's points, where an encoder ran.
        truth: (n, 3) m, true camera positions, aligned to `map`.
        error: (n,) m, distance of each position from `truth`.
        grid: the map, where there is one.
        thumbnails: along the trajectory.
        events: in the order of their frames.
        problems: what went wrong or was missing, and what was done about it, in plain words.
        notes: anything else worth knowing.
        failure: why the run stopped before its end.
        replies: to what was asked at its end.
        grades: of each reply, where any is graded; None where it is not known what is true.

    Raises:
        InputError: if an array does not have one value for each frame.
    """

    title: str
    source: Mapping[str, str]
    summary: Summary
    stamps: Array
    T_map_camera: Array
    states: tuple[TrackingState, ...]
    inliers: NDArray
    sigma: Array
    latencies: Mapping[str, Array] = field(default_factory=dict)
    confidence: Array | None = None
    truth: Array | None = None
    error: Array | None = None
    grid: OccupancyGrid | None = None
    thumbnails: tuple[Thumbnail, ...] = ()
    events: tuple[Event, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failure: str | None = None
    replies: tuple[Reply, ...] = ()
    grades: tuple[Grade | None, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.stamps)
        shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
            'stamps': (self.stamps.shape, (n,)),
            'T_map_camera': (self.T_map_camera.shape, (n, 4, 4)),
            'states': ((len(self.states),), (n,)),
            'inliers': (self.inliers.shape, (n,)),
            'sigma': (self.sigma.shape, (n,)),
        }
        shapes |= {f'latencies[{k!r}]': (v.shape, (n,)) for k, v in self.latencies.items()}
        for name, array, shape in (
            ('confidence', self.confidence, (n,)),
            ('truth', self.truth, (n, 3)),
            ('error', self.error, (n,)),
        ):
            if array is not None:
                shapes[name] = (array.shape, shape)
        for name, (given, wanted) in shapes.items():
            if given != wanted:
                raise InputError(f'report: {name} has shape {given}; {n} frames need {wanted}')
        for what, indices in (
            ('thumbnail', [t.index for t in self.thumbnails]),
            ('event', [e.index for e in self.events]),
        ):
            for index in indices:
                if not 0 <= index < n:
                    raise InputError(f'report: {what} at frame {index}, but there are {n} frames')

    @property
    def elapsed(self) -> Array:
        """(n,) s since the earliest stamp."""
        finite = self.stamps[np.isfinite(self.stamps)]
        return self.stamps - (finite.min() if finite.size else 0.0)

    @property
    def positions(self) -> Array:
        """(n, 3) m, camera positions in `map`."""
        return self.T_map_camera[:, :3, 3]

    @property
    def headings(self) -> Array:
        """(n, 2) viewing direction on the ground; it shortens as the camera looks up or down."""
        return self.T_map_camera[:, :2, 2]
