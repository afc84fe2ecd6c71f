# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Poses spelled out as camera tokens."""

from __future__ import annotations

import numpy as np

from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.vlm.pose_token import WAVES_M, pose_token


def test_the_pose_can_be_read_back() -> None:
    T = np.stack([pose(exp_so3((0.1, -0.2, yaw)), (yaw, 2.0, 0.7)) for yaw in (0.0, 0.5, 3.0)])
    token = pose_token(T, 96)
    assert token.shape == (3, 96) and token.dtype == np.float32
    np.testing.assert_allclose(token[:, :12].reshape(3, 3, 4), T[:, :3], atol=1e-6)
    assert not token[:, 42:].any()


def test_waves_repeat_at_their_length() -> None:
    def place(x: float) -> np.ndarray:
        return pose_token(pose(np.eye(3), (x, 0.0, 0.0)), 42)[12:22]

    np.testing.assert_allclose(place(0.3), place(0.3 + WAVES_M[0]), atol=1e-5)
    assert np.abs(place(0.3) - place(0.3 + WAVES_M[0] / 2)).max() > 0.1


def test_a_narrow_token_has_but_some_of_it() -> None:
    T = pose(np.eye(3), (1.0, 2.0, 3.0))
    np.testing.assert_array_equal(pose_token(T, 12), pose_token(T, 96)[:12])
