# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The engine of a folder of weights, or the one without: the same for robot, run and chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.types import OccupancyGrid, TrackedPose
from loc3r_ros.vlm.engine import SpatialEngine
from loc3r_ros.vlm.no_model import NoModel

PRECISIONS = ('auto', 'fp32', 'bf16', 'fp16', 'int8', 'int4')


def open_engine(
    folder: str | Path | None,
    pose: Callable[[], TrackedPose | None],
    grid: Callable[[], OccupancyGrid | None],
    *,
    device: str = 'auto',
    precision: str = 'auto',
    allow: Sequence[str] = (),
) -> SpatialEngine:
    """Load a model, or do without.

    Args:
        folder: weights in a layout that `loc3r weights` lists; empty or None: no model, and only
            what geometry knows is answered.
        pose: the newest tracked pose, or None before the first.
        grid: the map as it is now, or None before the first.
        device: cpu, cuda, cuda:1, ...; auto: a GPU if any.
        precision: of the weights, one of `PRECISIONS`.
        allow: patterns of keys that may be missing or unexpected; see `vlm.weights.load`.

    Raises:
        InputError: there is no such folder, or its weights cannot be used (CheckpointError).
    """
    if not folder:
        return NoModel(pose, grid)
    path = Path(folder).expanduser()
    if not path.exists():
        raise InputError(
            f'{path}: no weights of a language model there. Give the folder that `loc3r weights '
            'fetch` made, or none: then only what geometry knows is answered'
        )
    from loc3r_ros.vlm.spatial_vlm import SpatialVlm  # torch and transformers: seconds to import

    return SpatialVlm.load(path, device=device, precision=precision, allow=allow)
