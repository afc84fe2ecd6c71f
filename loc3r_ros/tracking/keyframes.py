# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The tracker's memory: frames with depth, their poses, and how they see each other."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, invert, transform
from loc3r_ros.tracking.features import Features
from loc3r_ros.tracking.pose_graph import Edge, edges_from_arrays, edges_to_arrays, optimise
from loc3r_ros.tracking.registration import Cloud
from loc3r_ros.types import Frame

PROBES = 64
"""Points of a keyframe that are projected to tell how much of it a view sees."""

HIDDEN = 0.1
"""Share of its depth, and m besides, that a point must lie behind a surface to be hidden by it."""

RETRIEVAL_FEATURES = 60
"""Descriptors of a keyframe that vote when a place has to be recognised."""

RETRIEVAL_SIMILARITY = 0.85
PREPARED_CLOUDS = 64
"""Search trees kept ready; the least used are made again when they are needed."""

TURN_UNIT = np.radians(15.0)


@dataclass(frozen=True, eq=False)
class Keyframe:
    """What is kept of a frame, about 0.4 MB.

    Attributes:
        features: its keypoints, lifted to its optical frame.
        points: (N, 3) float32, m, its sampled depth cloud in its optical frame.
        voxel: sampling distance of the cloud, m.
        covariance: (6, 6) of its pose when it was made, as in `TrackedPose`.
    """

    features: Features
    points: NDArray[np.float32]
    voxel: float
    covariance: Array


