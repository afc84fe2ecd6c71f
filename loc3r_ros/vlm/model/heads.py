# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the localization heads give, and how far that is from the truth.

Places are in metres in the bird's-eye frame of the first video frame (see `assumptions`);
headings are in radians in it, counter-clockwise from x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.vlm.model.assumptions import BIN_CENTRE, LOG_SIGMA_RANGE, ORIENTATION_SIGMA_BINS


class WideLinear(nn.Linear):
    """A linear layer that computes in float32 at least, whatever it is stored and called in.

    Metres and headings are read off it: eight bits of mantissa would be centimetres.
    """

    def forward(self, input: Tensor) -> Tensor:
        dtype = torch.promote_types(input.dtype, torch.float32)
        with torch.autocast(input.device.type, enabled=False):
            return functional.linear(input.to(dtype), self.weight.to(dtype), self.bias.to(dtype))


def mlp(inputs: int, hidden: int, outputs: int, linear: type[nn.Linear] = nn.Linear) -> nn.Module:
    """Linear, GELU, Linear: LLaVA's projector, and the form of the heads."""
    return nn.Sequential(linear(inputs, hidden), nn.GELU(), linear(hidden, outputs))


@dataclass(frozen=True)
class PlaneGaussian:
    """Places in the plane with independent errors along x and y.

    Attributes:
        mean: (..., 2) x and y, metres.
        log_sigma: (..., 2) natural logarithm of the standard deviations, metres.
    """

    mean: Tensor
    log_sigma: Tensor

    @classmethod
    def from_outputs(cls, outputs: Tensor) -> PlaneGaussian:
        """Read a head's outputs (..., 4)."""
        return cls(outputs[..., :2], outputs[..., 2:].clamp(*LOG_SIGMA_RANGE))

    @property
    def sigma(self) -> Tensor:
        """(..., 2) standard deviations, metres."""
        return self.log_sigma.exp()


def gaussian_nll(predicted: PlaneGaussian, target: Tensor) -> Tensor:
    """Negative log likelihood of places, without the constant log 2 pi.

    0.5 [dx^2 / sx^2 + log sx^2 + dy^2 / sy^2 + log sy^2], as Loc3R-VLM's layout loss.

    Args:
        predicted: of shape (...).
        target: (..., 2) metres.

    Returns:
        (...), nats.
    """
    z = (target - predicted.mean) * torch.exp(-predicted.log_sigma)
    return (0.5 * z.square() + predicted.log_sigma).sum(-1)


def bin_centres(bins: int, like: Tensor) -> Tensor:
    """Headings (bins,) in the middle of each bin, radians, from -pi upwards."""
    steps = torch.arange(bins, device=like.device, dtype=like.dtype) + BIN_CENTRE
    return steps * (2 * math.pi / bins) - math.pi


def orientation_target(theta: Tensor, bins: int = 36) -> Tensor:
    """The distribution over heading bins to learn: a wrapped bell around the truth.

    Args:
        theta: (...) headings, radians, of any turn.

    Returns:
        (..., bins), summing to 1.
    """
    difference = theta[..., None] - bin_centres(bins, theta)
    wrapped = torch.remainder(difference + math.pi, 2 * math.pi) - math.pi
    sigma = ORIENTATION_SIGMA_BINS * 2 * math.pi / bins
    return torch.softmax(-0.5 * (wrapped / sigma).square(), dim=-1)


def orientation_kl(logits: Tensor, target: Tensor) -> Tensor:
    """KL(target || softmax(logits)) over the last axis, nats."""
    return (torch.xlogy(target, target) - target * logits.log_softmax(-1)).sum(-1)
