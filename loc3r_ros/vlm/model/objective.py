# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The joint objective: answers, layout and situation, as Loc3R-VLM weighs them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from loc3r_ros.vlm.model.assumptions import (
    LAYOUT_WEIGHT,
    ORIENTATION_WEIGHT,
    SITUATION_WEIGHT,
)
from loc3r_ros.vlm.model.heads import (
    PlaneGaussian,
    gaussian_nll,
    orientation_kl,
    orientation_target,
)


@dataclass(frozen=True)
class Predictions:
    """What the network says of a batch of B samples, T of whose tokens are to be learnt.

    Attributes:
        logits: (T, vocabulary), each from the token before it.
        layout: places of M patches, of shape (B, M).
        position: of `<Pos>`, of shape (B,).
        orientation: (B, bins) logits of `<Ori>`.
    """

    logits: Tensor
    layout: PlaneGaussian
    position: PlaneGaussian
    orientation: Tensor


@dataclass(frozen=True)
class Targets:
    """The truth of the batch; values where a mask is false are not looked at, and may be NaN.

    Attributes:
        labels: int64 (T,), the tokens to be learnt.
        layout: (B, M, 2) metres.
        seen: bool (B, M), false where depth is invalid.
        position: (B, 2) metres.
        heading: (B,) radians.
        situated: bool (B,), false for the pseudo-situation.
        headed: bool (B,), where the heading is known too; None: wherever the position is.
    """

    labels: Tensor
    layout: Tensor
    seen: Tensor
    position: Tensor
    heading: Tensor
    situated: Tensor
    headed: Tensor | None = None


@dataclass(frozen=True)
class Losses:
    """Scalars, each the mean over what its mask leaves, and 0 where that is nothing."""

    answer: Tensor
    layout: Tensor
    position: Tensor
    orientation: Tensor

    @property
    def total(self) -> Tensor:
        """The weighted sum: answer + 0.05 layout + 0.075 (position + 3.5 orientation)."""
        situation = self.position + ORIENTATION_WEIGHT * self.orientation
        return self.answer + LAYOUT_WEIGHT * self.layout + SITUATION_WEIGHT * situation


def joint_objective(predicted: Predictions, truth: Targets) -> Losses:
    """The parts of the objective and, in `Losses.total`, their weighted sum."""
    nothing = torch.zeros_like(truth.heading)
    headed = truth.situated if truth.headed is None else truth.headed
    heading = torch.where(headed, truth.heading, nothing)
    target = orientation_target(heading, predicted.orientation.shape[-1])
    return Losses(
        answer=_answer(predicted.logits, truth.labels),
        layout=places_nll(predicted.layout, truth.layout, truth.seen),
        position=places_nll(predicted.position, truth.position, truth.situated),
        orientation=_mean(orientation_kl(predicted.orientation, target), headed),
    )


def _answer(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the tokens."""
    total = functional.cross_entropy(logits.float(), labels, reduction='sum')
    return total / max(1, len(labels))


def places_nll(predicted: PlaneGaussian, target: Tensor, mask: Tensor) -> Tensor:
    """Mean negative log likelihood of places (..., 2), m, where the mask (...) is true."""
    # Before the loss and not after it: the gradient of NaN times zero is NaN.
    target = torch.where(mask[..., None], target, predicted.mean.detach())
    return _mean(gaussian_nll(predicted, target), mask)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
