# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Soft light: shadows and corner darkening, computed once a scene on coarse grids of points."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, grid_sample, pad

from loc3r_ros.world.scene import Scene, Shape
from loc3r_ros.world.solids import EPSILON, Solids, interval

SPACING = 0.15
"""Metres between the points at which shadows are known; they are interpolated in between."""

COARSE = 0.22
"""The same where many scenes are each looked at but shortly, m."""

_BUDGET = {'cpu': 1 << 18, 'cuda': 1 << 25}


class Lighting:
    """The light in a scene; what shines in one room does not shine in another.

    Args:
        scene: what is lit.
        solids: its solids.
        spacing: metres between the points at which shadows are known.
    """

    def __init__(self, scene: Scene, solids: Solids, spacing: float) -> None:
        low, high = (
            torch.tensor([getattr(room, name) for room in scene.rooms], device=solids.half.device)
            for name in ('low', 'high')
        )
        centre = solids.centre.to(torch.float32)[:, None, :2]
        # (S, R) how far the middle of each solid is from each room, negative inside.
        away = torch.maximum(low - centre, centre - high).amax(2)
        self._room = away.argmin(1)
        near = away <= solids.half.norm(dim=1)[:, None]
        self._volumes = [
            LightVolume(scene, room, solids, near[:, room], spacing)
            for room in range(len(scene.rooms))
        ]

    def shade(self, points: Tensor, normals: Tensor, solid: Tensor) -> Tensor:
        """Linear light (N, 3) that falls on points (N, 3) of solids (N,) with unit normals (N, 3).

        A solid is lit by the lamps of one room.
        """
        if len(self._volumes) == 1:
            return self._volumes[0].shade(points, normals)
        rooms = self._room.index_select(0, solid)
        total = torch.empty_like(points)
        for room, volume in enumerate(self._volumes):
            here = (rooms == room).nonzero()[:, 0]
            if len(here):
                light = volume.shade(points.index_select(0, here), normals.index_select(0, here))
                total.index_copy_(0, here, light)
        return total


class LightVolume:
    """How much of each lamp of a room, and of the surrounding light, arrives where.

    A ray from every grid point to a point drawn on each lamp says if it is lit; averaging over
    neighbours makes soft shadows of that. The share of open space around a point stands for the
    surrounding light that reaches it. Both are cheap and smooth, which feature tracking asks for:
    a shadow may not flicker.
    """

    def __init__(
        self, scene: Scene, room: int, solids: Solids, near: Tensor, spacing: float
    ) -> None:
        self._spacing = spacing
        device = solids.half.device
        lights = [light for light in scene.lights if light.room == room]
        low = scene.rooms[room].low
        self._position, self._colour = (
            torch.tensor([getattr(light, name) for light in lights], device=device).reshape(-1, 3)
            for name in ('position', 'colour')
        )
        self._reach, self._radius = (
            torch.tensor([getattr(light, name) for light in lights], device=device)
            for name in ('reach', 'radius')
        )
        self._ambient = torch.tensor(scene.ambient, device=device)
        size = np.array([*scene.rooms[room].size, scene.size[2]])
        self._size = torch.tensor(size, dtype=torch.float32, device=device)
        self._low = torch.tensor([*low, 0.0], dtype=torch.float32, device=device)
        # z slowest, as grid_sample orders its volume
        shape = [max(2, math.ceil(side / spacing)) for side in size[::-1].tolist()]
        ticks = [(torch.arange(n, device=device) + 0.5) / n for n in shape]
        z, y, x = torch.meshgrid(*ticks, indexing='ij')
        points = torch.stack([x, y, z], -1).reshape(-1, 3) * self._size + self._low
        lit, free = _trace(points, self._on_lamps(scene.seed, len(points)), solids, near)
        free = free.reshape(shape)
        lit = _blur(lit.reshape(-1, *shape) * free, 3) / _blur(free[None], 3).clamp(min=1e-3)
        self._volume = torch.cat([lit, _openness(free[None])])[None]

    def shade(self, points: Tensor, normals: Tensor) -> Tensor:
        """Linear light (N, 3) that falls on surface points (N, 3) with unit normals (N, 3)."""
        # One spacing off the surface, no grid point behind a table top has a say.
        grid = (points + self._spacing * normals - self._low) / self._size * 2.0 - 1.0
        share = grid_sample(
            self._volume, grid[None, None, None], align_corners=False, padding_mode='border'
        )[0, :, 0, 0]
        total = share[-1, :, None] * self._ambient
        for k, colour in enumerate(self._colour):
            to_light = self._position[k] - points
            square = (to_light * to_light).sum(1) + self._radius[k] ** 2
            cosine = (to_light * normals).sum(1) * square.rsqrt()
            strength = share[k] * cosine.clamp_(min=0.0) / (1.0 + square / self._reach[k] ** 2)
            total.addcmul_(strength[:, None], colour)
        return total

    def _on_lamps(self, seed: int, count: int) -> Tensor:
        """(L, count, 3) points drawn on the glowing ball of each light."""
        rng = np.random.default_rng((seed, 0x11647))
        ball = rng.standard_normal((len(self._radius), count, 3))
        ball /= np.linalg.norm(ball, axis=-1, keepdims=True)
        unit = torch.as_tensor(ball, dtype=torch.float32, device=self._radius.device)
        return self._position[:, None] + self._radius[:, None, None] * unit


def _trace(points: Tensor, goals: Tensor, solids: Solids, near: Tensor) -> tuple[Tensor, Tensor]:
    """What the points (N, 3) see of goals (L, N, 3), with those solids in between that are `near`.

    Returns:
        (L, N) 1 where nothing opaque lies between point and goal; (N,) 1 where the point lies in no
        solid, each taken as its box.
    """
    lit, free = torch.ones_like(goals[..., 0]), torch.ones_like(points[:, 0])
    opaque = near & (solids.emission == 0)
    step = max(1, _BUDGET.get(points.device.type, 1 << 20) // max(1, int(opaque.sum())))
    for first in range(0, len(points), step):
        part = slice(first, first + step)
        for shape in Shape:
            rows = solids.of(shape)
            maps = solids.to_unit[rows][opaque[rows]].to(torch.float32)
            if not len(maps):
                continue
            A, b = maps[..., :3], maps[..., 3].T.reshape(1, 3, -1, 1)
            o = _to_unit(A, points[part]) + b
            free[part] *= (o[0].abs().amax(0) >= 1.0).all(0)
            for k, goal in enumerate(goals):
                d = _to_unit(A, goal[part] - points[part]) + 1e-20
                near, far = interval(shape, o, d)
                blocked = (near <= far) & (far > EPSILON) & (near < 1.0)
                lit[k, part] *= ~blocked[0].any(0)
    return lit, free


def _to_unit(A: Tensor, vectors: Tensor) -> Tensor:
    """(1, 3, K, N): vectors (N, 3) in the frames of A (K, 3, 3)."""
    return (A.transpose(0, 1).reshape(-1, 3) @ vectors.T).reshape(1, 3, len(A), -1)


def _blur(volumes: Tensor, width: int) -> Tensor:
    """Average (C, z, y, x) over cubes of an odd width; the rim repeats itself."""
    padded = pad(volumes[None], (width // 2,) * 6, mode='replicate')
    return avg_pool3d(padded, width, stride=1)[0]


def _openness(free: Tensor) -> Tensor:
    """Share of free space within about 0.4 m, from 0.35 on; outside the room nothing is free."""
    near = avg_pool3d(free[None], 3, stride=1, padding=1)
    return 0.35 + 0.65 * avg_pool3d(near, 5, stride=1, padding=2)[0]