class KeyframeMap:
    """Keyframes with their poses `T_map_k`, joined by measured edges."""

    def __init__(self) -> None:
        self.frames: list[Keyframe] = []
        self.poses: list[Array] = []
        self.edges: list[Edge] = []
        self._probes = np.zeros((0, PROBES, 3), np.float32)
        self._clouds: OrderedDict[int, Cloud] = OrderedDict()
        self._model_ids: tuple[int, ...] = ()
        self._model: Cloud | None = None

    def __len__(self) -> int:
        return len(self.frames)

    def add(self, frame: Keyframe, T_map_k: Array, edges: list[Edge]) -> int:
        """Append a keyframe at a pose that its edges agree with, and return its id."""
        self._append(frame)
        self.poses.append(T_map_k)
        self.edges.extend(edges)
        self._model_ids, self._model = (), None
        return len(self.frames) - 1

    def settle(self, edges: list[Edge]) -> None:
        """Add edges, and let all poses follow them."""
        self.edges.extend(edges)
        self.poses = optimise(self.poses, self.edges)
        self._model_ids, self._model = (), None

    def cloud(self, k: int) -> Cloud:
        """The prepared cloud of keyframe k, in its own optical frame."""
        found = self._clouds.pop(k, None)
        if found is None:
            found = Cloud.prepare(self.frames[k].points, self.frames[k].voxel)
            assert found is not None, 'a keyframe is only made of a cloud that could be prepared'
        self._clouds[k] = found
        if len(self._clouds) > PREPARED_CLOUDS:
            self._clouds.popitem(last=False)
        return found

    def model(self, candidates: list[int], most: int) -> Cloud | None:
        """The clouds of the first of some keyframes joined in `map`.

        The one from before is used again while all its keyframes are candidates and the first
        candidate is among them: to join clouds anew takes as long as to register to them.
        """
        kept = self._model_ids
        if not (set(kept) <= set(candidates) and candidates[0] in kept):
            self._model_ids = tuple(sorted(candidates[:most]))
            self._model = None
        if self._model is None:
            points = [transform(self.poses[k], self.frames[k].points) for k in self._model_ids]
            voxel = float(np.median([self.frames[k].voxel for k in self._model_ids]))
            self._model = Cloud.sample(np.concatenate(points), voxel)
        return self._model

    def visible(self, T_map_camera: Array, frame: Frame, *, least: float) -> list[int]:
        """Keyframes of which a frame sees at least this share of the points, the fullest first.

        A point counts as seen where it falls into the image and the frame's depth does not say
        that something stands before it.
        """
        camera = frame.camera
        assert camera is not None
        T = invert(T_map_camera) @ np.stack(self.poses)
        X = np.einsum('kij,knj->kni', T[:, :3, :3], self._probes) + T[:, None, :3, 3]
        z = np.maximum(X[..., 2], 1e-6)
        u = np.round(X[..., 0] / z * camera.fx + camera.cx)
        v = np.round(X[..., 1] / z * camera.fy + camera.cy)
        seen = (X[..., 2] > 0.1) & (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height)
        if frame.depth is not None:
            before = frame.depth[v[seen].astype(int), u[seen].astype(int)]
            # NaN compares as false: where nothing was measured nothing is known to hide the point.
            seen[seen] = ~(before < (1 - HIDDEN) * z[seen] - HIDDEN)
        share = seen.mean(1)
        order = np.argsort(-share, kind='stable')
        return [int(k) for k in order if share[k] >= least]

    def nearest(self, T_map_camera: Array, reach: float) -> tuple[int, float]:
        """The nearest keyframe, and how far: in units of `reach` metres plus of 15 degrees."""
        T = np.stack(self.poses)
        shift = np.linalg.norm(T[:, :3, 3] - T_map_camera[:3, 3], axis=1)
        trace = np.einsum('kij,ij->k', T[:, :3, :3], T_map_camera[:3, :3])
        turn = np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0))
        distance = shift / reach + turn / TURN_UNIT
        k = int(np.argmin(distance))
        return k, float(distance[k])

    def recognise(self, features: Features, most: int) -> list[int]:
        """Keyframes that look alike, best first: each of their descriptors may cast a vote."""
        if not self.frames or not len(features.rays):
            return []
        kept = [f.features.descriptors[f.features.lifted][:RETRIEVAL_FEATURES] for f in self.frames]
        owner = np.repeat(np.arange(len(kept)), [len(d) for d in kept])
        alike = (np.concatenate(kept) @ features.descriptors.T).max(1) > RETRIEVAL_SIMILARITY
        votes = np.bincount(owner[alike], minlength=len(kept))
        order = np.argsort(-votes, kind='stable')
        return [int(k) for k in order[:most] if votes[k] > 0]

    def state_dict(self) -> dict[str, NDArray]:
        """Everything as arrays, for `load_state_dict`."""
        state: dict[str, NDArray] = {
            'poses': np.array(self.poses).reshape(-1, 4, 4),
            'model_ids': np.array(self._model_ids, np.int64),
            **edges_to_arrays(self.edges),
        }
        for k, f in enumerate(self.frames):
            state[f'{k}/rays'] = f.features.rays
            state[f'{k}/lifted'] = f.features.points
            state[f'{k}/descriptors'] = f.features.descriptors
            state[f'{k}/cloud'] = f.points
            state[f'{k}/covariance'] = f.covariance
            state[f'{k}/scalars'] = np.array([f.features.ray_sigma, f.voxel])
        return state

    def load_state_dict(self, state: dict[str, NDArray]) -> None:
        """Become the map that `state_dict` wrote."""
        self.__init__()  # type: ignore[misc]
        self.poses = list(state['poses'])
        self._model_ids = tuple(int(k) for k in state['model_ids'])
        self.edges = edges_from_arrays(state)
        for k in range(len(self.poses)):
            sigma, voxel = (float(v) for v in state[f'{k}/scalars'])
            features = Features(
                state[f'{k}/rays'], state[f'{k}/lifted'], state[f'{k}/descriptors'], sigma
            )
            frame = Keyframe(features, state[f'{k}/cloud'], voxel, state[f'{k}/covariance'])
            self._append(frame)

    def _append(self, frame: Keyframe) -> None:
        spread = np.linspace(0, len(frame.points) - 1, PROBES).astype(int)
        self.frames.append(frame)
        self._probes = np.concatenate([self._probes, frame.points[None, spread]])
