# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Camera pose from feature matches, dense registration and the encoder's prior.

Each frame is matched to the keyframes that its predicted view sees (PnP), then registered to their
joined clouds (GICP); the two are fused by their information. A pose that leaves its surroundings
becomes a keyframe, tied by measured edges to those it sees and to those it recognises. They are
measured while the next frames are tracked and solved together after them, so that a place seen
again takes out the drift, and no frame waits for it.

The order of trust is evidence first: the encoder's prior only says where to look, and carries the
pose for as long as nothing else does and it has agreed with what was measured before.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, invert, rotation_angle, transform
from loc3r_ros.tracking.covariance import (
    FLOOR,
    LOST_COVARIANCE,
    blind_growth,
    encoder_growth,
    from_information,
    sigma,
    to_information,
)
from loc3r_ros.tracking.estimate import (
    Estimate,
    Matches,
    boxplus,
    fuse,
    log_se3,
    solve_pnp,
)
from loc3r_ros.tracking.features import FeatureExtractor, Features
from loc3r_ros.tracking.keyframes import Keyframe, KeyframeMap
from loc3r_ros.tracking.pose_graph import Edge, edges_from_arrays, edges_to_arrays
from loc3r_ros.tracking.prior import EncoderPrior
from loc3r_ros.tracking.registration import Cloud, frame_cloud, register
from loc3r_ros.tracking.ties import (
    MIN_FITNESS,
    MIN_FITNESS_ALONE,
    Candidate,
    close,
    measure,
    recognised,
)
from loc3r_ros.types import Frame, Observation, TrackedPose, TrackingState

logger = logging.getLogger(__name__)

REFERENCES = 4
"""Keyframes whose features are matched to a frame."""

MODEL_KEYFRAMES = 5
"""Keyframes whose clouds form the local model."""

EDGES, REVISITS = 4, 3
"""Keyframes to which a new one is tied: seen from its pose, and looking alike."""

TIES_AFTER = 2
"""Frames after which the edges of a keyframe are due. A count, and not when they are there, so that
a replayed recording gives the same numbers; enough for them to be there at 10 Hz."""

CANDIDATES = 5
"""Keyframes that are tried when the place has to be recognised."""

MIN_OVERLAP = 0.3
KEYFRAME_SHARE = 0.15
"""A new keyframe is due after moving this share of the median depth, or 15 degrees."""

VIEW_M, VIEW_RAD = 0.3, np.radians(15.0)
"""The same where nothing but the encoder tracks, and there is no depth to go by."""

MAX_COAST_S = 0.5
"""Velocity says nothing about what comes after a longer gap."""

SURE_M, SURE_RAD = 0.10, np.radians(3.0)
"""A measured pose less certain than this is DEGRADED."""

LOST_M = 0.5
"""Once the position is less certain than this the camera is LOST."""


@dataclass(frozen=True)
class TrackerConfig:
    """What a user may want to change.

    Attributes:
        features: strongest keypoints used per image.
        max_depth: farther depth is left out, m.
        max_keyframes: bound of the memory (0.4 MB each); from then on the map stays as it is.
    """

    features: int = 600
    max_depth: float = 5.0
    max_keyframes: int = 1000


