# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which way is up, and where the floor is, from one depth image of a camera without TF.

Indoors most surfaces are level or upright. The direction that most of the planar area agrees with
is up: level surfaces (floor, tables, shelves) have it as their normal, walls hold it in their
plane. Walls need not be at right angles. A vote over candidates from the patches themselves finds
it, and pooling the patches into large planes refines it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import pose
from loc3r_ros.mapping.patches import Array, Patches, find_patches

_LARGEST_TILT = np.deg2rad(50.0)  # of the camera's -y from up
_DRAWN = 400  # candidates from single patches; from pairs, four times as many
_REFINED = 4  # candidates that are refined
_APART = np.deg2rad(12.0)  # candidates this close are one
_VOTE = np.deg2rad(5.0)  # width of the vote's kernel
_WALL_VOTE = 0.7  # of a level surface's: walls leave one angle open
_PRIOR = 0.4  # of its score, a direction at the largest tilt loses this
_WALL_TRUST = 0.15  # information from walls, against level planes: their fronts lean more
_AGREE = np.deg2rad(6.0)  # a patch within this of level or upright belongs
_PLANE = 0.04  # m; patches within this of a plane are pooled with it
_ROUNDS = 4
_DOUBT = np.deg2rad(1.5)  # standard deviation of up that halves the confidence
_LARGEST_DOUBT = np.deg2rad(4.0)

_FLOOR_AREA = 0.15  # square m of floor that must be in sight
_STRAY = 0.01  # share of the points that may lie below the floor
_LEAST_HEIGHT = 0.08  # m; of a camera above the floor


@dataclass(frozen=True, eq=False)
class Level:
    """The camera above the floor.

    Attributes:
        T_level_camera: (4, 4) optical frame to level frame. z is up, x is the camera's forward
            direction along the floor. The origin is below the camera on the floor where
            `floor_seen`; else it is at the camera, whose height is not known.
        floor_seen: whether the lowest level plane in sight could be taken for the floor: next to
            nothing is seen below it. A table that fills the view cannot be told from a floor.
        confidence: 0 to 1: the share of the planar area that agrees, less with more doubt in
            the angle.

    """

    T_level_camera: Array
    floor_seen: bool
    confidence: float


def find_level(points: NDArray[np.float32]) -> Level | None:
    """Find up and the floor in one cloud; the camera's -y must be within 50 degrees of up.

    Args:
        points: (H, W, 3) in the camera's optical frame, m; NaN where there is no depth.

    Returns:
        None where the cloud does not say: too few points, or only one wall in sight.

    Raises:
        InputError: when the shape is wrong.

    """
    if points.ndim != 3 or points.shape[2] != 3:
        raise InputError(
            f'points have shape {points.shape}: allowed is an image of points (H, W, 3)'
        )
    patches = find_patches(points)
    if len(patches) < 3:
        return None
    refined = [r for r in (_refine(patches, up) for up in _candidates(patches)) if r]
    if not refined:
        return None
    up, doubt = max(refined, key=lambda r: float(_score(patches, r[0][None])[0]) * _trust(r[1]))
    level, walls = _sort(patches, up)
    share = patches.area[level | walls].sum() / patches.area.sum()
    height = _floor(points, patches[np.flatnonzero(level)], up)
    T = pose(_axes(up), (0.0, 0.0, height or 0.0))
    return Level(T, height is not None, float(share * _trust(doubt)))


def _axes(up: Array) -> Array:
    """R_level_camera of the up direction in the optical frame."""
    forward = np.array([0.0, 0.0, 1.0]) - up[2] * up
    forward /= np.linalg.norm(forward)
    return np.stack([forward, np.cross(up, forward), up])


