# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Rigid motions against scipy and against their own definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from loc3r_ros.geometry import (
    T_BODY_OPTICAL,
    align_points,
    exp_so3,
    invert,
    log_so3,
    pose,
    quaternion_from_rotation,
    rotation_angle,
    rotation_from_quaternion,
    transform,
)

coordinate = st.floats(-10, 10, allow_nan=False)
vector = st.tuples(coordinate, coordinate, coordinate).map(np.array)
rotation_vector = st.tuples(*[st.floats(-1.8, 1.8)] * 3).map(np.array)


@given(rotation_vector)
def test_exp_agrees_with_scipy(w):
    np.testing.assert_allclose(exp_so3(w), Rotation.from_rotvec(w).as_matrix(), atol=1e-12)


@given(rotation_vector)
def test_log_undoes_exp(w):
    np.testing.assert_allclose(exp_so3(log_so3(exp_so3(w))), exp_so3(w), atol=1e-9)


@given(rotation_vector)
def test_quaternion_round_trip_and_sign(w):
    R = exp_so3(w)
    q = quaternion_from_rotation(R)
    assert q[3] >= 0
    assert np.linalg.norm(q) == pytest.approx(1.0)
    np.testing.assert_allclose(rotation_from_quaternion(q), R, atol=1e-12)


@pytest.mark.parametrize('axis', [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (-1, 2, 3)])
def test_half_turns_survive(axis):
    w = np.pi * np.array(axis) / np.linalg.norm(axis)
    assert rotation_angle(exp_so3(w)) == pytest.approx(np.pi)
    np.testing.assert_allclose(exp_so3(log_so3(exp_so3(w))), exp_so3(w), atol=1e-9)


@given(rotation_vector, vector, vector)
def test_inverse_and_transform(w, t, p):
    T = pose(exp_so3(w), t)
    np.testing.assert_allclose(invert(T) @ T, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(transform(invert(T), transform(T, p[None])), p[None], atol=1e-9)


@given(rotation_vector, vector, st.integers(0, 2**31))
def test_alignment_finds_the_motion(w, t, seed):
    T = pose(exp_so3(w), t)
    points = np.random.default_rng(seed).normal(size=(8, 3))
    np.testing.assert_allclose(align_points(points, transform(T, points)), T, atol=1e-8)


def test_alignment_never_mirrors():
    points = np.random.default_rng(0).normal(size=(20, 3))
    T = align_points(points, points * (1, 1, -1))
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1.0)


def test_optical_axes_in_the_body():
    right, down, forward = np.eye(3)
    R = T_BODY_OPTICAL[:3, :3]
    np.testing.assert_array_equal(R @ forward, [1, 0, 0])
    np.testing.assert_array_equal(R @ right, [0, -1, 0])
    np.testing.assert_array_equal(R @ down, [0, 0, -1])


@pytest.mark.parametrize('q', [(0, 0, 0, 0), (np.nan, 0, 0, 1)])
def test_a_quaternion_without_direction_is_refused(q):
    with pytest.raises(ValueError, match='no direction'):
        rotation_from_quaternion(q)
