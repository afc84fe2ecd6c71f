# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The measure of agreement, by hand and by its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from loc3r_ros.errors import InputError
from loc3r_ros.mapping.agreement import compare
from loc3r_ros.types import OccupancyGrid

CELLS = arrays(
    np.int8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([-1, 0, 100])
)


def grid(rows, origin=(0.0, 0.0), resolution=0.05):
    return OccupancyGrid(0.0, np.array(rows, np.int8), resolution, origin)


def test_by_hand():
    ours = grid([[100, 0, 0, 0, 0, 100], [0, 0, 0, -1, -1, -1]])
    reference = grid([[-1, 100, 0, 100, 0, -1], [0, 0, 0, 0, 0, 0]])
    strict = compare(ours, reference, 0)
    assert strict.iou_occupied == 0.0  # nothing of 2 and 2 coincides
    assert strict.false_free == strict.false_free_strict == 2 / 7
    near = compare(ours, reference, 1)
    # Our first is matched, the second not; of the reference the first is, the second not.
    assert near.iou_occupied == 1 / (1 + 1 + 1)
    assert near.precision == near.recall == 0.5
    assert near.false_free == 1 / 7  # column 3; at column 1 our own obstacle is one cell off
    assert near.false_free_strict == 2 / 7
    assert (near.occupied, near.free) == (2, 7)
    assert (near.reference_occupied, near.reference_free) == (2, 8)


def test_grids_of_other_origin_and_size_are_laid_over_each_other():
    ours = grid([[0, 100]], origin=(-0.05, 0.0))
    reference = grid([[0, 0, 0], [0, 0, 0], [0, 0, 100]], origin=(-0.1, -0.1))
    assert compare(ours, reference, 0).iou_occupied == 1.0
    outside = grid([[100]], origin=(5.0, -3.0))
    assert compare(ours, outside).iou_occupied == 0.0
    assert compare(ours, outside).false_free == 0.0


def test_grids_without_the_kind_give_nan():
    empty = compare(grid([[-1]]), grid([[-1]]))
    assert np.isnan([empty.iou_occupied, empty.precision, empty.recall, empty.false_free]).all()


@given(CELLS, st.integers(0, 2))
@settings(max_examples=50, deadline=None)
def test_a_grid_agrees_with_itself(data, tolerance):
    found = compare(grid(data), grid(data), tolerance)
    assert found.iou_occupied == 1.0 or not (data == 100).any()
    assert found.false_free == 0.0 or not (data == 0).any()


@given(CELLS, st.integers(-1, 1), st.integers(-1, 1))
@settings(max_examples=50, deadline=None)
def test_a_shift_within_the_tolerance_is_forgiven(data, dx, dy):
    moved = grid(data, origin=(dx * 0.05, dy * 0.05))
    found = compare(grid(data), moved, 1)
    assert found.iou_occupied == 1.0 or not (data == 100).any()


@given(CELLS, CELLS)
@settings(max_examples=50, deadline=None)
def test_agreement_is_symmetric_and_a_share(a, b):
    one, other = compare(grid(a), grid(b)), compare(grid(b), grid(a))
    assert one.iou_occupied == other.iou_occupied or np.isnan(one.iou_occupied)
    assert np.isnan(one.iou_occupied) or 0.0 <= one.iou_occupied <= 1.0
    if (a == 0).any():
        assert 0.0 <= one.false_free <= one.false_free_strict <= 1.0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match='resolutions'):
        compare(grid([[0]]), grid([[0]], resolution=0.1))
    with pytest.raises(InputError, match='whole cells'):
        compare(grid([[0]]), grid([[0]], origin=(0.02, 0.0)))
    with pytest.raises(InputError, match='tolerance_cells'):
        compare(grid([[0]]), grid([[0]]), -1)