def _candidates(patches: Patches) -> list[Array]:
    """The few directions that most planar area agrees with, well apart from each other."""
    rng = np.random.default_rng(0)
    normal = patches.normal
    pairs = rng.integers(len(patches), size=(4 * _DRAWN, 2))
    edges = np.cross(normal[pairs[:, 0]], normal[pairs[:, 1]])  # where two walls meet
    length = np.linalg.norm(edges, axis=1)
    edges = edges[length > 0.5] / length[length > 0.5, None]
    some = rng.permutation(len(patches))[:_DRAWN]
    drawn = np.concatenate([[(0.0, -1.0, 0.0)], normal[some], edges])
    drawn *= np.where(drawn[:, 1:2] > 0, -1.0, 1.0)
    drawn = drawn[-drawn[:, 1] > np.cos(_LARGEST_TILT)]
    score = _score(patches, drawn)
    best: list[Array] = []
    while len(drawn) and len(best) < _REFINED:
        best.append(drawn[int(np.argmax(score))])
        apart = drawn @ best[-1] < np.cos(_APART)
        drawn, score = drawn[apart], score[apart]
    return best


def _score(patches: Patches, ups: Array) -> Array:
    """Planar area (U,) that agrees with each direction (U, 3), less for a camera tilted more."""
    off = np.arcsin(np.clip(np.abs(ups @ patches.normal.T), 0.0, 1.0))
    votes = np.exp(-(((np.pi / 2 - off) / _VOTE) ** 2)) + _WALL_VOTE * np.exp(-((off / _VOTE) ** 2))
    tilt = np.arccos(np.clip(-ups[:, 1], -1.0, 1.0))
    # A room's corner fits three ways; the camera's mount tells which.
    return votes @ patches.area * (1.0 - _PRIOR * (tilt / _LARGEST_TILT) ** 2)


def _trust(doubt: float) -> float:
    return 1.0 / (1.0 + (doubt / _DOUBT) ** 2)


def _refine(patches: Patches, up: Array) -> tuple[Array, float] | None:
    """Up and its standard deviation (rad) from large planes; None where it stays open."""
    start, doubt = up, np.inf
    for _ in range(_ROUNDS):
        level, walls = _sort(patches, up)
        values, vectors = np.linalg.eigh(_information(patches, level, walls, up))
        doubt = 1.0 / np.sqrt(max(values[1], 1e-9))
        up = vectors[:, 0] * np.sign(vectors[:, 0] @ up)
        strayed = up @ start < np.cos(_APART) or -up[1] < np.cos(_LARGEST_TILT)
        if strayed or doubt > _LARGEST_DOUBT:
            return None
    return up, doubt


def _sort(patches: Patches, up: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which patches are level, and which upright."""
    cosine = np.abs(patches.normal @ up)
    return cosine > np.cos(_AGREE), cosine < np.sin(_AGREE)


def _information(
    patches: Patches, level: NDArray[np.bool_], walls: NDArray[np.bool_], up: Array
) -> Array:
    """(3, 3) information of up: what level planes and walls say together."""
    total = np.zeros((3, 3))
    for plane in _planes(patches, level, up):
        total += plane.information()
    for wall in _planes(patches, walls, None):
        information = wall.information()
        normal = np.linalg.eigh(information)[1][:, 0]
        total += _WALL_TRUST * (up @ information @ up) * np.outer(normal, normal)
    return total


def _planes(
    patches: Patches, members: NDArray[np.bool_], normal: Array | None
) -> Iterator[Patches]:
    """Group patches into planes with a normal, or with that of each one's largest patch."""
    left = patches[np.flatnonzero(members)]
    left = left[np.argsort(-left.area, kind='stable')]
    while len(left):
        n = left.normal[0] if normal is None else normal
        offset = (left.mean - left.mean[0]) @ n
        same = (np.abs(offset) < _PLANE) & (np.abs(left.normal @ n) > np.cos(_AGREE))
        same[0] = True
        yield left[np.flatnonzero(same)]
        left = left[np.flatnonzero(~same)]


def _floor(points: NDArray[np.float32], level: Patches, up: Array) -> float | None:
    """Height of the camera above the floor, m; None where no floor is in sight."""
    drop = -(points.reshape(-1, 3) @ up.astype(np.float32))
    drop = drop[np.isfinite(drop)]
    drops = -(level.mean @ up)
    for lowest in np.sort(drops)[::-1]:
        if lowest < _LEAST_HEIGHT or np.mean(drop > lowest + 2 * _PLANE) > _STRAY:
            return None
        near = np.abs(drops - lowest) <= _PLANE
        if level.area[near].sum() >= _FLOOR_AREA:
            return float(np.average(drops[near], weights=level.area[near] / level.noise[near]))
    return None
