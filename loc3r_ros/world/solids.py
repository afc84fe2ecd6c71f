# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""All solids of a scene as tensors, and where a ray meets them.

Each solid is the image of a unit solid (cube [-1, 1]^3, or the cylinder or sphere in it) under an
affine map. A ray is brought into the unit frame without renormalising its direction, so the
parameter t along it is the same in every frame. A camera ray has direction (x/z, y/z, 1) in the
optical frame: its t is the depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from loc3r_ros.geometry import Array, invert
from loc3r_ros.world.scene import Material, Scene, Shape

EPSILON = 1e-4
"""Nearest distance along a ray that counts; solids are seen from outside only."""

FACES = 4
"""Texture charts of a solid: across x, y and z, and round the side of what is round."""


@dataclass(frozen=True, eq=False)
class Solids:
    """S solids in the order of their shapes; float64 where poses are chained, else float32.

    Attributes:
        to_unit: (S, 3, 4) float64, world to unit frame.
        half: (S, 3) half extents, m.
        shape: (S,) int64, a `Shape` value.
        instance: (S,) int32.
        emission: (S,)
        tint: (S, 3)
        texture: (S,) int64 index into the textures that `gather` returned beside this.
        chart: (S, FACES, 2, 4): texture coordinates (fractions) of metric surface coordinates.
        texel: (S, FACES) metres per texel.
    """

    to_unit: Tensor
    half: Tensor
    shape: Tensor
    instance: Tensor
    emission: Tensor
    tint: Tensor
    texture: Tensor
    chart: Tensor
    texel: Tensor

    @property
    def centre(self) -> Tensor:
        """(S, 3) float64 in `map`, m."""
        return torch.linalg.solve(self.to_unit[..., :3], -self.to_unit[..., 3])

    def of(self, shape: Shape) -> slice:
        """The rows that hold one shape."""
        first, last = torch.searchsorted(
            self.shape, torch.tensor([shape.value, shape.value + 1], device=self.shape.device)
        ).tolist()
        return slice(first, last)


def gather(scene: Scene, device: torch.device) -> tuple[Solids, list[np.ndarray]]:
    """The solids of a scene, and the distinct textures that they use."""
    pairs = [(item, solid) for item in scene.items for solid in item.solids]
    pairs.sort(key=lambda pair: pair[1].shape.value)
    textures: dict[int, np.ndarray] = {}
    for _, solid in pairs:
        textures.setdefault(id(solid.material.texture), solid.material.texture)
    number = {key: k for k, key in enumerate(textures)}
    half = np.array([solid.size for _, solid in pairs]) / 2.0
    T_solid_map = invert(np.array([item.T_map_item @ solid.T_item_solid for item, solid in pairs]))
    charts = [
        _charts(h, solid.material, k)
        for k, ((_, solid), h) in enumerate(zip(pairs, half, strict=True))
    ]

    def tensor(values: object, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.as_tensor(np.array(values), dtype=dtype, device=device)

    solids = Solids(
        to_unit=tensor(T_solid_map[:, :3] / half[:, :, None], torch.float64),
        half=tensor(half),
        shape=tensor([solid.shape.value for _, solid in pairs], torch.int64),
        instance=tensor([item.instance for item, _ in pairs], torch.int32),
        emission=tensor([solid.material.emission for _, solid in pairs]),
        tint=tensor([solid.material.tint for _, solid in pairs]),
        texture=tensor([number[id(solid.material.texture)] for _, solid in pairs], torch.int64),
        chart=tensor([chart for chart, _ in charts]),
        texel=tensor([texel for _, texel in charts]),
    )
    return solids, list(textures.values())


def interval(shape: Shape, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Where lines enter and leave unit solids; they miss where entry > exit.

    Args:
        shape: kind of all the solids.
        origin, direction: (M, 3, K, R) each, in the unit frames; they may broadcast.

    Returns:
        entry and exit (M, K, R), along `direction`.
    """
    if shape is Shape.BOX:
        return _slabs(origin, direction)
    if shape is Shape.SPHERE:
        return _ball(origin, direction)
    side_in, side_out = _ball(origin[:, :2], direction[:, :2])
    cap_in, cap_out = _slabs(origin[:, 2:], direction[:, 2:])
    return torch.maximum(side_in, cap_in), torch.minimum(side_out, cap_out)


def _slabs(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    # Entry into slab |x| <= 1 is -o/d - |1/d|, exit -o/d + |1/d|.
    inverse = direction.reciprocal()
    middle = origin * inverse
    reach = inverse.abs_()
    return -(middle + reach).amin(1), (reach - middle).amin(1)


def _ball(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    # About the nearest point of the line, where nothing large cancels (thin legs seen from afar).
    square = (direction * direction).sum(1)
    nearest = -(origin * direction).sum(1) / square
    offset = origin + nearest[:, None] * direction
    # Negative under the root: NaN, which fails every comparison, so that the ray misses.
    chord = ((1.0 - (offset * offset).sum(1)) / square).sqrt_()
    return nearest - chord, nearest + chord


def _charts(half: Array, material: Material, index: int) -> tuple[Array, Array]:
    """Texture charts (FACES, 2, 4) of a solid and the size of their texels (FACES,), m."""
    h, w = material.texture.shape[:2]
    # (axis of u, axis of v) and the extents of each chart; rows of an image run down, so v is -z.
    around = 2 * np.pi * 0.5 * (half[0] + half[1])
    size = 2.0 * half
    plan = [(1, 2, size[1], size[2]), (0, 2, size[0], size[2]), (0, 1, size[0], size[1])]
    chart, texel = np.zeros((FACES, 2, 4)), np.zeros(FACES)
    for face, (u, v, along, up) in enumerate(plan):
        swap = material.grain and up > along
        if material.width is None:
            chart[face, 0, [u, 3]] = 1.0 / along, 0.5
            chart[face, 1, [v, 3]] = -1.0 / up, 0.5
            texel[face] = max(along / w, up / h)
            continue
        a, b = (v, u) if swap else (u, v)
        shift = (0.618034 * index) % 1.0, (0.414214 * index) % 1.0
        chart[face, 0, [a, 3]] = 1.0 / material.width, shift[0]
        chart[face, 1, [b, 3]] = -w / (h * material.width), shift[1]
        texel[face] = material.width / w
    turns = 1.0 if material.width is None else max(1.0, np.round(around / material.width))
    chart[3, 0, [0, 3]] = turns / (2 * np.pi), 0.5
    tall = size[2] if material.width is None else material.width * h / w
    chart[3, 1, [1, 3]] = -1.0 / tall, 0.5
    texel[3] = around / (turns * w)
    return chart, texel
