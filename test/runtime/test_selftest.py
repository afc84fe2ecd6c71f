# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The self-test passes what is right and refuses each thing that can be wrong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy_session import NumpySession, golden

from loc3r_ros.errors import InputError
from loc3r_ros.runtime.golden import Golden
from loc3r_ros.runtime.selftest import relative_error, self_test


def test_a_right_session_passes_and_starts_anew():
    session = NumpySession()
    test = self_test(session, golden(), 'fp32')
    assert (test.passed, test.reason, test.steps, test.limit) == (True, '', 33, 1e-3)
    assert test.errors == {'state': 0.0, 'y': 0.0}
    np.testing.assert_array_equal(session.state()['state'], [1, 2, 3])
    assert 'passed 33 steps' in str(test)


@pytest.mark.parametrize(
    ('defect', 'told'),
    [
        ('forgets', 'step 27: y is off'),
        ('nan', 'y is off by nan'),
        ('unwritten', 'y is off by nan'),
        ('off', 'step 27: y is off by 0.0'),
        ('ignores_update', 'is off by'),
        ('another_start', 'initial state: state is off'),
    ],
)
def test_each_defect_is_refused(defect, told):
    test = self_test(NumpySession(defect), golden(), 'fp32')
    assert not test.passed
    assert told in test.reason
    assert str(test).startswith('numpy: refused: ')


def test_half_precision_is_allowed_more():
    assert self_test(NumpySession('off'), golden(), 'fp16').passed


def test_golden_steps_survive_the_disk(tmp_path):
    golden(8).write(tmp_path / 'g')
    again = Golden.read(tmp_path / 'g')
    assert again.steps == 8
    assert set(again.expected(2)) == set()
    np.testing.assert_array_equal(again.expected(3)['y'], golden(8).outputs['y'][0])
    assert self_test(NumpySession(), again, 'fp32').passed
    (tmp_path / 'g').write_bytes((tmp_path / 'g').read_bytes()[:-4])
    with pytest.raises(InputError, match='not golden steps'):
        Golden.read(tmp_path / 'g')


def test_arrays_that_lie_otherwise_in_memory_are_written_as_they_read(tmp_path):
    steps = golden(8)
    turned = np.asfortranarray(steps.inputs['x'])
    Golden(**{**vars(steps), 'inputs': {**steps.inputs, 'x': turned}}).write(tmp_path / 'g')
    np.testing.assert_array_equal(Golden.read(tmp_path / 'g').inputs['x'], turned)


def test_the_error_is_relative_and_not_finite_where_anything_is_not():
    assert relative_error(np.array([3.0, 4.5]), np.array([3.0, 4.0])) == pytest.approx(0.1)
    assert np.isnan(relative_error(np.array([3.0, np.nan]), np.array([3.0, 4.0])))
    assert np.isnan(relative_error(np.zeros(3), np.zeros(2)))


def test_inputs_that_do_not_fit_are_named():
    session = NumpySession()
    x, update = np.zeros(3, np.float32), np.ones(1, bool)
    for inputs, told in (
        ({'x': x}, 'expected exactly'),
        ({'x': x, 'update': update, 'z': x}, 'expected exactly'),
        ({'x': x[:2], 'update': update}, 'input x is float32'),
        ({'x': x.astype(float), 'update': update}, 'input x is float64'),
    ):
        with pytest.raises(InputError, match=told):
            session.run(inputs)
