# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Do two items share space? Oriented boxes and the separating-axis test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from loc3r_ros.geometry import Array
from loc3r_ros.world.scene import Item


@dataclass(frozen=True, eq=False)
class Boxes:
    """N oriented boxes in `map`; round solids are taken as the boxes around them.

    Attributes:
        centre: (N, 3), m.
        axes: (N, 3, 3), the box's axes in its columns.
        half: (N, 3) half extents, m.
    """

    centre: Array
    axes: Array
    half: Array

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """(N, 3) lowest and highest corner of each along the axes of `map`, m."""
        reach = (np.abs(self.axes) * self.half[:, None]).sum(2)
        return self.centre - reach, self.centre + reach

    @staticmethod
    def of(item: Item) -> Boxes:
        """One box for each solid of an item."""
        T = item.T_map_item @ np.array([solid.T_item_solid for solid in item.solids])
        half = np.array([solid.size for solid in item.solids]) / 2.0
        return Boxes(T[:, :3, 3], T[:, :3, :3], half)

    @staticmethod
    def join(parts: list[Boxes]) -> Boxes:
        return Boxes(
            np.concatenate([p.centre for p in parts]),
            np.concatenate([p.axes for p in parts]),
            np.concatenate([p.half for p in parts]),
        )


def gap(a: Boxes, b: Boxes) -> Array:
    """(N, M) widest gap along any separating axis, m; negative: how deep the boxes overlap.

    Source: Gottschalk, Lin and Manocha, OBBTree, SIGGRAPH 1996, section 5.
    """
    R = np.einsum('nji,mjk->nmik', a.axes, b.axes)
    d = np.einsum('nji,nmj->nmi', a.axes, b.centre[None] - a.centre[:, None])
    ea, eb = a.half[:, None], b.half[None]
    gaps = [
        np.abs(d) - ea - np.einsum('nmik,nmk->nmi', np.abs(R), eb * np.ones_like(ea)),
        np.abs(np.einsum('nmik,nmi->nmk', R, d))
        - eb
        - np.einsum('nmik,nmi->nmk', np.abs(R), ea * np.ones_like(eb)),
    ]
    # Cross products of the axes; i and k name the axis of a and of b.
    for i in range(3):
        before, after = (i + 1) % 3, (i + 2) % 3
        for k in range(3):
            axis = np.zeros_like(d)
            axis[..., before], axis[..., after] = -R[:, :, after, k], R[:, :, before, k]
            length = np.linalg.norm(axis, axis=-1)
            reach = (np.abs(axis) * ea).sum(-1) + (
                np.abs(np.einsum('nmik,nmi->nmk', R, axis)) * eb
            ).sum(-1)
            apart = np.abs((axis * d).sum(-1)) - reach
            # Parallel axes say nothing that the faces have not said.
            gaps.append(
                np.where(length > 1e-6, apart / np.maximum(length, 1e-6), -np.inf)[..., None]
            )
    return np.concatenate(gaps, -1).max(-1)


def clear_of(item: Item, others: Boxes | None, margin: float) -> bool:
    """Whether no solid of an item comes nearer than `margin` (m) to any of the boxes."""
    if others is None:
        return True
    own = Boxes.of(item)
    low, high = own.bounds
    # What is this far apart along an axis of `map` is apart by `margin` along one of theirs.
    far = 4.0 * margin + 0.01
    near = ((others.bounds[0] <= high.max(0) + far) & (others.bounds[1] >= low.min(0) - far)).all(1)
    if not near.any():
        return True
    some = Boxes(others.centre[near], others.axes[near], others.half[near])
    return bool((gap(own, some) >= margin).all())
