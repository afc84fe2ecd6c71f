# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Least-squares poses of keyframes from relative measurements.

Gauss-Newton on SE(3) as in Grisetti et al., "A tutorial on graph-based SLAM" (2010), section IV.
A few hundred keyframes are solved whole, sparsely, in milliseconds; the first pose is held. Every
edge carries a Cauchy weight, so that one wrong match cannot bend the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, identity
from scipy.sparse.linalg import splu

from loc3r_ros.geometry import Array, invert
from loc3r_ros.tracking.estimate import boxplus, log_se3

KERNEL = 3.0
"""Residual, in standard deviations, at which the weight of an edge has fallen to one half."""


@dataclass(frozen=True, eq=False)
class Edge:
    """A measured T_a_b of keyframes a and b; the information is of its right perturbation."""

    a: int
    b: int
    T_a_b: Array
    information: Array


def edges_to_arrays(edges: list[Edge]) -> dict[str, NDArray]:
    """Edges as arrays, for a file."""
    return {
        'edge_ids': np.array([(e.a, e.b) for e in edges], np.int64).reshape(-1, 2),
        'edge_poses': np.array([e.T_a_b for e in edges]).reshape(-1, 4, 4),
        'edge_information': np.array([e.information for e in edges]).reshape(-1, 6, 6),
    }


def edges_from_arrays(arrays: Mapping[str, NDArray]) -> list[Edge]:
    """The edges that `edges_to_arrays` was given."""
    columns = (arrays[k] for k in ('edge_ids', 'edge_poses', 'edge_information'))
    return [Edge(int(a), int(b), T, H) for (a, b), T, H in zip(*columns, strict=True)]


def optimise(poses: list[Array], edges: list[Edge], *, rounds: int = 10) -> list[Array]:
    """Best poses `T_map_k` for all edges; pose 0 stays where it is.

    Args:
        poses: (4, 4) each, the starting values.
        edges: relative measurements; every pose must hang on pose 0 through them.
        rounds: Gauss-Newton steps at the most; it stops below 0.1 mm and 0.1 mrad.

    Returns:
        The new poses, in the same order.
    """
    if len(poses) < 2 or not edges:
        return list(poses)
    T = np.stack(poses)
    a, b = np.array([e.a for e in edges]), np.array([e.b for e in edges])
    measured_inverse = invert(np.stack([e.T_a_b for e in edges]))
    information = np.stack([e.information for e in edges])
    for _ in range(rounds):
        T_b_a = invert(T[b]) @ T[a]
        r = log_se3(measured_inverse @ invert(T_b_a))
        chi2 = np.einsum('ki,kij,kj->k', r, information, r)
        W = information / (1.0 + chi2 / KERNEL**2)[:, None, None]
        d = _solve(len(T), a, b, -adjoint(T_b_a), W, r)
        T[1:] = boxplus(T[1:], d)
        if np.abs(d).max() < 1e-4:
            break
    return list(T)


def adjoint(T: Array) -> Array:
    """Maps (rotation, translation) tangents through poses (K, 4, 4): T exp(d) = exp(Ad_T d) T."""
    R, t = T[:, :3, :3], T[:, :3, 3]
    out = np.zeros((len(T), 6, 6))
    out[:, :3, :3] = out[:, 3:, 3:] = R
    out[:, 3:, :3] = np.cross(t[:, None, :], np.swapaxes(R, 1, 2)).swapaxes(1, 2)
    return out


def _solve(n: int, a: NDArray, b: NDArray, J_a: Array, W: Array, r: Array) -> Array:
    """Steps (n - 1, 6) of one Gauss-Newton round; the Jacobian of b is the identity."""
    JtW = np.swapaxes(J_a, 1, 2) @ W
    blocks = np.concatenate([JtW @ J_a, JtW, W @ J_a, W])
    row = 6 * np.concatenate([a, a, b, b])[:, None, None] + np.arange(6)[:, None]
    col = 6 * np.concatenate([a, b, a, b])[:, None, None] + np.arange(6)
    shape = blocks.shape
    entries = (np.broadcast_to(row, shape).ravel(), np.broadcast_to(col, shape).ravel())
    H = coo_matrix((blocks.ravel(), entries), (6 * n, 6 * n)).tocsc()
    g = np.zeros((n, 6))
    np.add.at(g, a, np.einsum('kij,kj->ki', JtW, r))
    np.add.at(g, b, np.einsum('kij,kj->ki', W, r))
    # A touch of damping keeps a pose that hangs on one degenerate edge where it is.
    H = H[6:, 6:] + 1e-3 * identity(6 * n - 6, format='csc')
    return -splu(H).solve(g[1:].ravel()).reshape(-1, 6)
