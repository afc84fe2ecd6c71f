# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Depth seen from another camera, against a plane whose depth is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from loc3r_ros.bag.typestore import messages
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import exp_so3, invert, pose, transform
from loc3r_ros.ingest.alignment import DepthAlignment
from loc3r_ros.ingest.depth import register, resample
from loc3r_ros.ingest.problems import Problems
from loc3r_ros.ingest.transforms import StaticTransforms

COLOR = PinholeCamera(160, 120, 140.0, 140.0, 80.0, 60.0)
DEPTH = PinholeCamera(160, 120, 150.0, 151.0, 78.0, 61.0)
T_COLOR_DEPTH = pose(exp_so3([0.02, -0.05, 0.03]), [0.05, -0.01, 0.02])
NORMAL, OFFSET = np.array([0.2, -0.3, 1.0]), 2.0  # n . p = d in the colour frame


def plane(camera, T_color_camera=None):
    """Depth of the plane, seen from a camera at T_color_camera."""
    T = np.eye(4) if T_color_camera is None else T_color_camera
    normal = T[:3, :3].T @ NORMAL
    offset = OFFSET - NORMAL @ T[:3, 3]
    rays = np.concatenate([camera.rays, np.ones((*camera.rays.shape[:2], 1))], -1)
    return (offset / (rays @ normal)).astype(np.float32)


def errors(registered, camera=COLOR):
    """Distance of registered points from the plane (m), and the share of pixels that have any."""
    points = camera.backproject(registered).reshape(-1, 3)
    points = points[np.isfinite(points[:, 2])]
    return np.abs(points @ NORMAL - OFFSET) / np.linalg.norm(NORMAL), len(points) / registered.size


def test_a_tilted_plane_stays_where_it_is():
    registered = register(plane(DEPTH, T_COLOR_DEPTH), DEPTH, COLOR, T_COLOR_DEPTH)
    distance, share = errors(registered)
    assert registered.dtype == np.float32
    assert registered.shape == (120, 160)
    # Half a pixel of rounding, on a plane tilted by 20 degrees at 2 m.
    assert distance.max() < 0.5 * np.hypot(2 / 140, 2 / 140)
    assert np.median(distance) < 0.003
    assert share > 0.85
    # Not registered, it is off by far more: the test can tell.
    wrong, _ = errors(plane(DEPTH, T_COLOR_DEPTH))
    assert np.median(wrong) > 0.03


def test_depth_of_half_the_size_leaves_no_grid_of_holes():
    half = DEPTH.resized(80, 60)
    registered = register(plane(half, T_COLOR_DEPTH), half, COLOR, T_COLOR_DEPTH)
    distance, share = errors(registered)
    assert np.median(distance) < 0.006
    assert share > 0.85
    assert np.isfinite(registered[40:80, 40:120]).mean() > 0.99


def test_depth_of_twice_the_size():
    double = DEPTH.resized(320, 240)
    distance, share = errors(register(plane(double, T_COLOR_DEPTH), double, COLOR, T_COLOR_DEPTH))
    assert np.median(distance) < 0.003
    assert share > 0.85


def test_lens_distortion_of_both_cameras():
    bent = (0.1, -0.05, 0.001, 0.0, 0.0)
    color = PinholeCamera(160, 120, 140.0, 140.0, 80.0, 60.0, bent)
    deep = PinholeCamera(160, 120, 150.0, 151.0, 78.0, 61.0, bent)
    registered = register(plane(deep, T_COLOR_DEPTH), deep, color, T_COLOR_DEPTH)
    distance, share = errors(registered, color)
    assert np.median(distance) < 0.003
    assert share > 0.8


def test_the_same_camera_changes_nothing():
    depth = plane(COLOR)
    depth[10:20, 30:50] = np.nan
    np.testing.assert_array_equal(register(depth, COLOR, COLOR, np.eye(4)), depth)


def test_the_nearest_surface_wins():
    depth = np.full((120, 160), 4.0, np.float32)
    depth[:, 80:] = 1.0
    T = pose(np.eye(3), [-0.2, 0.0, 0.0])  # moves the near half by 28 pixels, the far one by 7
    registered = register(depth, COLOR, COLOR, T)
    np.testing.assert_array_equal(registered[:, 52:132], 1.0)
    np.testing.assert_array_equal(registered[:, :52], 4.0)
    assert np.isnan(registered[:, 132:]).all()


