# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The tracker on a walk with known truth: accuracy, states, recovery, the prior's gate."""

from __future__ import annotations

import numpy as np
import pytest
from box_room import circle as walk
from box_room import frame_at, pose_at

from loc3r_ros.geometry import exp_so3, invert, pose, rotation_angle
from loc3r_ros.tracking import Tracker, TrackerConfig
from loc3r_ros.tracking.covariance import sigma
from loc3r_ros.types import Frame, Observation, TrackingState

TRACKING, DEGRADED, LOST = TrackingState.TRACKING, TrackingState.DEGRADED, TrackingState.LOST


def started_at(T) -> Tracker:
    tracker = Tracker()
    tracker.reset(T)
    return tracker


def errors(T, truth) -> tuple[float, float]:
    D = invert(truth) @ T
    return float(np.linalg.norm(D[:3, 3])), np.degrees(rotation_angle(D[:3, :3]))


@pytest.fixture(scope='module')
def circle() -> list[np.ndarray]:
    return walk()


@pytest.fixture(scope='module')
def walked(circle):
    """The tracker and its poses after the whole walk."""
    tracker = started_at(circle[0])
    return tracker, [tracker.step(frame_at(T, 0.1 * i)) for i, T in enumerate(circle)]


def test_every_frame_is_tracked_to_centimetres(circle, walked):
    _, poses = walked
    found = np.array([errors(p.T_map_camera, T) for p, T in zip(poses, circle, strict=True)])
    assert all(p.state is TRACKING for p in poses)
    assert np.sqrt((found[:, 0] ** 2).mean()) < 0.03
    assert found[:, 1].mean() < 1.0


