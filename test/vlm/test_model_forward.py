# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The pieces of the forward pass, against values worked out otherwise."""

import numpy as np
import pytest
import torch
from model_shapes import SMALL
from PIL import Image
from transformers import DynamicCache

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.model.attention import attend, extension_mask
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.model.preprocess import preprocess


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return build(SMALL, dtype=torch.float64)


@torch.no_grad()
def test_each_frame_is_its_camera_token_then_rows_ended_by_newlines(model):
    image = model.encode_images(torch.rand(2, 3, 71, 71))
    cameras = torch.rand(2, 20)
    frames = model.frame_embeddings(image, cameras)
    assert frames.shape == (2, 13, 48)
    first, _, second = model.camera_projector
    by_hand = second(torch.nn.functional.gelu(first(cameras.double())))
    assert torch.allclose(frames[:, 0], by_hand, atol=1e-12)
    assert torch.equal(frames[:, 1:], image)
    for row in range(3):
        assert torch.equal(frames[:, 1 + 4 * row + 3], model.newline.expand(2, -1))


@torch.no_grad()
def test_without_camera_tokens_frames_are_images(model):
    image = model.encode_images(torch.rand(1, 3, 71, 71))
    assert torch.equal(model.frame_embeddings(image, None), image)


@torch.no_grad()
def test_patch_states_leave_out_camera_token_and_newlines(model):
    frame = torch.arange(13)[:, None].expand(13, 2)
    expected = [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert model.patch_states(frame)[:, 0].tolist() == expected
    assert model.patch_states(frame[1:])[:, 0].tolist() == expected


@torch.no_grad()
def test_pooling_is_bilinear_between_pixel_centres(model, monkeypatch):
    """A ramp of 5 patches sampled at 3 places: centres at (i + 0.5) 5 / 3 - 0.5."""
    across = torch.arange(5.0, dtype=torch.float64).expand(5, 5)
    ramp = (10 * across.T + across).flatten()[None, :, None].expand(1, 25, 48)
    monkeypatch.setattr(model, 'projector', torch.nn.Identity())
    monkeypatch.setattr('loc3r_ros.vlm.model.compatibility.see', lambda _vision, _pixels: ramp)
    pooled = model.patch_states(model.encode_images(torch.zeros(1, 3, 71, 71)))[0, :, 0]
    places = [1 / 3, 2, 11 / 3]
    expected = [10 * row + column for row in places for column in places]
    assert pooled.tolist() == pytest.approx(expected, abs=1e-9)


@torch.no_grad()
@pytest.mark.parametrize('steps', [[31], [13, 13, 5], [1, 1, 1, 20, 1, 7], [30, 1]])
def test_reading_in_steps_is_reading_at_once(model, steps):
    sequence = torch.randn(1, 31, 48, dtype=torch.float64)
    cache, parts, start = DynamicCache(), [], 0
    for step in steps:
        parts.append(model.decode(sequence[:, start : start + step], cache, start))
        start += step
    assert (torch.cat(parts, 1) - model.decode(sequence)).abs().max() < 1e-12


@torch.no_grad()
def test_later_tokens_do_not_change_earlier_ones(model):
    sequence = torch.randn(2, 9, 48, dtype=torch.float64)
    before = model.decode(sequence)
    sequence[:, 6:] += 1
    after = model.decode(sequence)
    assert (after[:, :6] - before[:, :6]).abs().max() < 1e-14
    assert (after[:, 6:] - before[:, 6:]).abs().min() > 0


@torch.no_grad()
def test_keys_and_values_given_as_views_are_read_where_they_are(model):
    """The heart of a streaming cache: no step may copy or write to what came before."""

    class Fixed:
        def __init__(self):
            self.store = torch.full((3, 2, 1, 2, 64, 8), torch.nan, dtype=torch.float64)

        def update(self, key, value, layer, *_args, **_kwargs):
            end = self.start + key.shape[2]
            self.store[layer, 0][:, :, self.start : end] = key
            self.store[layer, 1][:, :, self.start : end] = value
            return self.store[layer, 0][:, :, :end], self.store[layer, 1][:, :, :end]

    sequence = torch.randn(1, 20, 48, dtype=torch.float64)
    cache, parts = Fixed(), []
    for start, end in ((0, 8), (8, 15), (15, 16), (16, 20)):
        cache.start = start
        before = cache.store[..., :start, :].clone()
        parts.append(model.decode(sequence[:, start:end], cache, start))
        assert torch.equal(cache.store[..., :start, :], before)
    assert (torch.cat(parts, 1) - model.decode(sequence)).abs().max() < 1e-12


@pytest.mark.parametrize(('new', 'start'), [(1, 9), (4, 9), (6, 0)])
def test_attention_is_softmax_of_products_over_what_may_be_seen(new, start):
    generator = torch.Generator().manual_seed(2)
    query = torch.randn(2, 6, new, 8, generator=generator, dtype=torch.float64)
    key, value = torch.randn(2, 2, 2, start + new, 8, generator=generator, dtype=torch.float64)
    mask = extension_mask(new, start, 3, query)
    out = attend(query, key, value, mask).unflatten(2, (6, 8))
    for head in range(6):
        products = query[:, head] @ key[:, head // 3].mT / 8**0.5
        for row in range(new):
            weights = products[:, row, : start + row + 1].softmax(-1)
            expected = (weights[:, None] @ value[:, head // 3, : start + row + 1])[:, 0]
            assert torch.allclose(out[:, row, head], expected, atol=1e-12)


@pytest.mark.parametrize(('new', 'start'), [(5, 0), (4, 7), (1, 6)])
def test_training_in_bfloat16_is_near_float32(new, start):
    """On a CPU it takes another way than the fused kernel."""
    generator = torch.Generator().manual_seed(6)
    shapes = ((2, 6, new, 8), (2, 2, start + new, 8), (2, 2, start + new, 8))
    given = [torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes]
    mask = extension_mask(new, start, 3, given[0])

    def trained(narrow):
        with torch.autocast('cpu', torch.bfloat16, enabled=narrow):
            out = attend(*given, mask)
        return out, *torch.autograd.grad(out.float().square().sum(), given)

    for exact, found in zip(trained(False), trained(True), strict=True):
        assert (found - exact).norm() < 2e-2 * exact.norm()


@torch.no_grad()
def test_heads_compute_in_float32_in_a_model_of_bfloat16():
    torch.manual_seed(4)
    coarse = build(SMALL, dtype=torch.bfloat16)
    hidden = torch.randn(48).bfloat16()
    where = coarse.layout(hidden)
    assert where.mean.dtype == torch.float32
    exact = coarse.layout_head.weight.double() @ hidden.double()
    assert torch.allclose(where.mean.double(), exact[:2], atol=1e-6)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(coarse.layout(hidden).mean, where.mean)
    assert coarse.position(hidden).log_sigma.dtype == torch.float32
    assert coarse.orientation(hidden).shape == (36,)


def test_the_same_seed_makes_the_same_weights():
    made = []
    for _ in range(2):
        torch.manual_seed(5)
        made.append(torch.cat([p.flatten() for p in build(SMALL).parameters()]))
    assert torch.equal(*made)
    assert 0.015 < made[0].std() < 0.15


@pytest.mark.parametrize('shape', [(71, 71), (480, 640), (30, 200)])
def test_images_are_squeezed_whole_and_scaled_to_one(shape):
    rgb = np.random.default_rng(6).integers(0, 256, (*shape, 3), dtype=np.uint8)
    pixels = preprocess(rgb, 71)
    expected = np.asarray(Image.fromarray(rgb).resize((71, 71), Image.BICUBIC)) / 255
    assert pixels.shape == (3, 71, 71)
    assert pixels.dtype == torch.float32
    assert np.abs(pixels.numpy().transpose(1, 2, 0) - (expected - 0.5) / 0.5).max() < 1e-6


def test_black_is_minus_one_and_white_is_one():
    rgb = np.zeros((8, 8, 3), np.uint8)
    assert preprocess(rgb, 14).unique().tolist() == [-1]
    assert preprocess(rgb + 255, 14).unique().tolist() == [1]


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
    ],
)
def test_other_images_are_refused(image):
    with pytest.raises(InputError, match='give RGB, uint8'):
        preprocess(image, 14)


def test_wrong_shapes_are_named(model):
    with pytest.raises(InputError, match=r'give \(frames, 3, 71, 71\)'):
        model.encode_images(torch.zeros(2, 3, 70, 71))
    with pytest.raises(InputError, match=r'give \(2, 20\)'):
        model.frame_embeddings(torch.zeros(2, 12, 48), torch.zeros(1, 20))
    with pytest.raises(InputError, match='no cache'):
        model.decode(torch.zeros(1, 2, 48), start=3)