def test_what_lies_behind_or_outside_is_dropped():
    behind = register(
        np.full((120, 160), 1.0, np.float32), COLOR, COLOR, pose(np.eye(3), [0, 0, -2])
    )
    outside = register(
        np.full((120, 160), 1.0, np.float32), COLOR, COLOR, pose(np.eye(3), [9, 0, 0])
    )
    nothing = register(np.full((120, 160), np.nan, np.float32), COLOR, COLOR, np.eye(4))
    assert np.isnan(behind).all()
    assert np.isnan(outside).all()
    assert np.isnan(nothing).all()


def test_resampling_only_repeats_measured_values():
    depth = np.array([[1.0, 2.0], [np.nan, 4.0]], np.float32)
    np.testing.assert_array_equal(resample(depth, 4, 4), np.repeat(np.repeat(depth, 2, 0), 2, 1))
    np.testing.assert_array_equal(resample(np.repeat(depth, 3, 0).repeat(3, 1), 2, 2), depth)


def transforms(T=T_COLOR_DEPTH):
    make = messages()
    return StaticTransforms([make.tf(make.transform_stamped(0, 'color', 'depth', T))])


def align(depth, camera, *, tf=None, color=COLOR, frame='depth', size=(160, 120), aligned=False):
    problems = Problems()
    alignment = DepthAlignment(tf or StaticTransforms(), problems, is_aligned=aligned)
    return alignment.align(depth, frame, camera, 'color', color, size), problems.texts()


def test_alignment_registers_by_the_static_transform():
    depth = plane(DEPTH, T_COLOR_DEPTH)
    aligned, problems = align(depth, DEPTH, tf=transforms())
    np.testing.assert_array_equal(aligned, register(depth, DEPTH, COLOR, T_COLOR_DEPTH))
    assert problems == []


@pytest.mark.parametrize('how', ['same frame', 'name', 'same view'])
def test_aligned_depth_is_taken_as_it_is(how):
    depth = plane(COLOR)
    aligned, problems = align(
        depth, COLOR, frame='color' if how == 'same frame' else 'depth', aligned=how == 'name'
    )
    assert aligned is depth
    assert problems == []


def test_the_same_frame_with_other_intrinsics_is_registered_in_place():
    depth = plane(DEPTH)
    aligned, problems = align(depth, DEPTH, frame='color')
    assert np.median(errors(aligned)[0]) < 0.003
    assert problems == []


def test_depth_without_the_distortion_of_the_image_is_registered():
    bent = PinholeCamera(160, 120, 140.0, 140.0, 80.0, 60.0, (0.1, -0.05, 0.0, 0.0, 0.0))
    depth = plane(COLOR)
    aligned, _ = align(depth, COLOR, color=bent, frame='color')
    assert np.median(errors(aligned, bent)[0]) < 0.003
    assert np.median(errors(depth, bent)[0]) > np.median(errors(aligned, bent)[0])


def test_no_transform_and_another_view_drops_depth_and_says_so():
    aligned, problems = align(plane(DEPTH), DEPTH)
    assert aligned is None
    assert problems == [
        'no static transform from depth to color: depth is not used; provide /tf_static, or depth '
        'that is aligned to colour'
    ]


@pytest.mark.parametrize(
    ('shape', 'words', 'kept'),
    [((60, 80), 'resampled', True), ((60, 60), 'another shape, depth is not used', False)],
)
def test_depth_of_another_size_without_camera_info(shape, words, kept):
    aligned, (problem,) = align(np.ones(shape, np.float32), None)
    assert words in problem
    assert (aligned is not None) == kept
    if aligned is not None:
        assert aligned.shape == (120, 160)


def test_depth_without_camera_info_beside_a_known_offset_is_taken_but_said():
    depth = plane(DEPTH)
    aligned, problems = align(depth, None, tf=transforms())
    assert aligned is depth
    assert 'taken as aligned' in problems[0]


@pytest.mark.parametrize('tf', [None, transforms(pose(np.eye(3), [9, 0, 0]))])
def test_depth_without_a_measurement_is_none(tf):
    value = np.nan if tf is None else 1.0
    aligned, problems = align(np.full((120, 160), value, np.float32), COLOR, tf=tf)
    assert aligned is None
    assert len(problems) == 1


def test_register_is_the_inverse_of_moving_the_camera():
    depth = plane(COLOR)
    points = COLOR.backproject(depth).reshape(-1, 3)
    seen = transform(invert(T_COLOR_DEPTH), points)
    pixels = DEPTH.project(seen).round().astype(int)
    inside = ((pixels >= 0) & (pixels < (160, 120))).all(1)
    expected = plane(DEPTH, T_COLOR_DEPTH)
    u, v = pixels[inside].T
    np.testing.assert_allclose(expected[v, u], seen[inside, 2], atol=0.02)
