# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Small planar patches of an organised point cloud, as moments that can be pooled into planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SIZES = (8, 16, 32)  # pixels: fine for small tables, coarse for sparse depth
_LEAST_POINTS = 10
_LEAST_EXTENT = 0.015  # m; standard deviation along the shorter side
_STRAIGHT = 0.05  # rad; worst standard deviation of a patch's normal that is of use


@dataclass(frozen=True, eq=False)
class Patches:
    """P planar patches.

    Attributes:
        mean: (P, 3) m.
        scatter: (P, 3, 3) covariance of the points, square m.
        normal: (P, 3) unit, towards the camera.
        area: (P,) square m; it adds up over the patches of a surface.
        noise: (P,) standard deviation of its depth that is to be expected, m.

    """

    mean: Array
    scatter: Array
    normal: Array
    area: Array
    noise: Array

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, index: NDArray) -> Patches:
        return Patches(*(getattr(self, f)[index] for f in self.__dataclass_fields__))

    def information(self) -> Array:
        """(3, 3) information I of the plane that holds them all.

        n^T I n is the sum of squared distances along n from their mean, in units of the noise. The
        points of a patch share their error, so that each patch counts as one measurement.
        """
        weight = self.noise**-2
        centred = self.mean - weight @ self.mean / weight.sum()
        spread = self.scatter + centred[:, :, None] * centred[:, None, :]
        return np.einsum('p,pij->ij', weight, spread)


def find_patches(points: NDArray[np.float32]) -> Patches:
    """Cut a cloud (H, W, 3), NaN = invalid, into squares of several sizes; keep the planar ones."""
    found = [_planar(*_moments(points, size)) for size in _SIZES]
    fields = Patches.__dataclass_fields__
    return Patches(*(np.concatenate([getattr(p, f) for p in found]) for f in fields))


def _moments(points: NDArray[np.float32], size: int) -> tuple[Array, Array, Array]:
    """Count (P,), mean (P, 3) and covariance (P, 3, 3) of the finite points of each square."""
    rows, columns = points.shape[0] // size, points.shape[1] // size
    cut = points[: rows * size, : columns * size].astype(np.float64)
    cut = cut.reshape(rows, size, columns, size, 3).swapaxes(1, 2).reshape(-1, size * size, 3)
    valid = np.isfinite(cut).all(-1) & (cut[..., 2] > 0)
    n = valid.sum(1)
    keep = n >= _LEAST_POINTS
    cut, valid, n = cut[keep], valid[keep], n[keep].astype(np.float64)
    cut = np.where(valid[..., None], cut, 0.0)
    mean = cut.sum(1) / n[:, None]
    centred = (cut - mean[:, None]) * valid[..., None]
    return n, mean, np.swapaxes(centred, 1, 2) @ centred / n[:, None, None]


def _planar(n: Array, mean: Array, scatter: Array) -> Patches:
    """The squares that hold one plane, as far as the noise of depth allows to say."""
    values, vectors = np.linalg.eigh(scatter)
    values = np.maximum(values, 1e-12)
    noise = 0.003 + 0.003 * mean[:, 2] ** 2
    normal = vectors[:, :, 0]
    normal = normal * -np.sign(np.einsum('pi,pi->p', normal, mean))[:, None]
    straight = np.sqrt(values[:, 0] / (n * values[:, 1])) < _STRAIGHT
    flat = (np.sqrt(values[:, 0]) < noise) & (values[:, 1] > 4 * values[:, 0])
    keep = straight & flat & (values[:, 1] > _LEAST_EXTENT**2)
    # A uniform rectangle; the sizes look at the same surfaces, so that each counts in part.
    area = 12.0 * np.sqrt(values[:, 1] * values[:, 2]) / len(_SIZES)
    return Patches(mean, scatter, normal, area, noise)[np.flatnonzero(keep)]
