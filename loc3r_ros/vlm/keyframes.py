# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The frames that a stream holds, and which of them it keeps when there are too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """One image as the language model reads it.

    Attributes:
        number: how many frames the stream was shown before it.
        stamp: of the image, s.
        embeddings: (T, width), the camera token where there is one, then patches and newlines.
    """

    number: int
    stamp: float
    embeddings: Tensor


def thin(numbers: Sequence[int], keep: int) -> list[int]:
    """Which of the frames to keep so that they spread evenly over all that was ever shown.

    The plain rule, every second one, halves the past again and again while the newest frames lie
    side by side: after 1,000 frames, 15 of 16 are of the last 72, and whole rooms are forgotten.
    Here whatever leaves the smallest gap goes first. Of frames evenly spread that is every second
    one too; of 1,000, the 16 are 50 to 100 apart. The first stays, since the model's BEV frame is
    anchored at it, and the newest, since that is where the robot is.

    Args:
        numbers: of the frames, ascending.
        keep: how many stay, at least two.

    Returns:
        Indices into `numbers`, ascending.
    """
    kept = list(range(len(numbers)))
    while len(kept) > max(keep, 2):
        gaps = [numbers[kept[i + 1]] - numbers[kept[i - 1]] for i in range(1, len(kept) - 1)]
        del kept[1 + gaps.index(min(gaps))]
    return kept
