# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

import numpy as np
import pytest

from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.vlm.situated import (
    Situated,
    agent_in_map,
    bev_in_map,
    confidence_of,
    mean_heading,
    target_in_map,
)

BINS = 36
CENTRES = -np.pi + (np.arange(BINS) + 0.5) * 2 * np.pi / BINS


def heading(theta: float, sigma_bins: float) -> np.ndarray:
    """A wrapped normal over the bins."""
    away = (CENTRES - theta + np.pi) % (2 * np.pi) - np.pi
    p = np.exp(-0.5 * (away / (sigma_bins * 2 * np.pi / BINS)) ** 2)
    return p / p.sum()


def optical(yaw: float, pitch: float, position: tuple[float, float, float]) -> np.ndarray:
    """T_map_camera of a camera that looks along yaw, tilted down by pitch."""
    level = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], float)
    return pose(exp_so3((0, 0, yaw)) @ exp_so3((0, pitch, 0)) @ level, position)


def situated(mean=(1.0, 2.0), sigma=(0.3, 0.6), theta=0.4, width=2.0) -> Situated:
    return Situated(np.array(mean), np.array(sigma), heading(theta, width))


def test_the_plane_stands_upright_at_the_first_camera():
    T = bev_in_map(optical(0.7, 0.3, (2.0, -1.0, 0.6)))
    assert T[:3, 3] == pytest.approx([2.0, -1.0, 0.6])
    assert T[:3, 2] == pytest.approx([0, 0, 1])
    assert np.arctan2(T[1, 0], T[0, 0]) == pytest.approx(0.7)


def test_an_agent_is_carried_into_the_map_with_its_uncertainty():
    T_map_bev = bev_in_map(optical(np.pi / 2, 0.2, (10.0, 20.0, 0.6)))
    agent = agent_in_map(situated(), T_map_bev)
    # A quarter turn: the plane's x is the map's y, and its y the map's -x.
    assert agent.T_map_agent[:3, 3] == pytest.approx([8.0, 21.0, 0.0])
    yaw = np.arctan2(agent.T_map_agent[1, 0], agent.T_map_agent[0, 0])
    assert yaw == pytest.approx(0.4 + np.pi / 2, abs=1e-3)
    assert agent.covariance[:2, :2] == pytest.approx(np.diag([0.36, 0.09]), abs=1e-9)
    assert (np.linalg.eigvalsh(agent.covariance) > 0).all()
    assert agent.found


@pytest.mark.parametrize('theta', [-3.1, -1.0, 0.0, 2.2, 3.14])
def test_the_mean_heading_is_that_of_the_target(theta):
    found, variance = mean_heading(heading(theta, 2.0))
    assert np.cos(found - theta) == pytest.approx(1.0, abs=1e-5)
    # The width of the training target itself is no doubt: what is left is about one bin.
    assert variance < np.radians(10) ** 2


def test_doubt_beyond_the_smoothing_is_kept():
    spread = np.hypot(4.0, 2.0)
    _, variance = mean_heading(heading(0.3, spread))
    assert np.degrees(np.sqrt(variance)) == pytest.approx(40.0, abs=2.0)


def test_two_opposite_headings_and_a_flat_distribution_are_no_heading():
    both = 0.5 * (heading(0.0, 2.0) + heading(np.pi, 2.0))
    for probabilities in (both, np.full(BINS, 1 / BINS)):
        _, variance = mean_heading(probabilities)
        assert variance == pytest.approx(np.pi**2 / 3)


def test_confidence_is_the_chance_to_be_within_a_metre():
    drawn = np.random.default_rng(0).normal(0.0, 0.8, (200_000, 2))
    share = (np.hypot(*drawn.T) < 1.0).mean()
    assert confidence_of(np.array([0.8, 0.8])) == pytest.approx(share, abs=0.01)
    assert confidence_of(np.array([20.0, 20.0])) < 0.01


def test_an_unknown_place_is_no_confident_pose_and_no_target():
    lost = Situated(np.zeros(2), np.full(2, 6.0), np.full(BINS, 1 / BINS))
    agent = agent_in_map(lost, np.eye(4))
    assert agent.confidence < 0.05
    assert np.sqrt(agent.covariance[5, 5]) > np.radians(100)
    target = target_in_map(lost, np.eye(4), 'the unicorn')
    assert not target.found
    assert 'the unicorn' in target.reason
    assert '6.0 m' in target.reason


def test_a_target_is_found_where_the_model_is_certain():
    target = target_in_map(situated(sigma=(0.2, 0.2)), np.eye(4), 'the chair')
    assert target.found
    assert target.position == pytest.approx([1.0, 2.0, 0.0])
    assert target.confidence > 0.99


def test_a_pose_that_is_not_finite_is_none():
    broken = Situated(np.array([np.nan, 0.0]), np.ones(2), np.full(BINS, 1 / BINS))
    assert not agent_in_map(broken, np.eye(4)).found
    assert not target_in_map(broken, np.eye(4), 'x').found
