# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The separating-axis test against cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loc3r_ros.geometry import exp_so3
from loc3r_ros.world.overlap import Boxes, gap


def box(centre, turn=(0, 0, 0), half=(0.5, 0.5, 0.5)) -> Boxes:
    return Boxes(np.array([centre], float), exp_so3(turn)[None], np.array([half], float))


@pytest.mark.parametrize(
    ('centre', 'turn', 'expected'),
    [
        ((1.25, 0, 0), (0, 0, 0), 0.25),
        ((0.9, 0, 0), (0, 0, 0), -0.1),
        ((0.5 + np.sqrt(0.5) + 0.1, 0, 0), (0, 0, np.pi / 4), 0.1),
        ((0, 0, 0), (0, 0, 0), -1.0),
    ],
)
def test_known_gaps(centre, turn, expected):
    assert gap(box((0, 0, 0)), box(centre, turn))[0, 0] == pytest.approx(expected)


def test_crossing_rods_are_told_apart_by_an_edge_pair():
    long = (2.0, 0.1, 0.1)
    a = box((0, 0, 0), (np.pi / 4, 0, 0), long)
    b = box((0, 0, 0.4), (0, 0, np.pi / 2), (2.0, 0.1, 0.1))
    lifted = 0.4 - 0.1 - 0.1 * np.sqrt(2)
    assert gap(a, b)[0, 0] == pytest.approx(lifted)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_boxes_that_share_a_point_overlap(seed):
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(2):
        R, half = exp_so3(rng.normal(size=3)), rng.uniform(0.05, 1.0, 3)
        inside = R @ (rng.uniform(-1, 1, 3) * half)
        parts.append(Boxes(-inside[None], R[None], half[None]))  # holds the origin
    assert gap(*parts)[0, 0] <= 1e-9
    assert gap(*parts)[0, 0] == pytest.approx(gap(*parts[::-1])[0, 0])
