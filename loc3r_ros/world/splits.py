# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which scenes are for what: a seed is a scene, and ranges of seeds are kept apart."""

from __future__ import annotations

from loc3r_ros.world.apartment import generate_apartment
from loc3r_ros.world.scene import Scene

TEST = range(0, 100_000)
VALIDATION = range(100_000, 200_000)
TRAIN = range(200_000, 2**31)
"""Seeds for `scene_of`; nothing may be trained or chosen by a seed outside of its range."""


def scene_of(seed: int) -> Scene:
    """The scene that a seed stands for in training and evaluation.

    It decides how many rooms there are: one in half of all scenes, else two to four.
    """
    return generate_apartment(seed)
