# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whether a predicted sigma is the size of the errors that occur."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, log, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike

from loc3r_ros.errors import InputError

WITHIN_ONE = erf(1 / sqrt(2))
"""Share of a normal distribution within one sigma, 0.683."""

WITHIN_TWO = erf(2 / sqrt(2))
"""Share within two, 0.954."""


@dataclass(frozen=True)
class Calibration:
    """Predicted spread against the errors. Of a calibrated model both pairs agree.

    Attributes:
        within_one, within_two: share of the errors within one and two sigma, over all axes; to be
            held against `WITHIN_ONE` and `WITHIN_TWO`. More: too timid; less: too sure.
        nll: mean negative log-likelihood of a situation, nats, with its constant.
        expected_nll: what `nll` would be in the mean, were every error drawn from its own sigma.
    """

    within_one: float
    within_two: float
    nll: float
    expected_nll: float


def calibration(error: ArrayLike, sigma: ArrayLike) -> Calibration:
    """Calibration of independent normal errors.

    Args:
        error: (N, D) signed errors along the axes that sigma is given for.
        sigma: (N, D) predicted standard deviations, in the errors' unit.

    Raises:
        InputError: no errors, different shapes, an error that is not finite or a sigma that is not
            positive.
    """
    e, s = np.asarray(error, dtype=np.float64), np.asarray(sigma, dtype=np.float64)
    if e.ndim != 2 or e.shape != s.shape or e.size == 0:
        raise InputError(f'errors {e.shape} and sigmas {s.shape}; give (N, D) of both, N > 0')
    if not (np.isfinite(e).all() and np.isfinite(s).all() and (s > 0).all()):
        raise InputError('errors must be finite and sigmas positive; leave out what was not told')
    z = np.abs(e / s)
    width = np.log(s) + 0.5 * log(2 * pi)
    return Calibration(
        float((z <= 1).mean()),
        float((z <= 2).mean()),
        float((0.5 * z**2 + width).sum(axis=1).mean()),
        float((0.5 + width).sum(axis=1).mean()),
    )