def test_coming_back_takes_out_the_drift(circle, walked):
    tracker, poses = walked
    assert errors(poses[-1].T_map_camera, circle[-1])[0] < 0.01
    # The loop is tied: an edge joins the ends of the chain.
    assert any(abs(e.a - e.b) > len(tracker.map) // 2 for e in tracker.map.edges)


def test_the_covariance_is_honest(circle, walked):
    _, poses = walked
    distances = [errors(p.T_map_camera, T)[0] for p, T in zip(poses, circle, strict=True)]
    sigmas = [sigma(p.covariance)[0] for p in poses]
    assert np.mean(np.array(distances) < 3 * np.array(sigmas)) > 0.95
    assert 0.003 < np.median(sigmas) < 0.05
    for p in poses:
        assert np.linalg.eigvalsh(p.covariance).min() > 0


def test_replaying_gives_the_same_numbers(circle, walked):
    tracker = started_at(circle[0])
    for i, T in enumerate(circle[:15]):
        again = tracker.step(frame_at(T, 0.1 * i))
        np.testing.assert_array_equal(again.T_map_camera, walked[1][i].T_map_camera)


def test_a_saved_tracker_goes_on_with_the_same_numbers(circle, walked):
    tracker = started_at(circle[0])
    for i, T in enumerate(circle[:20]):
        tracker.step(frame_at(T, 0.1 * i))
    other = Tracker()
    other.load_state_dict(tracker.state_dict())
    for i, T in enumerate(circle[20:30], start=20):
        again = other.step(frame_at(T, 0.1 * i))
        np.testing.assert_array_equal(again.T_map_camera, walked[1][i].T_map_camera)
        np.testing.assert_array_equal(again.covariance, walked[1][i].covariance)


def test_colour_alone_is_enough_between_keyframes(circle):
    tracker = started_at(circle[0])
    for i, T in enumerate(circle[:12]):
        found = tracker.step(frame_at(T, 0.1 * i, depth=i < 6 or i > 9))
        assert found.state is TRACKING
        assert errors(found.T_map_camera, T)[0] < 0.03


def test_depth_alone_is_enough_where_geometry_says_it():
    """Towards a corner of the room, which fixes all but nothing; in the dark from frame 3 on."""
    corner = [pose_at(0.5 + 0.05 * i, 0.3 + 0.03 * i, 0.7 - 0.02 * i, 0.3) for i in range(15)]
    tracker = started_at(corner[0])
    for i, T in enumerate(corner):
        found = tracker.step(frame_at(T, 0.1 * i, rgb=i < 3))
        assert errors(found.T_map_camera, T)[0] < 0.05
    assert found.inliers == 0
    assert found.state is TRACKING


def test_blindness_degrades_then_loses_and_a_known_place_recovers(circle):
    tracker = started_at(circle[0])
    for i, T in enumerate(circle[:20]):
        tracker.step(frame_at(T, 0.1 * i))
    states, doubts = [], []
    for i in range(20, 40):
        blind = tracker.step(frame_at(circle[i], 0.1 * i, depth=False, rgb=False))
        states.append(blind.state)
        doubts.append(sigma(blind.covariance)[0])
    assert states[0] is DEGRADED
    assert states[-1] is LOST
    assert states == sorted(states, key=[DEGRADED, LOST].index)
    assert np.all(np.diff(doubts) >= 0)
    assert doubts[-1] >= 5.0
    back = tracker.step(frame_at(circle[3], 4.0))
    assert back.state is TRACKING
    assert errors(back.T_map_camera, circle[3])[0] < 0.03


def test_lost_in_an_unknown_place_stays_lost(circle):
    tracker = started_at(circle[0])
    for i, T in enumerate(circle[:5]):
        tracker.step(frame_at(T, 0.1 * i))
    for i in range(20):
        tracker.step(frame_at(circle[5], 1.0 + 0.1 * i, depth=False, rgb=False))
    assert tracker.step(frame_at(circle[30], 4.0)).state is LOST


def test_nothing_to_start_from_is_initialising(circle):
    tracker = Tracker()
    first = tracker.step(frame_at(circle[0], 0.0, depth=False))
    assert first.state is TrackingState.INITIALISING
    assert tracker.step(frame_at(circle[1], 0.1)).state is TRACKING


def test_unknown_intrinsics_are_not_guessed(circle):
    tracker = started_at(circle[0])
    tracker.step(frame_at(circle[0], 0.0))
    seen = frame_at(circle[1], 0.1)
    blind = tracker.step(Frame(0.1, seen.rgb, None, seen.depth))
    assert blind.state is DEGRADED


def test_memory_is_bounded(circle):
    tracker = Tracker(TrackerConfig(max_keyframes=3))
    tracker.reset(circle[0])
    for i, T in enumerate(circle[:15]):
        tracker.step(frame_at(T, 0.1 * i))
    assert len(tracker.map) == 3


class Oracle:
    """An encoder that knows the truth, in a unit of its own, or that lies."""

    def __init__(self, unit: float = 1.0, lie: np.ndarray | None = None) -> None:
        self.unit, self.lie = unit, lie
        self.lies = np.eye(4)

    def observe(self, frame: Frame, T: np.ndarray, T_first: np.ndarray) -> Observation:
        if self.lie is not None:
            self.lies = self.lies @ self.lie
        T_world_camera = invert(T_first) @ T @ self.lies
        T_world_camera[:3, 3] /= self.unit
        points = None
        if frame.depth is not None:
            points = frame.camera.backproject(frame.depth) / np.float32(self.unit)
        token = np.zeros(768, np.float32)
        return Observation(
            frame.stamp, 0, 0, token, token[None], T_world_camera, frame.camera,
            points_camera=points,
        )  # fmt: skip


def walk_with(oracle: Oracle, circle, blind: range):
    tracker = started_at(circle[0])
    out = []
    for i, T in enumerate(circle[:30]):
        frame = frame_at(T, 0.1 * i, depth=i not in blind, rgb=i not in blind)
        out.append(tracker.step(frame, oracle.observe(frame, T, circle[0])))
    return tracker, out


def test_an_honest_prior_carries_through_blindness(circle):
    blind = range(12, 28)
    tracker, poses = walk_with(Oracle(unit=2.5), circle, blind)
    assert poses[27].state is DEGRADED
    assert errors(poses[27].T_map_camera, circle[27])[0] < 0.05
    assert poses[29].state is TRACKING
    assert tracker.prior.scale == pytest.approx(2.5, rel=0.02)
    assert poses[29].scale_source == 'depth'


def test_a_lying_prior_does_no_harm(circle):
    lie = pose(exp_so3([0.0, 0.2, 0.0]), [0.3, 0.0, -0.2])
    tracker, poses = walk_with(Oracle(lie=lie), circle, range(0))
    assert not tracker.prior.trusted
    assert all(p.state is TRACKING for p in poses)
    worst = max(errors(p.T_map_camera, T)[0] for p, T in zip(poses, circle[:30], strict=True))
    assert worst < 0.03


def test_a_prior_that_turns_bad_while_blind_is_called_lost(circle):
    lie = pose(exp_so3([0.0, 0.2, 0.0]), [0.3, 0.0, -0.2])
    _, poses = walk_with(Oracle(lie=lie), circle, range(12, 30))
    assert poses[-1].state is LOST


def test_rgb_only_follows_the_encoder_and_doubts_it_more_and_more(circle):
    oracle, tracker = Oracle(), started_at(circle[0])
    doubts = []
    for i, T in enumerate(circle):
        frame = frame_at(T, 0.1 * i, depth=False)
        found = tracker.step(frame, oracle.observe(frame, T, circle[0]))
        doubts.append(sigma(found.covariance)[0])
    assert found.state is TRACKING
    assert errors(found.T_map_camera, circle[-1])[0] < 1e-6
    assert found.scale_source == 'metric_model'
    assert np.all(np.diff(doubts[1:]) > 0)
