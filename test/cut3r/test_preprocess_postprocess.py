# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What comes before the network and what comes after it."""

from __future__ import annotations

import json
import zlib

import cv2
import numpy as np
import pytest
import torch

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.cut3r import FULL_DPT_512, FULL_LINEAR_224, activations, postprocess
from loc3r_ros.cut3r.preprocess import plan_for, resize_crop, to_input
from loc3r_ros.errors import InputError


@pytest.mark.parametrize(
    ('size', 'model', 'expected'),
    [
        ((640, 480), 512, (512, 384)),
        ((1280, 720), 512, (512, 288)),
        ((848, 480), 512, (512, 288)),
        ((1920, 1200), 512, (512, 320)),
        ((1241, 376), 512, (512, 144)),
        ((1296, 968), 512, (512, 368)),
        ((600, 600), 512, (512, 384)),
        ((480, 640), 512, (384, 512)),
        ((640, 480), 224, (224, 224)),
        ((1241, 376), 224, (224, 224)),
    ],
)
def test_sizes(size, model, expected):
    plan = resize_crop(*size, model, model == 224)
    assert (plan.width, plan.height) == expected
    assert plan.lanczos == (max(size) > max(plan.resized))
    assert plan.left == plan.resized[0] // 2 - plan.width // 2
    assert plan.top == plan.resized[1] // 2 - plan.height // 2


@pytest.mark.shared
def test_published_resampling_to_the_byte(golden_dir, rule):
    cases = json.loads((golden_dir / 'preprocess.json').read_text())
    samples = np.load(golden_dir / 'preprocess_samples.npz')
    assert len(cases) == 38
    for case in cases:
        width, height = case['input_wh']
        rgb = rule.image_u8(0, height, width)
        plan = plan_for(rgb, FULL_LINEAR_224 if case['size'] == 224 else FULL_DPT_512)
        assert list(plan.resized) == case['resized_wh']
        assert [plan.width, plan.height] == case['output_wh']
        assert [plan.height, plan.width] == case['true_shape_hw']
        assert plan.lanczos == (case['resampling'] == 'lanczos')
        output = plan.image(rgb)
        expected = samples[f'{width}x{height}_{case["size"]}'].astype(int)
        assert np.abs(output[5::16, 3::16] - expected).mean() < 0.05
        assert zlib.crc32(output.tobytes()) == case['output_u8_crc32'], case


@pytest.mark.shared
def test_normalisation_is_exact(rule):
    np.testing.assert_array_equal(to_input(rule.image_u8(2, 48, 64)), rule.image(2, 48, 64))


def test_a_view_with_negative_strides_is_taken_as_it_looks():
    bgr = np.random.default_rng(0).integers(0, 256, (75, 100, 3), dtype=np.uint8)
    plan = plan_for(bgr, FULL_DPT_512)
    np.testing.assert_array_equal(plan.image(bgr[..., ::-1]), plan.image(bgr)[..., ::-1])


@pytest.mark.parametrize('image_size', [224, 512])
@pytest.mark.parametrize('size', [(1280, 720), (333, 777), (320, 240)])
def test_intrinsics_follow_the_image_content(size, image_size):
    """A blob at a known ray must lie, after resize and crop, where the new camera projects it."""
    width, height = size
    camera = PinholeCamera(width, height, 500, 500, 0.51 * width, 0.48 * height)
    ray = np.array([[0.06, -0.05, 1.0]])
    u, v = camera.project(ray)[0]
    ys, xs = np.mgrid[:height, :width]
    blob = 250 * np.exp(-((xs - u) ** 2 + (ys - v) ** 2) / (2 * 8**2))
    rgb = np.repeat(np.rint(blob)[..., None], 3, -1).astype(np.uint8)
    plan = resize_crop(width, height, image_size, image_size == 224)
    moments = cv2.moments(plan.image(rgb)[..., 0].astype(np.float64))
    found = moments['m10'] / moments['m00'], moments['m01'] / moments['m00']
    np.testing.assert_allclose(plan.camera(camera).project(ray)[0], found, atol=0.03)


@pytest.mark.parametrize(
    ('rgb', 'told'),
    [
        (np.zeros((480, 640), np.uint8), 'shape'),
        (np.zeros((480, 640, 4), np.uint8), 'shape'),
        (np.zeros((480, 640, 3), np.float32), 'float32'),
        (np.zeros((0, 640, 3), np.uint8), 'no pixels'),
        (np.zeros((10, 640, 3), np.uint8), 'too narrow'),
    ],
)
def test_unusable_images_say_why(rgb, told):
    with pytest.raises(InputError, match=told):
        plan_for(rgb, FULL_DPT_512)


@pytest.mark.shared
def test_published_activations_and_postprocessing(golden_dir):
    golden = {
        key: torch.from_numpy(value)
        for key, value in np.load(golden_dir / 'postprocess.npz').items()
    }
    camera_pose = activations.camera_pose(golden['pose_raw'])
    ours = {
        'camera_pose': camera_pose,
        'c2w': postprocess.camera_to_world(camera_pose),
        'pts3d': activations.points(golden['xyz_raw']),
        'pts3d_pos_z': activations.points(golden['xyz_raw'], front=True),
        'conf': activations.confidence(golden['conf_raw']),
        'rgb': activations.colour(golden['xyz_raw']),
        'world': postprocess.to_world(golden['c2w'][5:6], golden['pts3d']),
        'focal_weiszfeld': postprocess.focal_weiszfeld(golden['focal_pts']),
        'focal_median': postprocess.focal_median(golden['focal_pts']),
    }
    assert golden.keys() - ours.keys() == {'pose_raw', 'xyz_raw', 'conf_raw', 'focal_pts'}
    for key, value in ours.items():
        torch.testing.assert_close(value, golden[key], rtol=2e-6, atol=2e-6, equal_nan=True)


def test_pose_activation_by_hand():
    raw = torch.tensor([[0.0, 0, 2, -1, 0, 0, 0], [0, 0, 0, 0, 0, 3, 0]])
    pose = activations.camera_pose(raw)
    torch.testing.assert_close(pose[0], torch.tensor([0, 0, np.expm1(2), 1, 0, 0, 0]).float())
    turned = postprocess.camera_to_world(pose[1])[:3, :3]
    torch.testing.assert_close(turned, torch.diag(torch.tensor([-1.0, 1, -1])))


def test_focal_of_a_known_camera():
    height, width, focal = 48, 64, 71.5
    v, u = torch.meshgrid(torch.arange(height) - 24.0, torch.arange(width) - 32.0, indexing='ij')
    depth = 1 + torch.rand(height, width, generator=torch.Generator().manual_seed(0))
    points = torch.stack((u / focal * depth, v / focal * depth, depth), -1)[None]
    points[0, :2] = torch.nan
    for estimate in (postprocess.focal_weiszfeld, postprocess.focal_median):
        assert estimate(points).item() == pytest.approx(focal, rel=1e-4)
