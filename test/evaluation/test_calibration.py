# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Calibration, worked out by hand and against draws of a known distribution."""

from __future__ import annotations

from math import log, pi

import numpy as np
import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.calibration import WITHIN_ONE, WITHIN_TWO, calibration


def test_by_hand() -> None:
    found = calibration([[0.5, 0.0], [-2.0, 9.0]], [[1.0, 2.0], [2.0, 3.0]])
    # z = 0.5, 0, 1, 3
    assert found.within_one == 0.75
    assert found.within_two == 0.75
    widths = log(1) + log(2) + log(2) + log(3) + 2 * log(2 * pi)
    assert found.nll == pytest.approx((0.5 * (0.25 + 0 + 1 + 9) + widths) / 2)
    assert found.expected_nll == pytest.approx((0.5 * 4 + widths) / 2)


def test_expectations_of_a_normal_distribution() -> None:
    assert pytest.approx(0.6827, abs=1e-4) == WITHIN_ONE
    assert pytest.approx(0.9545, abs=1e-4) == WITHIN_TWO


def test_errors_drawn_from_their_sigma_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.1, 2.0, (20000, 2))
    error = sigma * rng.standard_normal(sigma.shape)
    right, sure = calibration(error, sigma), calibration(error, 0.5 * sigma)
    assert right.within_one == pytest.approx(WITHIN_ONE, abs=0.01)
    assert right.within_two == pytest.approx(WITHIN_TWO, abs=0.01)
    assert right.nll == pytest.approx(right.expected_nll, abs=0.03)
    assert sure.within_two == pytest.approx(WITHIN_ONE, abs=0.01)
    assert sure.nll > sure.expected_nll + 2


@pytest.mark.parametrize(
    ('error', 'sigma'),
    [
        ([[0.0]], [[0.0]]),
        ([[0.0]], [[float('nan')]]),
        ([[float('inf')]], [[1.0]]),
        ([[0.0, 0.0]], [[1.0]]),
        ([0.0], [1.0]),
        (np.zeros((0, 2)), np.zeros((0, 2))),
    ],
)
def test_what_cannot_be_scored_is_refused(error: object, sigma: object) -> None:
    with pytest.raises(InputError, match='sigmas'):
        calibration(error, sigma)  # type: ignore[arg-type]
