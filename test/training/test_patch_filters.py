# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The filters that a new CUT3R sees with."""

from __future__ import annotations

import pytest
import torch

from loc3r_ros.training.patch_filters import patch_filters


def test_filters_are_of_different_frequencies() -> None:
    filters = patch_filters(80, 16)
    assert filters.shape == (80, 3, 16, 16)
    unit = torch.nn.functional.normalize(filters.flatten(1), dim=1)
    products = (unit @ unit.T).abs()
    # Light and the two colours share frequencies; else nothing is told twice.
    for kind in (slice(0, 56), slice(56, 68), slice(68, 80)):
        assert torch.allclose(products[kind, kind], torch.eye(len(unit[kind])), atol=1e-5)


def test_the_first_filter_is_the_mean_of_the_light() -> None:
    grey = torch.full((3, 16, 16), 0.3)
    answers = (patch_filters(80, 16) * grey).sum((1, 2, 3))
    assert float(answers[0]) == pytest.approx(16 * 0.3 / (1.5 * 3.8), rel=1e-3)
    assert answers[1:].abs().max() < 1e-4
