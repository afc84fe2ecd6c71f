# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Figures of CUT3R on trajectories whose errors are known."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from wall_footage import Wall

from loc3r_ros.cut3r.config import tiny
from loc3r_ros.cut3r.encoder import PoseEncoder
from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.cut3r_trajectory import compare_poses, evaluate_encoder
from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.training.cut3r_begin import DEPTH, begin

NAN = float('nan')


def circle(radius: float = 1.0, frames: int = 100) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, frames)
    return np.stack(
        [pose(exp_so3([0, -a, 0]), [radius * np.cos(a), 0, radius * np.sin(a)]) for a in angles]
    )


def test_the_truth_has_no_error_in_whatever_frame() -> None:
    elsewhere = pose(exp_so3([0.3, -1.0, 0.2]), [4.0, -2.0, 1.0])
    found = compare_poses('a', elsewhere @ circle(), circle(), 0.1)
    assert max(found.ate_m, found.rpe_m, found.drift_m, *found.error_m) < 1e-9
    assert max(found.rpe_deg, found.rotation_deg) < 1e-5
    assert abs(found.scale - 1) < 1e-9 and found.abs_rel == 0.1
    assert abs(found.path_m - 2 * np.pi) < 0.01
    assert abs(found.still_m - 1) < 0.01


def test_half_as_long_has_scale_a_half_and_half_the_radius_as_error() -> None:
    found = compare_poses('a', circle(0.5), circle(1.0), NAN)
    assert abs(found.scale - 0.5) < 1e-6
    assert abs(found.ate_m - 0.5) < 0.01
    # From one frame to the next half the way is missing, and nothing is turned.
    assert abs(found.rpe_m - 0.5 * found.path_m / 99) < 1e-3
    assert found.rpe_deg < 1e-5
    assert found.drift_m < 1e-9


def test_standing_still_is_the_baseline() -> None:
    found = compare_poses('a', np.tile(np.eye(4), (100, 1, 1)), circle(), NAN)
    assert abs(found.ate_m - found.still_m) < 1e-9
    assert abs(found.scale) < 1e-9


def test_a_turn_on_the_way_is_seen_once_from_frame_to_frame_and_ever_after() -> None:
    straight = np.stack([pose(np.eye(3), [0, 0, 0.1 * i]) for i in range(101)])
    bent = straight.copy()
    kink = straight[50] @ pose(exp_so3([0, np.radians(10), 0]), [0, 0, 0])
    bent[50:] = kink @ np.linalg.inv(straight[50]) @ straight[50:]
    found = compare_poses('a', bent, straight, NAN)
    assert abs(found.rpe_deg - 10 / np.sqrt(100)) < 1e-3
    assert abs(found.rotation_deg - 10 * 51 / 101) < 1e-2
    assert abs(found.drift_m - 2 * np.sin(np.radians(5)) * 5) < 1e-3
    assert found.ate_m < found.drift_m / 3


def test_an_encoder_is_compared_scene_by_scene() -> None:
    encoder = PoseEncoder(begin(tiny('linear'), 0))
    footage = [(seed, Wall(6).footage(seed, 0)) for seed in range(4)]
    figures = evaluate_encoder(encoder, footage)
    assert [s.scene for s in figures.scenes] == [0, 1, 2, 3]
    assert all(s.frames == 6 and len(s.error_m) == 6 for s in figures.scenes)
    # A new network sees everything at one distance; the wall is three metres away.
    assert abs(figures.scenes[0].abs_rel - (1 - DEPTH / 3)) < 0.15
    summary = figures.summary()
    ratio = summary['ATE / path']
    assert ratio.low <= ratio.value <= ratio.high and ratio.value > 0
    assert ratio.value == pytest.approx(np.mean([s.ate_m / s.path_m for s in figures.scenes]))
    # Every scene begins afresh.
    assert evaluate_encoder(encoder, footage[2:3]).scenes[0] == figures.scenes[2]


def test_without_maps_there_is_no_depth() -> None:
    encoder = PoseEncoder(begin(tiny('linear'), 0), camera_only=True)
    figures = evaluate_encoder(encoder, [(0, Wall(4).footage(0, 0))])
    assert isnan(figures.summary()['depth AbsRel'].value)
    with pytest.raises(InputError, match='at least three'):
        evaluate_encoder(encoder, [(0, Wall(2).footage(0, 0))])
    with pytest.raises(InputError, match='no footage'):
        evaluate_encoder(encoder, [])
