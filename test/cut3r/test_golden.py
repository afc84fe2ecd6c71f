# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Every array of every golden case, within the limits that come with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loc3r_ros.cut3r import FrameOutput, View, forward_views
from loc3r_ros.cut3r.rope import Layout

pytestmark = pytest.mark.shared

VARIANTS = ('fp32', 'pub')
TOKENS = {'fp32': 5e-6, 'pub': 6e-5}
MAPS_P999 = {'fp32': 2e-4, 'pub': 1e-3}
MAPS_MAX = {'fp32': 2e-3, 'pub': 1e-2}
MAPS = ('pts3d_in_self_view', 'conf_self', 'pts3d_in_other_view', 'conf', 'rgb')


def compare(golden: np.lib.npyio.NpzFile, ours: dict[str, np.ndarray], variant: str, prefix=''):
    """Check all arrays of a prefix; returns how many there were."""
    keys = [key for key in golden.files if key.startswith(prefix)]
    for key in keys:
        name, expected = key[len(prefix) :], golden[key]
        actual = ours[name]
        if name not in MAPS:
            error = np.linalg.norm(actual - expected) / np.linalg.norm(expected)
            assert error <= TOKENS[variant], f'{key}: relative L2 {error:.1e}'
            continue
        if actual.shape != expected.shape:
            actual = actual[:, 2::5, 2::5]
        assert actual.shape == expected.shape
        error = np.abs(actual - expected) / (1 + np.abs(expected))
        if name == 'pts3d_in_self_view':
            distance = np.linalg.norm(expected, axis=-1)
            error = error[np.abs(expected[..., 2]) >= 1e-3 * distance]
        assert np.percentile(error, 99.9) <= MAPS_P999[variant], key
        assert error.max() <= MAPS_MAX[variant], key
    return len(keys)


def run(model, views, **options) -> dict[str, np.ndarray]:
    """All outputs stacked over frames, the state that each frame started from among them."""
    with torch.inference_mode():
        first = model.initial()
        outputs = list(forward_views(model, views, **options))
        named = stack(outputs)
        states = [first.state, *(output.state for output in outputs[:-1])]
    named['state_in'] = torch.cat(states).numpy()
    named['state_init'] = first.state[0].numpy()
    c = model.config
    named['state_pos'] = Layout(c.state_tokens, c.state_width).positions()
    return named


def stack(outputs: list[FrameOutput]) -> dict[str, np.ndarray]:
    named = [output.named() for output in outputs]
    return {key: torch.cat([one[key] for one in named]).numpy() for key in named[0]}


@pytest.fixture
def image(rule):
    return lambda t, height=64, width=64: torch.from_numpy(rule.image(t, height, width))


@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize(
    ('case', 'size', 'frames', 'arrays'),
    [
        ('tiny_linear', (64, 64), 4, 18),
        ('tiny_dpt', (64, 96), 3, 16),
        ('tiny_dpt_odd', (80, 112), 2, 16),
    ],
)
def test_images(golden_dir, golden_model, image, case, size, frames, arrays, variant):
    model = golden_model(case.removesuffix('_odd'), variant)
    ours = run(model, [View(image(t, *size)) for t in range(frames)])
    golden = np.load(golden_dir / f'{case}.{variant}.npz')
    assert compare(golden, ours, variant) == arrays


@pytest.mark.parametrize('variant', VARIANTS)
def test_masks(golden_dir, golden_model, image, variant):
    model = golden_model('tiny_linear', variant)
    views = [View(image(t), reset=t == 3, update=t != 4) for t in range(7)]
    golden = np.load(golden_dir / f'tiny_linear_masks.{variant}.npz')
    assert compare(golden, run(model, views), variant) == 18
    # The same flags as tensors take the traceable way.
    views = [
        View(image(t), reset=torch.tensor([t == 3]), update=torch.tensor([t != 4]))
        for t in range(7)
    ]
    assert compare(golden, run(model, views), variant) == 18


@pytest.mark.parametrize('variant', VARIANTS)
def test_ray_maps(golden_dir, golden_model, rule, image, variant):
    model = golden_model('tiny_linear', variant)
    golden = np.load(golden_dir / f'tiny_linear_raymap.{variant}.npz')
    c, s = np.cos(0.3), np.sin(0.3)
    c2w = np.array([[c, 0, s, 0.2], [0, 1, 0, -0.1], [-s, 0, c, 0.4], [0, 0, 0, 1]])
    rays = torch.from_numpy(rule.ray_map(64, 64, c2w))
    views = [
        View(image(0)),
        View(image(1), rays),
        View(ray_map=rays, update=False),
        View(image(3)),
    ]
    assert compare(golden, run(model, views), variant, 'offline.') == 14
    assert compare(golden, run(model, views, recurrent=True), variant, 'stream.') == 13
    with torch.inference_mode():
        *_, last = forward_views(model, [View(image(0)), View(image(1))])
        query = stack([model.query(rays, last.stream)])
    assert compare(golden, query, variant, 'query.') == 6


@pytest.mark.parametrize('variant', VARIANTS)
def test_ttt3r(golden_dir, golden_model, image, variant):
    model = golden_model('tiny_linear', variant)
    golden = np.load(golden_dir / f'tiny_linear_ttt3r.{variant}.npz')
    plain = run(model, [View(image(t)) for t in range(6)], rule='ttt3r')
    assert compare(golden, plain, variant, 'plain.') == 14
    views = [View(image(t), reset=t == 3) for t in range(6)]
    reset = run(model, views, rule='ttt3r', recurrent=True)
    assert compare(golden, reset, variant, 'reset.') == 13


def test_half_rounding_is_what_tells_the_variants_apart(golden_dir, golden_model, image):
    plain = run(golden_model('tiny_linear', 'fp32'), [View(image(t)) for t in range(4)])
    published = np.load(golden_dir / 'tiny_linear.pub.npz')['camera_token']
    error = np.linalg.norm(plain['camera_token'] - published) / np.linalg.norm(published)
    assert 6e-5 < error < 5e-4
