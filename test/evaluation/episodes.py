# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Episodes made up by hand, and a video that is filmed in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from loc3r_ros.evaluation.episode import Episode, Place, Reply
from loc3r_ros.training import bank as bank_module
from loc3r_ros.training.bank import Bank

FRAMES = 16


def episode(
    seed: int,
    places: Sequence[Place] = (),
    replies: Sequence[Reply] = (),
    *,
    bearing: float = 0.0,
    box: tuple[float, float] = (4.0, 5.0),
    rooms: int = 1,
) -> Episode:
    sides = ((4.0, 5.0),) * rooms
    return Episode(seed, seed % 2, bearing, box, sides, tuple(places), tuple(replies))


def random_places(rng: np.random.Generator, count: int, sigma: float = 0.5) -> list[Place]:
    """Places whose errors are as large as is stated, along the axes of `map`."""
    places = []
    for _ in range(count):
        x, y, yaw = rng.uniform(-2, 2, 3).tolist()
        dx, dy, turn = (sigma * rng.standard_normal(3)).tolist()
        places.append(Place((x, y, yaw), (x + dx, y + dy, yaw + turn), (sigma, sigma, sigma)))
    return places


def short_videos(folder: Path, patch: pytest.MonkeyPatch) -> Bank:
    """A bank whose videos have few and small frames."""
    patch.setattr(bank_module, 'FRAMES', FRAMES)
    patch.setattr(bank_module, 'WIDTH', 96)
    return Bank(folder)
