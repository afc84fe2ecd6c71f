# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Heads, their losses and the objective, against sums made by hand."""

import math
from dataclasses import replace

import pytest
import torch

from loc3r_ros.vlm.model.heads import (
    PlaneGaussian,
    bin_centres,
    gaussian_nll,
    orientation_kl,
    orientation_target,
)
from loc3r_ros.vlm.model.objective import Predictions, Targets, joint_objective
from loc3r_ros.vlm.situated import mean_heading

DEGREES = math.pi / 180


def test_outputs_are_a_mean_and_a_clamped_log_sigma():
    places = PlaneGaussian.from_outputs(torch.tensor([[1.0, -2.0, 9.0, -9.0], [0, 0, 0, 1]]))
    assert places.mean.tolist() == [[1, -2], [0, 0]]
    assert places.log_sigma.tolist() == [[3, -5], [0, 1]]
    assert places.sigma[1].tolist() == pytest.approx([1, math.e])


def test_gaussian_nll_by_hand():
    place = PlaneGaussian(torch.tensor([1.0, 2.0]), torch.tensor([math.log(0.5), math.log(2.0)]))
    # 0.5 [(2 - 1)^2 / 0.25 + log 0.25 + (5 - 2)^2 / 4 + log 4] = 0.5 [4 + 2.25]
    assert gaussian_nll(place, torch.tensor([2.0, 5.0])).item() == pytest.approx(3.125)


def test_gaussian_nll_is_that_of_the_distribution_but_for_a_constant():
    mean, log_sigma, target = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0))
    density = torch.distributions.Normal(mean, log_sigma.exp()).log_prob(target).sum(-1)
    found = gaussian_nll(PlaneGaussian(mean, log_sigma), target)
    assert torch.allclose(found, -density - math.log(2 * math.pi), atol=1e-5)


def test_bins_are_ten_degrees_from_minus_pi_and_centred():
    centres = bin_centres(36, torch.zeros(1))
    assert centres[[0, 17, 18, 35]].tolist() == pytest.approx(
        [angle * DEGREES for angle in (-175, -5, 5, 175)], rel=1e-5
    )


def test_the_target_is_a_bell_of_two_bins_that_wraps():
    target = orientation_target(torch.tensor(175 * DEGREES, dtype=torch.float64))
    assert target.sum().item() == pytest.approx(1)
    assert target.argmax() == 35
    # 1, 2 and 4 bins away: exp(-1/8), exp(-1/2), exp(-2); bin 0 is next to bin 35.
    for index, away in ((34, 1), (0, 1), (33, 2), (1, 2), (31, 4), (3, 4)):
        assert (target[index] / target[35]).item() == pytest.approx(math.exp(-(away**2) / 8))


@pytest.mark.parametrize('turns', [-2, 1, 5])
def test_the_target_does_not_count_turns(turns):
    theta = torch.tensor([0.3, -3.0], dtype=torch.float64)
    same = orientation_target(theta + turns * 2 * math.pi)
    assert torch.allclose(same, orientation_target(theta), atol=1e-12)


def test_kl_by_hand():
    target, logits = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.5, 0.25, 0.25]).log()
    assert orientation_kl(logits, target).item() == pytest.approx(0.5 * math.log(2), rel=1e-5)


@pytest.mark.parametrize('degrees', [-180, -93, 0, 41, 177])
def test_a_learnt_target_reads_as_its_heading(degrees):
    theta = torch.tensor(degrees * DEGREES, dtype=torch.float64)
    target = orientation_target(theta)
    read, variance = mean_heading(target.numpy())
    assert orientation_kl(target.log(), target).item() == pytest.approx(0, abs=1e-12)
    assert math.remainder(read - theta, 2 * math.pi) == pytest.approx(0, abs=2e-3)
    assert variance < (5 * DEGREES) ** 2  # its own width is no doubt


def example():
    """Two samples with three tokens to learn; the second has no situation and one unseen patch."""
    unit = torch.zeros(2, 2, 2)
    predicted = Predictions(
        logits=torch.log(torch.tensor([0.5, 0.25, 0.125, 0.125])).expand(3, 4),
        layout=PlaneGaussian(unit, unit),
        position=PlaneGaussian(torch.zeros(2, 2), torch.zeros(2, 2)),
        orientation=torch.zeros(2, 36),
    )
    truth = Targets(
        labels=torch.tensor([0, 1, 2]),
        layout=torch.tensor([[[1.0, 1], [2, 0]], [[0, 4], [math.nan, math.nan]]]),
        seen=torch.tensor([[True, True], [True, False]]),
        position=torch.tensor([[3.0, 4], [math.nan, math.nan]]),
        heading=torch.tensor([0.1, math.nan]),
        situated=torch.tensor([True, False]),
    )
    return predicted, truth


def test_the_objective_by_hand():
    losses = joint_objective(*example())
    assert losses.answer.item() == pytest.approx((1 + 2 + 3) * math.log(2) / 3, rel=1e-5)
    assert losses.layout.item() == pytest.approx((1 + 2 + 8) / 3, rel=1e-5)
    assert losses.position.item() == pytest.approx(12.5, rel=1e-5)
    target = orientation_target(torch.tensor(0.1))
    divergence = math.log(36) + (target * target.log()).sum().item()
    assert losses.orientation.item() == pytest.approx(divergence, rel=1e-5)
    parts = 2 * math.log(2) + 0.05 * 11 / 3 + 0.075 * (12.5 + 3.5 * divergence)
    assert losses.total.item() == pytest.approx(parts, rel=1e-5)


def test_what_is_masked_moves_nothing():
    predicted, truth = example()
    mean = torch.zeros(2, 2, 2, requires_grad=True)
    place, heading = torch.zeros(2, 2, requires_grad=True), torch.zeros(2, 36, requires_grad=True)
    predicted = replace(
        predicted,
        layout=PlaneGaussian(mean, torch.zeros(2, 2, 2)),
        position=PlaneGaussian(place, torch.zeros(2, 2)),
        orientation=heading,
    )
    joint_objective(predicted, truth).total.backward()
    for gradient in (mean.grad, place.grad, heading.grad):
        assert gradient.isfinite().all()
    assert mean.grad[1, 1].tolist() == [0, 0]
    assert mean.grad[1, 0].tolist() == pytest.approx([0, -0.05 * 4 / 3])
    assert place.grad[1].tolist() == [0, 0]
    assert heading.grad[1].abs().sum() == 0
    assert heading.grad[0].abs().sum() > 0


def test_nothing_to_learn_is_a_loss_of_zero():
    predicted, truth = example()
    predicted = replace(predicted, logits=predicted.logits[:0])
    truth = replace(
        truth,
        labels=truth.labels[:0],
        seen=torch.zeros(2, 2, dtype=torch.bool),
        situated=torch.zeros(2, dtype=torch.bool),
    )
    assert joint_objective(predicted, truth).total.item() == 0
