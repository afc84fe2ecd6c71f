# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The pinhole camera: projection, distortion, resampling, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError

PLAIN = PinholeCamera(640, 480, 525.0, 520.0, 319.5, 239.5)
LENSES = {
    'none': PLAIN,
    'plumb_bob': PinholeCamera(
        640, 480, 525, 520, 319.5, 239.5, (0.12, -0.25, 0.001, -0.0005, 0.08)
    ),
    'rational': PinholeCamera(
        640, 480, 525, 520, 319.5, 239.5, (0.6, -2.9, 5e-4, -3e-4, 1.6, 0.48, -2.7, 1.5),
        'rational_polynomial',
    ),
    'fisheye': PinholeCamera(
        640, 480, 300, 300, 319.5, 239.5, (0.05, -0.01, 0.003, -0.001), 'equidistant'
    ),
}  # fmt: skip


@pytest.mark.parametrize('camera', LENSES.values(), ids=LENSES.keys())
def test_projecting_a_ray_gives_its_pixel(camera):
    rays = camera.rays[::40, ::40].reshape(-1, 2).astype(float)
    pixels = camera.project(np.column_stack([rays, np.ones(len(rays))]) * 2.5)
    v, u = np.mgrid[0:480:40, 0:640:40]
    expected = np.column_stack([u.ravel(), v.ravel()])
    np.testing.assert_allclose(pixels, expected, atol=2e-3)


def test_back_projection_by_hand():
    camera = PinholeCamera(4, 3, 2.0, 2.0, 1.0, 1.0)
    depth = np.full((3, 4), 4.0, np.float32)
    depth[0, 0] = np.nan
    points = camera.backproject(depth)
    np.testing.assert_array_equal(points[2, 3], [4.0, 2.0, 4.0])
    assert np.isnan(points[0, 0]).all()


def test_points_behind_have_no_pixel():
    assert np.isnan(PLAIN.project(np.array([[0.0, 0.0, -1.0]]))).all()


def test_resizing_keeps_what_a_pixel_sees():
    half = PLAIN.resized(320, 240)
    # Pixel (0, 0) of the half image covers pixels 0 and 1: its centre lies at 0.5.
    np.testing.assert_allclose(
        half.normalise(np.array([[0.0, 0.0]])), PLAIN.normalise(np.array([[0.5, 0.5]]))
    )


def test_cropping_keeps_rays():
    window = PLAIN.cropped(200, 50, 300, 300)
    np.testing.assert_allclose(window.rays, PLAIN.rays[50:350, 200:500], atol=1e-6)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'fx': 0.0, 'fy': 0.0}, 'not calibrated'),
        ({'fx': float('nan')}, 'not finite'),
        ({'cx': 900.0}, 'another image size'),
        ({'width': 0}, 'must be > 0'),
        ({'fx': 5250.0, 'fy': 100.0}, 'implausible'),
        ({'distortion': (0.1,) * 5, 'model': 'magic'}, 'magic'),
    ],
)
def test_bad_intrinsics_are_named(changes, words):
    fields = {
        'width': 640, 'height': 480, 'fx': 525.0, 'fy': 525.0, 'cx': 320.0, 'cy': 240.0,
    } | changes  # fmt: skip
    with pytest.raises(InputError, match=words):
        PinholeCamera(**fields)