class Tracker:
    """Tracks one camera; frames come in the order of their stamps."""

    def __init__(self, config: TrackerConfig | None = None) -> None:
        self.config = config or TrackerConfig()
        self._extractor = FeatureExtractor(count=self.config.features)
        # Features and cloud take about as long and know nothing of each other: a core each.
        self._beside = ThreadPoolExecutor(1, 'loc3r-features')
        self._behind = ThreadPoolExecutor(1, 'loc3r-ties')
        self.reset()

    def reset(self, T_map_camera: Array | None = None) -> None:
        """Forget everything; the next frame stands at this pose (4, 4) of the optical frame."""
        self.map = KeyframeMap()
        self.prior = EncoderPrior()
        self.state = TrackingState.INITIALISING
        self._T = np.eye(4) if T_map_camera is None else T_map_camera
        self._covariance = FLOOR
        self._information = to_information(FLOOR, self._T)
        self._velocity = np.zeros(6)
        self._stamp: float | None = None
        self._ties: deque[tuple[int, Future[list[Edge]]]] = deque()
        self._frames = 0
        self._view: Array | None = None

    def interrupt(self) -> None:
        """Nothing is known of what happened since the last frame: LOST until a place is known."""
        self.state = TrackingState.LOST
        self.prior = EncoderPrior()
        self._velocity = np.zeros(6)
        self._stamp = None

    def step(self, frame: Frame, observation: Observation | None = None) -> TrackedPose:
        """Track one frame.

        Args:
            frame: with intrinsics, or the encoder alone can tell; with depth where there is any.
            observation: of the same frame, by an encoder with trained weights.

        Returns:
            The pose; INITIALISING until the first frame that has depth or an observation.
        """
        extracting = self._beside.submit(self._extractor.extract, frame)
        cloud = frame_cloud(frame, max_depth=self.config.max_depth)
        features = extracting.result()
        self.prior.observe(observation, frame)
        dt = 0.0 if self._stamp is None else frame.stamp - self._stamp
        keyframe, inliers = None, 0
        if not len(self.map):
            keyframe = self._start(features, cloud, dt)
        else:
            before, steady = self._T, self.state is TrackingState.TRACKING
            predicted, growth = self._predict(dt)
            guess = Estimate(predicted, to_information(growth + FLOOR, predicted))
            estimate = self._track(frame, features, cloud, guess, dt)
            if estimate is None:
                self._coast(predicted, growth)
            else:
                inliers = estimate.inliers
                self._accept(estimate)
                motion = invert(before) @ self._T
                steady = steady and 0 < dt < MAX_COAST_S
                self._velocity = log_se3(motion) / dt if steady else np.zeros(6)
                if steady:
                    self.prior.judge(motion)
            self._settle()
            if self._worth_keeping():
                keyframe = self._maybe_keyframe(frame, features, cloud)
        self._stamp = frame.stamp
        self._frames += 1
        lost = self.state is TrackingState.LOST
        return TrackedPose(
            frame.stamp,
            self._T.copy(),
            LOST_COVARIANCE.copy() if lost else self._covariance.copy(),
            self.state,
            keyframe,
            inliers,
            self.prior.scale,
            self.prior.scale_source,
        )

    def _start(self, features: Features, cloud: Cloud | None, dt: float) -> int | None:
        """Before the first keyframe: the encoder alone carries the pose, if there is one."""
        if self.prior.motion is not None:
            self._T = self._T @ self.prior.motion
            self._covariance = self._covariance + encoder_growth(self.prior.motion, dt)
        if cloud is not None:
            self.state = TrackingState.TRACKING
            frame = Keyframe(features, cloud.points, cloud.voxel, self._covariance)
            return self.map.add(frame, self._T, [])
        if self.prior.scale_source != 'none':
            sure = sigma(self._covariance)[0] < LOST_M
            self.state = TrackingState.TRACKING if sure else TrackingState.DEGRADED
            return self._new_view()
        return None

    def _new_view(self) -> int | None:
        """A keyframe for who looks at pictures: without depth it is no place in the map."""
        if self._view is not None:
            moved = invert(self._view) @ self._T
            is_near = float(np.linalg.norm(moved[:3, 3])) < VIEW_M
            if is_near and rotation_angle(moved[:3, :3]) < VIEW_RAD:
                return None
        self._view = self._T.copy()
        return self._frames

    def _predict(self, dt: float) -> tuple[Array, Array]:
        """The pose expected now, and how much less certain it is than the last one."""
        if self.prior.motion is not None and self.prior.trusted:
            return self._T @ self.prior.motion, encoder_growth(self.prior.motion, dt)
        coast = dt if dt < MAX_COAST_S else 0.0
        return boxplus(self._T, self._velocity * coast), blind_growth(dt)

    def _track(
        self, frame: Frame, features: Features, cloud: Cloud | None, guess: Estimate, dt: float
    ) -> Estimate | None:
        """A measured pose, or None where the evidence is too thin."""
        if frame.camera is None:
            return None
        if self.state is not TrackingState.LOST:
            near = self.map.visible(guess.T, frame, least=MIN_OVERLAP)[:REFERENCES]
            latest = len(self.map) - 1
            estimate = solve_pnp(self._matches(features, near + [latest] * (latest not in near)))
            believed = estimate is not None or dt < MAX_COAST_S
            if believed:
                estimate = self._register(frame, cloud, estimate, guess)
            if estimate is not None:
                return estimate
        return self._relocalise(frame, features, cloud)

    def _relocalise(self, frame: Frame, features: Features, cloud: Cloud | None) -> Estimate | None:
        """Look for the place among all keyframes by appearance."""
        for k in self.map.recognise(features, CANDIDATES):
            pnp = recognised(self._matches(features, [k]))
            if pnp is None:
                continue
            estimate = self._register(frame, cloud, pnp, pnp)
            if estimate is not None and (cloud is None or estimate.fitness >= MIN_FITNESS):
                return estimate
        return None

    def _matches(self, features: Features, ids: list[int]) -> Matches:
        """Matches of a frame to keyframes, in `map`."""
        parts = []
        for k in ids:
            other = self.map.frames[k].features
            points = transform(self.map.poses[k], other.points)
            parts.append(Matches.between(features, other.descriptors, points))
        return Matches.join(parts)

    def _register(
        self, frame: Frame, cloud: Cloud | None, pnp: Estimate | None, guess: Estimate
    ) -> Estimate | None:
        """Refine by dense registration; what the cloud contradicts is not bent to fit it.

        Without matches the guess takes their place, for the directions that the cloud leaves open.
        """
        start = (pnp or guess).T
        near = self.map.visible(start, frame, least=MIN_OVERLAP)
        model = self.map.model(near, MODEL_KEYFRAMES) if near else None
        if cloud is None or model is None:
            return pnp
        least = MIN_FITNESS_ALONE if pnp is None else MIN_FITNESS
        found = register(model, cloud, start, least=least)
        if found is None or not close(start, found.T):
            return pnp
        return fuse(found, pnp or guess)

    def _accept(self, estimate: Estimate) -> None:
        """Stand where the estimate says."""
        self._T = estimate.T
        measured = from_information(estimate.information, estimate.T)
        k, _ = self.map.nearest(self._T, 1.0)
        self._covariance = measured + self.map.frames[k].covariance
        self._information = estimate.information
        position, rotation = sigma(measured)
        sure = position < SURE_M and rotation < SURE_RAD
        if self.state is TrackingState.LOST:
            logger.info('Recovered: the place is recognised.')
        self.state = TrackingState.TRACKING if sure else TrackingState.DEGRADED

    def _coast(self, predicted: Array, growth: Array) -> None:
        """Nothing was measured: go by the prediction while it is worth something."""
        if self.state is TrackingState.LOST:
            return
        covariance = self._covariance + growth
        if sigma(covariance)[0] < LOST_M:
            self._T, self._covariance, self.state = predicted, covariance, TrackingState.DEGRADED
            self._information = to_information(covariance, predicted)
        else:
            logger.warning('Lost: no keyframe was matched for too long; waiting for a known place.')
            self.state = TrackingState.LOST
            self._velocity = np.zeros(6)

    def _worth_keeping(self) -> bool:
        """Whether the pose is good enough to build on: measured, or carried by a proven prior."""
        if self.state is TrackingState.DEGRADED and self.prior.motion is not None:
            return self.prior.trusted and sigma(self._covariance)[0] < SURE_M
        return self.state is TrackingState.TRACKING

    def _maybe_keyframe(self, frame: Frame, features: Features, cloud: Cloud | None) -> int | None:
        """Make the frame a keyframe where it shows something new."""
        if cloud is None or frame.camera is None:
            return None
        reach = KEYFRAME_SHARE * float(np.median(cloud.points[:, 2]))
        nearest, distance = self.map.nearest(self._T, reach)
        if distance < 1.0 or len(self.map) >= self.config.max_keyframes:
            return None
        new = len(self.map)
        tracked = Edge(nearest, new, invert(self.map.poses[nearest]) @ self._T, self._information)
        candidates = self._candidates(frame, features)
        keyframe = Keyframe(features, cloud.points, cloud.voxel, self._covariance)
        self.map.add(keyframe, self._T, [tracked])
        ties = self._behind.submit(measure, new, features, cloud, candidates, self.map.cloud)
        self._ties.append((self._frames + TIES_AFTER, ties))
        if len(self.map) == self.config.max_keyframes:
            logger.warning('%d keyframes: the map of features is full and stays as it is', new + 1)
        return new

    def _candidates(self, frame: Frame, features: Features) -> list[Candidate]:
        """Keyframes to which one made of this frame may be tied."""
        seen = self.map.visible(self._T, frame, least=MIN_OVERLAP)[:EDGES]
        alike = [k for k in self.map.recognise(features, REVISITS) if k not in seen]
        return [
            Candidate(
                k,
                self.map.frames[k].features,
                invert(self.map.poses[k]) @ self._T,
                self._covariance + self.map.frames[k].covariance,
                in_view=k in seen,
            )
            for k in seen + alike
        ]

    def _settle(self) -> None:
        """Let the edges of a keyframe that are due pull the map and the camera."""
        if not self._ties or self._ties[0][0] > self._frames:
            return
        edges = self._ties.popleft()[1].result()
        if not edges:
            return
        before = self.map.poses[-1]
        self.map.settle(edges)
        self._T = self.map.poses[-1] @ invert(before) @ self._T

    def state_dict(self) -> dict[str, NDArray]:
        """Everything as arrays: a tracker that loads them goes on with the same numbers."""
        own = {
            'T': self._T,
            'covariance': self._covariance,
            'information': self._information,
            'velocity': self._velocity,
            'state': np.array(self.state.value),
            'stamp': np.array([] if self._stamp is None else [self._stamp]),
            'frames': np.array(self._frames),
            'view': np.zeros((0, 4, 4)) if self._view is None else self._view[None],
        }
        parts = {
            'map': self.map.state_dict(),
            'prior': self.prior.state_dict(),
        }
        for k, (due, ties) in enumerate(self._ties):
            parts[f'ties{k}'] = {'due': np.array(due), **edges_to_arrays(ties.result())}
        return own | {f'{p}/{k}': v for p, part in parts.items() for k, v in part.items()}

    def load_state_dict(self, state: dict[str, NDArray]) -> None:
        """Become the tracker that `state_dict` wrote."""

        def part(prefix: str) -> dict[str, NDArray]:
            return {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}

        self.map.load_state_dict(part('map/'))
        self.prior.load_state_dict(part('prior/'))
        self._T, self._covariance = state['T'], state['covariance']
        self._information, self._velocity = state['information'], state['velocity']
        self.state = TrackingState(str(state['state']))
        self._stamp = float(state['stamp'][0]) if len(state['stamp']) else None
        self._frames = int(state['frames'])
        self._view = state['view'][0] if len(state['view']) else None
        self._ties = deque()
        while ties := part(f'ties{len(self._ties)}/'):
            done: Future[list[Edge]] = Future()
            done.set_result(edges_from_arrays(ties))
            self._ties.append((int(ties['due']), done))
