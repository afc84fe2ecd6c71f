# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Time that falls back is counted once, whoever shows it first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loc3r_ros.ros.rounds import STRAGGLE_S, Rounds

S = 10**9
LENGTH = 20 * S


class Wall:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@given(
    loops=st.integers(0, 5),
    offset=st.sampled_from([0, -7 * S, 1_600_000_000 * S]),
    stragglers=st.lists(st.integers(0, 3), min_size=5, max_size=5),
    early=st.lists(st.integers(0, 3), min_size=5, max_size=5),
    has_clock=st.booleans(),
)
def test_every_loop_counts_once(loops, offset, stragglers, early, has_clock):
    """Around each jump of the clock some old images may come late, or some new ones early."""
    rounds = Rounds()
    stamps = [offset + 8 * S + k * S // 10 for k in range(200)]
    taken = []
    for loop in range(loops + 1):
        late, ahead = stragglers[loop - 1], early[loop - 1]
        if has_clock and loop and not late:
            for stamp in stamps[:ahead]:
                taken.append((rounds.image(stamp), rounds.number))
        if has_clock and loop:
            rounds.clock(-LENGTH)
        if has_clock and loop and late:
            assert not any(rounds.image(stamp) for stamp in stamps[-late:]), 'left over'
        begin = ahead if has_clock and loop and not late else 0
        end = -stragglers[loop] if has_clock and loop < loops and stragglers[loop] else None
        taken += [(rounds.image(stamp), rounds.number) for stamp in stamps[begin:end]]
        assert rounds.number == loop
    assert all(is_taken for is_taken, _ in taken)
    assert sorted(number for _, number in taken) == [number for _, number in taken]


@pytest.mark.parametrize('delta', [5 * S, 3600 * S, -S // 2])
def test_forward_jumps_and_small_ones_are_none(delta):
    rounds = Rounds()
    assert rounds.image(10 * S)
    rounds.clock(delta)
    assert rounds.image(10 * S + delta)
    assert rounds.number == 0


def test_images_that_do_not_follow_the_clock_are_taken_again_soon():
    wall = Wall()
    rounds = Rounds(wall)
    assert rounds.image(1000 * S)
    rounds.clock(-LENGTH)
    assert not rounds.image(1001 * S), 'it may be left over'
    wall.now += STRAGGLE_S
    assert rounds.image(1002 * S)
    assert rounds.number == 1


def test_a_clock_that_jumps_before_the_first_image():
    rounds = Rounds()
    rounds.clock(-LENGTH)
    assert rounds.image(5 * S)
    assert rounds.number == 1


def test_a_camera_that_starts_anew_does_not_hide_a_later_loop():
    rounds = Rounds()
    assert rounds.image(50 * S)
    assert rounds.image(1 * S), 'only the camera fell back'
    assert rounds.image(60 * S)
    rounds.clock(-LENGTH)
    assert rounds.image(40 * S)
    assert rounds.number == 2
    assert rounds.image(60 * S)
    rounds.clock(-LENGTH)
    assert rounds.image(40 * S)
    assert rounds.number == 3
