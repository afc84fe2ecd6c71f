# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From network outputs to poses, world points and intrinsics, by the published rules."""

from __future__ import annotations

import torch
from torch import Tensor

_ROUNDS = 10


def camera_to_world(camera_pose: Tensor) -> Tensor:
    """(..., 4, 4) of translation and quaternion (w, x, y, z) (..., 7); a zero quaternion is NaN."""
    t, q = camera_pose[..., :3], camera_pose[..., 3:]
    w, x, y, z = (q / q.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = (
        torch.stack((1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)), -1),
        torch.stack((2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)), -1),
        torch.stack((2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)), -1),
    )
    top = torch.cat([torch.stack(rows, -2), t[..., None]], -1)
    bottom = top.new_tensor([0, 0, 0, 1]).expand(*top.shape[:-2], 1, 4)
    return torch.cat([top, bottom], -2)


def to_world(c2w: Tensor, points: Tensor) -> Tensor:
    """Points (B, H, W, 3) of each camera in the world frame; c2w is (B, 4, 4)."""
    R, t = c2w[:, None, :3, :3], c2w[:, None, None, :3, 3]
    return points @ R.mT + t


def _bearings(points: Tensor) -> tuple[Tensor, Tensor]:
    """x/z, y/z and pixel offsets from the principal point (W div 2, H div 2), both (B, P, 2)."""
    height, width = points.shape[1:3]
    v, u = torch.meshgrid(
        torch.arange(height, device=points.device) - height // 2,
        torch.arange(width, device=points.device) - width // 2,
        indexing='ij',
    )
    slope = (points[..., :2] / points[..., 2:]).nan_to_num(0, 0, 0)
    return slope.flatten(1, 2), torch.stack((u, v), -1).flatten(0, 1).to(points)[None]


def focal_weiszfeld(points: Tensor) -> Tensor:
    """Focal length (B,), pixels, of point maps (B, H, W, 3) in the camera's optical frame.

    Ten rounds of reweighted least squares on pixel = focal * (x, y) / z, from the plain solution,
    which tends to the least sum of distances (Weiszfeld 1937). fx = fy is assumed.
    """
    slope, pixel = _bearings(points)
    along, square = (slope * pixel).sum(-1), (slope * slope).sum(-1)
    focal = along.mean(1) / square.mean(1)
    for _ in range(_ROUNDS):
        distance = (pixel - focal[:, None, None] * slope).norm(dim=-1)
        weight = 1 / distance.clamp(min=1e-8)
        focal = (weight * along).mean(1) / (weight * square).mean(1)
    return focal.clamp(min=0)


def focal_median(points: Tensor) -> Tensor:
    """Focal length (B,), pixels: the median over u z/x and v z/y, which outliers move less."""
    height, width = points.shape[1:3]
    _, pixel = _bearings(points)
    votes = pixel.unflatten(1, (height, width)) * points[..., 2:] / points[..., :2]
    return votes.flatten(1).nanmedian(1).values.clamp(min=0)
