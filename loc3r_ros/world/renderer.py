# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The ray caster: what a camera in a scene sees, the same on a CPU and on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.world.atlas import Atlas
from loc3r_ros.world.lighting import COARSE, SPACING, Lighting
from loc3r_ros.world.scene import Scene, Shape, box_corners
from loc3r_ros.world.screen import CENTRES, RAYS, Screen, fill_corners, plain_corners, screen_of
from loc3r_ros.world.solids import EPSILON, Solids, gather, interval

NEAR = 0.02
"""Solids nearer than this are cut off before they are projected, m."""

_BUDGET = {'cpu': 1 << 18, 'cuda': 1 << 25}
"""Ray-solid pairs held at once: on a CPU they should stay in its cache."""

_EDGES = [(a, a | 1 << axis) for a in range(8) for axis in range(3) if not a >> axis & 1]


@dataclass(frozen=True, eq=False)
class View:
    """What B cameras see.

    Attributes:
        rgb: (B, H, W, 3) uint8.
        depth: (B, H, W) float32, m along the optical z axis; NaN where nothing is hit.
        instance: (B, H, W) int32, `Item.instance`; 0 where nothing is hit.
    """

    rgb: Tensor
    depth: Tensor
    instance: Tensor


class Renderer:
    """Casts rays into one scene.

    Args:
        scene: what is seen.
        device: where it is computed.
        quick: for a short film of each of many scenes: shadows are known at coarser points, and
            colours between pixels only where there is an edge. Depth and instances are the same.
    """

    def __init__(
        self, scene: Scene, device: str | torch.device = 'cpu', *, quick: bool = False
    ) -> None:
        self.device = torch.device(device)
        self._solids, textures = gather(scene, self.device)
        self._atlas = Atlas(textures, self.device)
        self._light = Lighting(scene, self._solids, COARSE if quick else SPACING)
        self._quick = quick
        self._budget = _BUDGET.get(self.device.type, 1 << 22)

    @torch.inference_mode()
    def render(self, camera: PinholeCamera, T_world_camera: np.ndarray | Tensor) -> View:
        """Images of one camera at B poses (B, 4, 4)."""
        T = torch.as_tensor(T_world_camera, dtype=torch.float64, device=self.device).reshape(
            -1, 4, 4
        )
        screen = screen_of(camera, self.device)
        t, solid = self._cast(screen, T)
        rgb = [
            screen.mix(self._shade(screen, T, tiles, t[tiles], solid[tiles]))
            for tiles in torch.arange(len(t), device=self.device).split(
                self._budget // (RAYS * 4) + 1
            )
        ]
        depth, hit = screen.image(t[:, :CENTRES]), screen.image(solid[:, :CENTRES])
        missed = torch.isinf(depth)
        return View(
            screen.image(tone(torch.cat(rgb))),
            depth.masked_fill_(missed, torch.nan),
            self._solids.instance[hit].masked_fill_(missed, 0),
        )

    def _cast(self, screen: Screen, T: Tensor) -> tuple[Tensor, Tensor]:
        """Depth (inf: none) and row of the nearest solid, (B * tiles, RAYS) each."""
        tiles = len(screen.rays)
        t = torch.full((len(T) * tiles, RAYS), torch.inf, device=self.device)
        solid = torch.zeros_like(t, dtype=torch.int64)
        low, high = _bounds(self._solids, T)
        for shape in Shape:
            rows = self._solids.of(shape)
            overlap = (low[:, None, rows] <= screen.high[:, None]) & (
                high[:, None, rows] >= screen.low[:, None]
            )
            maps = self._solids.to_unit[rows]
            A = (maps[None, :, :, :3] @ T[:, None, :3, :3]).to(torch.float32)
            o = (maps[None, :, :, :3] @ T[:, None, :3, 3:] + maps[None, :, :, 3:]).to(torch.float32)
            for part, candidates in _batches(overlap.all(-1).flatten(0, 1), self._budget // RAYS):
                view = torch.div(part, tiles, rounding_mode='floor')[:, None]
                d = self._directions(A[view, candidates], screen.rays[part % tiles])
                entry, leave = interval(shape, o[view, candidates].permute(0, 2, 1, 3), d)
                entry.masked_fill_(~((entry <= leave) & (entry > EPSILON)), torch.inf)
                nearest, which = entry.min(1)
                closer = nearest < t[part]
                t[part] = torch.where(closer, nearest, t[part])
                solid[part] = torch.where(
                    closer, rows.start + candidates.gather(1, which), solid[part]
                )
        return t, solid

    @staticmethod
    def _directions(A: Tensor, rays: Tensor) -> Tensor:
        """(M, 3, K, RAYS) ray directions in unit frames: A is (M, K, 3, 3), rays (M, 3, RAYS)."""
        M, K = A.shape[:2]
        stacked = A.transpose(1, 2).reshape(M, 3 * K, 3)
        # A component that is exactly zero would make 0 * inf in the slab test.
        tiny = torch.full((), 1e-20, device=A.device)
        return torch.baddbmm(tiny, stacked, rays).reshape(M, 3, K, -1)

    def _shade(self, screen: Screen, T: Tensor, tiles: Tensor, t: Tensor, solid: Tensor) -> Tensor:
        """Linear colours (M, RAYS, 3) of hits (M, RAYS)."""
        view, local = (
            torch.div(tiles, len(screen.rays), rounding_mode='floor'),
            tiles % len(screen.rays),
        )
        R = T[view, :3, :3].to(torch.float32)
        ray = torch.bmm(R, screen.rays[local]).transpose(1, 2).reshape(-1, 3)
        centre = T[view, :3, 3].to(torch.float32).repeat_interleave(RAYS, 0)
        rays = centre, ray, t.reshape(-1), solid.reshape(-1)
        if not self._quick:
            return self._radiance(screen.pixel, *rays).reshape(-1, RAYS, 3)
        plain = plain_corners(solid[:, :CENTRES], solid[:, CENTRES:])
        needed = torch.cat([torch.ones_like(solid[:, :CENTRES], dtype=torch.bool), ~plain], 1)
        index = needed.flatten().nonzero()[:, 0]
        some = self._radiance(screen.pixel, *(values.index_select(0, index) for values in rays))
        linear = torch.zeros_like(ray).index_copy_(0, index, some).reshape(-1, RAYS, 3)
        return fill_corners(linear, plain)

    def _radiance(
        self, pixel: float, centre: Tensor, ray: Tensor, t: Tensor, solid: Tensor
    ) -> Tensor:
        """Linear colours (N, 3) of N hits; black where t is infinite."""
        hit = t.isfinite()
        t = t.where(hit, 0.0)
        point = centre + t[:, None] * ray
        normal, face, surface = self._surface(point, solid)
        length = ray.norm(dim=1)
        cosine = (normal * ray).sum(1).abs() / length
        chart = self._solids.chart.flatten(0, 1).index_select(0, 4 * solid + face)
        uv = (chart[..., :3] @ surface[..., None])[..., 0] + chart[..., 3]
        # Between the sharp and the blurred direction of a slanted footprint.
        footprint = pixel * t * length * cosine.clamp(min=0.05).rsqrt()
        texel = self._solids.texel.flatten().index_select(0, 4 * solid + face)
        level = torch.log2(footprint / texel + 1e-6) - 0.5
        colour = self._atlas.sample(self._solids.texture[solid], uv, level)
        albedo = (colour * self._solids.tint.index_select(0, solid)).square_()
        emission = self._solids.emission[solid][:, None]
        light = self._light.shade(point, normal, solid)
        return albedo * torch.where(emission > 0, emission, light) * hit[:, None]

    def _surface(self, point: Tensor, solid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """World normals (N, 3), chart numbers (N,) and metric chart coordinates (N, 3)."""
        maps = (
            self._solids.to_unit.to(torch.float32).flatten(1).index_select(0, solid).view(-1, 3, 4)
        )
        p = (maps[..., :3] @ point[..., None])[..., 0] + maps[..., 3]
        shape = self._solids.shape[solid]
        box, ball = shape == Shape.BOX.value, shape == Shape.SPHERE.value
        radial = torch.hypot(p[:, 0], p[:, 1])
        cap = ~ball & ~box & (p[:, 2].abs() >= radial)
        face = torch.where(box, p.abs().argmax(1), torch.where(cap, 2, 3))
        flat = torch.nn.functional.one_hot(face, 4)[:, :3] * p.sign()
        round_ = torch.where(ball[:, None], p, p * p.new_tensor([1.0, 1.0, 0.0]))
        gradient = torch.where((face < 3)[:, None], flat, round_)
        normal = torch.nn.functional.normalize((gradient[:, None] @ maps[..., :3])[:, 0], dim=1)
        metric = p * self._solids.half.index_select(0, solid)
        wrapped = torch.stack([torch.atan2(p[:, 1], p[:, 0]), metric[:, 2], metric[:, 2]], 1)
        return normal, face, torch.where((face < 3)[:, None], metric, wrapped)


def tone(linear: Tensor) -> Tensor:
    """uint8 sRGB (by its square-root approximation) of linear light; highlights roll off."""
    return (255.0 * (1.0 - torch.exp(-1.9 * linear)).sqrt_()).round_().to(torch.uint8)


def _bounds(solids: Solids, T: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds (B, S, 2) of each solid's box in normalised image coordinates; empty if behind."""
    A, b = solids.to_unit[..., :3], solids.to_unit[..., 3:]
    unit = torch.as_tensor(box_corners(-np.ones(3), np.ones(3)), device=A.device)
    world = torch.linalg.solve(A, unit.T - b).transpose(1, 2)
    corners = ((world - T[:, None, None, :3, 3]) @ T[:, None, :3, :3]).to(torch.float32)
    first, second = corners[:, :, [a for a, _ in _EDGES]], corners[:, :, [b for _, b in _EDGES]]
    za, zb = first[..., 2:], second[..., 2:]
    cut = ((NEAR - za) / torch.where(za == zb, 1.0, zb - za)).clamp(0.0, 1.0)
    crossing = torch.lerp(first, second, cut)
    ends = torch.cat(
        [torch.where(za < NEAR, crossing, first), torch.where(zb < NEAR, crossing, second)], 2
    )
    seen = (torch.maximum(za, zb) >= NEAR).repeat(1, 1, 2, 1)
    xy = ends[..., :2] / ends[..., 2:].clamp(min=NEAR)
    inf = torch.full_like(xy, torch.inf)
    return torch.where(seen, xy, inf).amin(2), torch.where(seen, xy, -inf).amax(2)


def _batches(overlap: Tensor, budget: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Groups of tiles with about equally many candidate solids.

    Args:
        overlap: (tiles, S) which solid may show in which tile.
        budget: largest number of tiles times candidates in a group.

    Yields:
        tile numbers (M,) and candidates (M, K). Where a tile has fewer than K, others fill up: it
        does no harm to test them.
    """
    counts, order = overlap.sum(1).sort(descending=True)
    numbers = counts.tolist()
    start, end = 0, len(numbers)
    while start < end and numbers[start]:
        K = numbers[start]
        part = order[start : start + max(1, budget // K)]
        part = part[: sum(1 for n in numbers[start : start + len(part)] if n)]
        yield part, overlap[part].to(torch.uint8).topk(K, 1).indices
        start += len(part)
