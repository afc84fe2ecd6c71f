# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What an RGB-D camera makes of true depth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass(frozen=True)
class DepthNoise:
    """Noise of a triangulating depth camera.

    Deviation and quantisation grow with z^2, as disparity is what it measures (Khoshelham and
    Elberink, Sensors 2012); the figures are those of a current short-baseline stereo camera.

    Attributes:
        base: deviation at zero depth, m.
        growth: deviation that is added a square metre of z^2, 1/m.
        step: quantisation a square metre of z^2, 1/m.
        edge: relative jump between neighbours at which depth is lost.
        edge_loss: share of the pixels at such jumps that have no depth.
        speckle_loss: share of all pixels that have none.
        near, far: range, m.
    """

    base: float = 0.001
    growth: float = 0.0015
    step: float = 0.0005
    edge: float = 0.04
    edge_loss: float = 0.7
    speckle_loss: float = 0.002
    near: float = 0.3
    far: float = 6.0

    def scaled(self, factor: float) -> DepthNoise:
        """The same camera, noisier by a factor; 0 leaves only the range."""
        return replace(
            self,
            base=factor * self.base,
            growth=factor * self.growth,
            step=factor * self.step,
            edge_loss=min(1.0, factor * self.edge_loss),
            speckle_loss=min(1.0, factor * self.speckle_loss),
        )

    def measure(self, depth: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
        """A measurement (H, W), m, of true depth (H, W), m; NaN where there is none."""
        z = depth.astype(np.float64)
        h, w = z.shape
        white = rng.standard_normal((h + 1, w + 1))
        # Neighbours share half of their noise, as matching windows overlap.
        noise = 0.5 * (white[:-1, :-1] + white[1:, :-1] + white[:-1, 1:] + white[1:, 1:])
        noisy = z + noise * (self.base + self.growth * z * z)
        if self.step > 0:
            with np.errstate(divide='ignore', invalid='ignore'):
                noisy = 1.0 / (self.step * np.round(1.0 / (self.step * noisy)))
        lost: NDArray[np.bool_] = self._edges(z) & (rng.random((h, w)) < self.edge_loss)
        lost |= rng.random((h, w)) < self.speckle_loss
        with np.errstate(invalid='ignore'):
            lost |= ~((noisy >= self.near) & (noisy <= self.far))
        return np.where(lost, np.nan, noisy).astype(np.float32)

    def _edges(self, z: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Pixels beside a jump in depth."""
        edges = np.zeros(z.shape, bool)
        for axis in (0, 1):
            a, b = np.moveaxis(z, axis, 0), np.moveaxis(edges, axis, 0)
            with np.errstate(invalid='ignore'):
                jump = np.abs(a[1:] - a[:-1]) > self.edge * np.minimum(a[1:], a[:-1])
            b[1:] |= jump
            b[:-1] |= jump
        return edges
