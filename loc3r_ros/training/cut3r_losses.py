# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What CUT3R is trained to: point maps weighted by their confidence, and camera poses, metric.

After the paper (Wang et al., CVPR 2025, section 3.3). Like there for metric data, lengths of both
sides are divided by the mean distance of the true points: a near wall counts as much as a far one,
and the scale is learnt. Rotations are compared as matrices and not as quaternions, which jump
where their real part changes its sign.
"""

from __future__ import annotations

import torch
from torch import Tensor

ALPHA = 0.2
"""Reward of confidence, as in DUSt3R."""

_TINY = 1e-8


def mean_distance(points: Tensor) -> Tensor:
    """(B,) mean length of the finite points (B, D, H, W, 3); 1 where there are none."""
    distance = points.norm(dim=-1).flatten(1)
    return distance.nanmean(1).nan_to_num(1.0).clamp(min=0.1)


def point_loss(points: Tensor, confidence: Tensor, truth: Tensor, scale: Tensor) -> Tensor:
    """Mean of C * |p - p'| / s - alpha * log C over the pixels whose truth is finite.

    Args:
        points, truth: (B, D, H, W, 3), m.
        confidence: (B, D, H, W), >= 1.
        scale: (B,), m.
    """
    known = truth.isfinite().all(-1)
    # Chosen before the difference: a gradient through NaN is NaN, whatever it is multiplied by.
    target = torch.where(known[..., None], truth, points.detach())
    error = _length(points - target) / scale[:, None, None, None]
    loss = confidence * error - ALPHA * confidence.log()
    return torch.where(known, loss, 0).sum() / known.sum().clamp(min=1)


def pose_losses(
    predicted: Tensor, truth: Tensor, scale: Tensor, *, start: int = 0
) -> tuple[Tensor, Tensor]:
    """Mean error of the camera's place, over s, and of its rotation, about rad.

    The rotation's is |R - R'|_F / sqrt(2) = 2 sin(angle / 2).

    Args:
        predicted, truth: (B, F, 4, 4).
        scale: (B,), m.
        start: frames before are left out.
    """
    difference = (predicted - truth)[:, start:]
    place = _length(difference[..., :3, 3]) / scale[:, None]
    rotation = _length(difference[..., :3, :3].flatten(-2)) / 2**0.5
    return place.mean(), rotation.mean()


def steps(T: Tensor) -> Tensor:
    """(B, F-1, 4, 4) each pose in the frame of the one before, of rigid poses (B, F, 4, 4)."""
    before, after = T[:, :-1], T[:, 1:]
    R = before[..., :3, :3].mT
    moved = R @ (after[..., :3, 3:] - before[..., :3, 3:])
    top = torch.cat([R @ after[..., :3, :3], moved], -1)
    return torch.cat([top, after[..., 3:, :]], -2)


def _length(x: Tensor) -> Tensor:
    """Norm of the last axis, with a gradient of zero at zero."""
    return (x.square().sum(-1) + _TINY).sqrt()
