# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which frames stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loc3r_ros.vlm.keyframes import thin


def held_after(count, budget=32):
    frames: list[int] = []
    for number in range(count):
        if len(frames) == budget:
            frames = [frames[i] for i in thin(frames, budget // 2)]
        frames.append(number)
    return frames


def test_of_even_frames_every_second_stays():
    assert thin(range(32), 16) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 31]


@pytest.mark.parametrize('count', [100, 1000, 5000])
def test_what_stays_covers_all_that_was_shown(count):
    frames = held_after(count)
    gaps = np.diff(frames)
    assert frames[0] == 0
    assert frames[-1] == count - 1
    assert max(gaps) <= 4 * count / (len(frames) - 1)


@given(st.sets(st.integers(0, 500), min_size=4, max_size=40), st.integers(2, 20))
def test_ends_stay_and_order_holds(numbers, keep):
    numbers = sorted(numbers)
    kept = thin(numbers, keep)
    assert len(kept) == min(keep, len(numbers))
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, len(numbers) - 1)
