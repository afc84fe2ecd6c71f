# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The noise of the depth camera and of the odometry has the statistics that it promises."""

from __future__ import annotations

import numpy as np
import pytest

from loc3r_ros.geometry import invert
from loc3r_ros.world.depth_noise import DepthNoise
from loc3r_ros.world.robot import Odometry
from loc3r_ros.world.room import generate_room
from loc3r_ros.world.tour import Tour


def flat(z: float, size: int = 300) -> np.ndarray:
    return np.full((size, size), z, np.float32)


@pytest.mark.parametrize('z', [0.5, 1.0, 2.0, 4.0, 5.5])
def test_deviation_grows_with_the_square_of_depth(z):
    noise = DepthNoise(step=0.0, speckle_loss=0.0)
    measured = noise.measure(flat(z), np.random.default_rng(0))
    error = measured[np.isfinite(measured)] - z
    sigma = noise.base + noise.growth * z * z
    assert error.std() == pytest.approx(sigma, rel=0.03)
    assert abs(error.mean()) < 0.05 * sigma


def test_neighbours_share_half_of_their_noise():
    noise = DepthNoise(step=0.0, speckle_loss=0.0)
    error = noise.measure(flat(2.0), np.random.default_rng(1)) - 2.0
    shared = np.corrcoef(error[:, :-1].ravel(), error[:, 1:].ravel())[0, 1]
    apart = np.corrcoef(error[:, :-2].ravel(), error[:, 2:].ravel())[0, 1]
    assert shared == pytest.approx(0.5, abs=0.02)
    assert apart == pytest.approx(0.0, abs=0.02)


def test_steps_of_quantisation_grow_with_the_square_of_depth():
    noise = DepthNoise(base=0.0, growth=0.0, speckle_loss=0.0)
    ramp = np.linspace(3.9, 4.1, 90000).reshape(300, 300).astype(np.float32)
    levels = np.unique(noise.measure(ramp, np.random.default_rng(0)))
    assert np.diff(levels).mean() == pytest.approx(noise.step * 16.0, rel=0.05)


def test_range_and_what_is_not_there():
    exact = DepthNoise().scaled(0.0)
    depth = np.array([[0.1, 0.29, 0.31, 3.0, 5.99, 6.01, np.nan]], np.float32)
    measured = exact.measure(depth, np.random.default_rng(0))
    np.testing.assert_array_equal(np.isfinite(measured), [[0, 0, 1, 1, 1, 0, 0]])
    np.testing.assert_allclose(measured[0, 2:5], depth[0, 2:5], rtol=1e-6)


def test_depth_is_lost_at_edges_and_here_and_there():
    noise = DepthNoise()
    depth = flat(2.0)
    depth[:, 150:] = 3.0
    lost = np.isnan(noise.measure(depth, np.random.default_rng(0)))
    assert lost[:, 149:151].mean() == pytest.approx(noise.edge_loss, abs=0.06)
    assert lost[:, :148].mean() == pytest.approx(noise.speckle_loss, abs=0.001)
    mild = np.isnan(noise.scaled(0.5).measure(depth, np.random.default_rng(0)))
    assert mild[:, 149:151].mean() == pytest.approx(noise.edge_loss / 2, abs=0.06)


def test_the_same_generator_gives_the_same_measurement():
    one, two = (DepthNoise().measure(flat(2.0), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_odometry_starts_at_its_origin_and_drifts_a_little():
    tour = Tour(generate_room(7))
    T = tour.poses(np.arange(0.0, tour.duration, 0.1))
    ends = []
    for seed in range(20):
        odometry = Odometry(np.random.default_rng(seed))
        measured = [odometry.update(pose) for pose in T]
        np.testing.assert_array_equal(measured[0], np.eye(4))
        missed = invert(invert(T[0]) @ T[-1]) @ measured[-1]
        ends.append(np.linalg.norm(missed[:2, 3]))
    way = np.linalg.norm(np.diff(T[:, :2, 3], axis=0), axis=1).sum()
    assert 0.001 * way < np.median(ends) < 0.10 * way
    assert max(ends) < 0.3 * way
