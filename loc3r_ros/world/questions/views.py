# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Single frames of a video: what can be named in each, and where the camera was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array, invert
from loc3r_ros.world.questions.distances import distance_to_points
from loc3r_ros.world.questions.visit import PLURAL, Visit
from loc3r_ros.world.scene import Item


@dataclass(frozen=True, eq=False)
class Views:
    """N frames, and the K things that can be named in some of them.

    The camera's place is the translation of its pose. Some of the published generators take the
    inverse's, as if poses mapped from the world to the camera; so distances and displacements there
    may be false.

    Attributes:
        T_map_optical: (N, 4, 4).
        things: the K items.
        shown: (N, K) whether 'the' and its category say which thing is meant in the frame: it is
            seen clearly, and nothing else that the name fits is seen at all.
    """

    T_map_optical: Array
    things: tuple[Item, ...]
    shown: NDArray[np.bool_]

    @staticmethod
    def of(visit: Visit) -> Views:
        """The frames of a visit.

        Raises:
            InputError: it has no camera poses.
        """
        if visit.T_map_optical is None:
            raise InputError(
                'a visit without camera poses has nothing to ask about the camera: give it'
                ' T_map_optical, a 4x4 matrix for each frame'
            )
        things = [item for item in visit.scene.furniture if item.category not in PLURAL]
        names = [f' {item.category}' for item in things]
        # A coffee table is a table too.
        fits = np.array([[b.endswith(a) for b in names] for a in names], int)
        fits = fits.reshape(len(names), len(names))
        instances = [item.instance for item in things]
        seen = (visit.pixels[:, instances] > 0).astype(int)
        shown = visit.clear[:, instances] & (seen @ fits.T == 1)
        kept = np.flatnonzero(shown.any(0))
        return Views(visit.T_map_optical, tuple(things[k] for k in kept), shown[:, kept])

    @property
    def places(self) -> Array:
        """(N, 3) of the camera in `map`, m."""
        return self.T_map_optical[:, :3, 3]

    @cached_property
    def distances(self) -> Array:
        """(N, K) from the camera to the closest point of each thing, m."""
        away = [distance_to_points(thing, self.places) for thing in self.things]
        return np.array(away).reshape(len(self.things), -1).T

    @cached_property
    def corners(self) -> Array:
        """(N, K, 8, 3) corners of the things' bounding boxes in the optical frame, m."""
        T = invert(self.T_map_optical)
        corners = np.array([thing.corners for thing in self.things]).reshape(-1, 8, 3)
        return np.einsum('nij,kcj->nkci', T[:, :3, :3], corners) + T[:, None, None, :3, 3]

    def name(self, frame: int) -> str:
        """How the benchmark names a frame: the first is frame 1."""
        return f'frame {frame + 1} of {len(self.shown)}'
