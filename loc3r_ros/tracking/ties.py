# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Edges between a new keyframe and older ones that see the same, measured beside the tracking.

They take longer than a frame, and no later frame needs them at once: a new keyframe hangs on the
pose it was tracked with until they are there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from loc3r_ros.geometry import Array, invert, rotation_angle
from loc3r_ros.tracking.covariance import sigma
from loc3r_ros.tracking.estimate import Estimate, Matches, fuse, solve_pnp
from loc3r_ros.tracking.features import Features
from loc3r_ros.tracking.pose_graph import Edge
from loc3r_ros.tracking.registration import Cloud, register

MIN_FITNESS = 0.4
"""Share of a cloud that must find its surface when features vouch for the pose."""

MIN_FITNESS_ALONE = 0.6
"""The same without features: a wall fits another wall."""

GATE_M, GATE_RAD = 0.15, np.radians(8.0)
"""How far registration may move a pose from where it started and still be believed."""

RECOGNITION_MATCHES, RECOGNITION_SHARE = 20, 0.4
"""Matches, and the share of all, that must agree before a place is recognised: more than for a
predicted view, since wallpaper, tiles and chairs repeat."""

SURPRISE = 4.0
"""Standard deviations, beside 5 cm and 2 degrees, by which an edge may contradict the poses."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An older keyframe that may see what the new one sees.

    Attributes:
        id: of the keyframe.
        features: its keypoints.
        T_k_new: pose of the new keyframe in it, as tracked.
        covariance: (6, 6) of that pose.
        in_view: whether the poses say that both see the same; else they only look alike, and
            matches must show it.
    """

    id: int
    features: Features
    T_k_new: Array
    covariance: Array
    in_view: bool


def measure(
    new: int,
    features: Features,
    cloud: Cloud,
    candidates: list[Candidate],
    cloud_of: Callable[[int], Cloud],
) -> list[Edge]:
    """Edges to those candidates against which the new keyframe can be measured.

    Args:
        new: id of the new keyframe.
        features, cloud: of the new keyframe.
        candidates: what it may be tied to.
        cloud_of: prepared cloud of a keyframe.
    """
    edges = []
    for candidate in candidates:
        best = _against(candidate, features, cloud, cloud_of)
        if best is not None and not _surprising(candidate, best.T):
            edges.append(Edge(candidate.id, new, best.T, best.information))
    return edges


def _against(
    candidate: Candidate, features: Features, cloud: Cloud, cloud_of: Callable[[int], Cloud]
) -> Estimate | None:
    other = candidate.features
    best = recognised(Matches.between(features, other.descriptors, other.points))
    if best is None and not candidate.in_view:
        return None
    start = candidate.T_k_new if candidate.in_view or best is None else best.T
    least = MIN_FITNESS_ALONE if best is None else MIN_FITNESS
    found = register(cloud_of(candidate.id), cloud, start, least=least)
    if found is not None and close(start, found.T):
        return found if best is None else fuse(found, best)
    return best


def _surprising(candidate: Candidate, T_k_new: Array) -> bool:
    """Whether a measured pose is farther from the tracked one than both poses' doubts allow."""
    D = invert(T_k_new) @ candidate.T_k_new
    position, rotation = sigma(candidate.covariance)
    return bool(
        np.linalg.norm(D[:3, 3]) > SURPRISE * position + 0.05
        or rotation_angle(D[:3, :3]) > SURPRISE * rotation + np.radians(2.0)
    )


def recognised(matches: Matches) -> Estimate | None:
    """The pose by matches to a keyframe that only looks alike, where enough of them agree."""
    pnp = solve_pnp(matches)
    if pnp is None or pnp.inliers < RECOGNITION_MATCHES:
        return None
    return pnp if pnp.inliers >= RECOGNITION_SHARE * len(matches.points) else None


def close(a: Array, b: Array) -> bool:
    """Whether registration stayed near its start."""
    D = invert(a) @ b
    return float(np.linalg.norm(D[:3, 3])) < GATE_M and rotation_angle(D[:3, :3]) < GATE_RAD
