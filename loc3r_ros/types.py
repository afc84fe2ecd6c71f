# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The values that travel between the stages: plain arrays with their units and frames."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera


@dataclass(frozen=True, eq=False)
class Frame:
    """One camera image, with what is known about it.

    Attributes:
        stamp: time of exposure, s.
        rgb: (H, W, 3) uint8.
        camera: intrinsics of `rgb`, or None when nothing is known of them.
        depth: (H, W) float32, m along the optical z axis, aligned to `rgb`; NaN = no measurement.
    """

    stamp: float
    rgb: NDArray[np.uint8]
    camera: PinholeCamera | None = None
    depth: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """What the CUT3R encoder says of one frame.

    The world frame is the camera frame of the first image of the epoch (CUT3R section 3). Lengths
    are in the network's own metric estimate, before any correction from depth. The fields of the
    point heads are None in camera-only mode. h x w is the network's input size.

    Attributes:
        stamp: stamp of the frame, s.
        epoch: id of the state's life; it rises with every reset.
        index: number of the frame in its epoch, from 0.
        camera_token: (D,) float32.
        geometry_tokens: (N, D) float32, row-major over the patches.
        T_world_camera: (4, 4) float64.
        camera: intrinsics after resize and crop, when the frame had any.
        focal: focal estimate from the point map, pixels of the h x w image.
        points_camera: (h, w, 3) float32 in the camera's optical frame, m.
        points_world: (h, w, 3) float32 in the world frame, m.
        confidence_camera, confidence_world: (h, w) float32, >= 1.
        rgb: (h, w, 3) float32 colour reconstruction in (-1, 1).
    """

    stamp: float
    epoch: int
    index: int
    camera_token: NDArray[np.float32]
    geometry_tokens: NDArray[np.float32]
    T_world_camera: NDArray[np.float64]
    camera: PinholeCamera | None = None
    focal: float | None = None
    points_camera: NDArray[np.float32] | None = None
    points_world: NDArray[np.float32] | None = None
    confidence_camera: NDArray[np.float32] | None = None
    confidence_world: NDArray[np.float32] | None = None
    rgb: NDArray[np.float32] | None = None


class TrackingState(Enum):
    """How far a pose can be trusted."""

    INITIALISING = 'initialising'
    TRACKING = 'tracking'
    DEGRADED = 'degraded'
    LOST = 'lost'


@dataclass(frozen=True, eq=False)
class TrackedPose:
    """Where the camera is.

    Attributes:
        stamp: stamp of the frame, s.
        T_map_camera: (4, 4) float64, optical frame in `map`; while LOST, the last trusted pose.
        covariance: (6, 6) float64 of (x, y, z, rotation about x, y, z), m and rad, about the
            camera's origin along the axes of `map`, as in geometry_msgs/PoseWithCovariance.
        state: how far the pose can be trusted.
        keyframe: id of the keyframe made of this frame, or None. Where nothing but the encoder
            tracks, a frame from elsewhere than the last is one too: a view for a language model.
        inliers: feature matches that agree with the pose.
        scale: metres per unit of the encoder's length.
        scale_source: `depth`, `metric_model`, or `none` where no encoder runs.
    """

    stamp: float
    T_map_camera: NDArray[np.float64]
    covariance: NDArray[np.float64]
    state: TrackingState
    keyframe: int | None = None
    inliers: int = 0
    scale: float = 1.0
    scale_source: str = 'none'


@dataclass(frozen=True, eq=False)
class Scan:
    """One posed cloud: what a map takes.

    Attributes:
        stamp: stamp of the frame, s.
        epoch: id of the map's life; a scan of another epoch belongs to another map.
        T_map_camera: (4, 4) float64, optical frame in `map`.
        points_camera: (N, 3) float32, m, optical frame.
        state: how far the pose can be trusted.
        floor_height: z of the floor in `map` where the epoch began, m; None where it is not known.
    """

    stamp: float
    epoch: int
    T_map_camera: NDArray[np.float64]
    points_camera: NDArray[np.float32]
    state: TrackingState
    floor_height: float | None = 0.0


@dataclass(frozen=True, eq=False)
class View:
    """One posed image: what a spatial language model takes.

    Attributes:
        stamp: stamp of the frame, s.
        epoch: id of the map's life.
        rgb: (H, W, 3) uint8.
        T_map_camera: (4, 4) float64, optical frame in `map`.
        camera: intrinsics of `rgb`, where they are known.
        camera_token: (D,) float32 of the CUT3R decoder, or None where no encoder runs.
    """

    stamp: float
    epoch: int
    rgb: NDArray[np.uint8]
    T_map_camera: NDArray[np.float64]
    camera: PinholeCamera | None = None
    camera_token: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class AgentPose:
    """Where an agent stands that was described in words.

    Attributes:
        found: whether it could be told; if not, `reason` says why and the rest means nothing.
        T_map_agent: (4, 4) float64, x forward, y left, z up.
        covariance: (6, 6) float64 as in `TrackedPose`; large on what is not known.
        confidence: 0 to 1; NaN = not told.
        reason: why there is no pose.
    """

    found: bool
    T_map_agent: NDArray[np.float64]
    covariance: NDArray[np.float64]
    confidence: float = float('nan')
    reason: str = ''


@dataclass(frozen=True, eq=False)
class Target:
    """Where a described thing is.

    Attributes:
        found: whether it could be told; if not, `reason` says why and the rest means nothing.
        position: (3,) float64, m in `map`; its centre.
        label: what it is.
        size: (3,) float64, extent along the axes of `map`, m, where it is known.
        confidence: 0 to 1; NaN = not told.
        reason: why it was not found.
    """

    found: bool
    position: NDArray[np.float64]
    label: str = ''
    size: NDArray[np.float64] | None = None
    confidence: float = float('nan')
    reason: str = ''


@dataclass(frozen=True, eq=False)
class OccupancyGrid:
    """A bird's-eye-view grid, as in nav_msgs/OccupancyGrid.

    Attributes:
        stamp: stamp of the last frame in it, s.
        data: (rows, columns) int8; row 0 at the lowest y. -1 unknown, 0 free ... 100 occupied.
        resolution: m per cell.
        origin: (x, y), m: the lower-left corner of cell (0, 0) in `map`, whole cells from zero.
    """

    stamp: float
    data: NDArray[np.int8]
    resolution: float
    origin: tuple[float, float]
