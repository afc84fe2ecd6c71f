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


def displacements(
    points: Tensor, camera: Tensor, T_before_now: Tensor, patch: int
) -> tuple[Tensor, Tensor]:
    """Where the middle of each patch was in the image before, relatively to where it is.

    Args:
        points: (B, H, W, 3) in the optical frame, m, NaN where unknown.
        camera: (B, 4) fx, fy, cx, cy of both images, pixels.
        T_before_now: (B, 4, 4) pose of the camera in the frame of the image before.
        patch: side of a patch, pixels.

    Returns:
        (B, N, 2) columns and rows, patches; bool (B, N), whether it was in that image, hidden or
        not. Values where it was not are finite, and mean nothing.
    """
    height, width = points.shape[1:3]
    middle = points[:, patch // 2 :: patch, patch // 2 :: patch].flatten(1, 2)
    R, t = T_before_now[:, :3, :3], T_before_now[:, None, :3, 3]
    x, y, z = (middle @ R.mT + t).unbind(-1)
    fx, fy, cx, cy = (value[:, None] for value in camera.unbind(-1))
    u, v = fx * x / z + cx, fy * y / z + cy
    inside = (z > 0) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    rows, columns = torch.meshgrid(
        torch.arange(patch // 2, height, patch, device=points.device),
        torch.arange(patch // 2, width, patch, device=points.device),
        indexing='ij',
    )
    moved = torch.stack([u - columns.flatten(), v - rows.flatten()], -1) / patch
    return torch.where(inside[..., None], moved, 0), inside


def match_loss(told: Tensor, moved: Tensor, inside: Tensor) -> Tensor:
    """Mean distance of displacements (..., N, 2), patches, over those that are inside (..., N)."""
    return (_length(told - moved) * inside).sum() / inside.sum().clamp(min=1)


def _length(x: Tensor) -> Tensor:
    """Norm of the last axis, with a gradient of zero at zero."""
    return (x.square().sum(-1) + _TINY).sqrt()
