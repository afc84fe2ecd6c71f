# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The arithmetic: shortcuts, masks, batches, tracing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loc3r_ros.cut3r import Cut3rConfig, Stream, View, forward_views, tiny
from loc3r_ros.cut3r.blocks import CrossAttention, SelfAttention
from loc3r_ros.cut3r.rope import Layout, _table, rope_table, rotate
from loc3r_ros.errors import InputError

CPU = torch.device('cpu')


def images(count: int, height: int = 64, width: int = 64, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(count, 3, height, width, generator=generator) - 1


def run(model, views, **options):
    with torch.inference_mode():
        return [output.named() for output in forward_views(model, views, **options)]


def assert_same(a, b):
    """Equal but for rounding, which the exponentials of the maps amplify."""
    assert a.keys() == b.keys()
    for key in a:
        limit = 2e-3 if key.startswith(('pts3d', 'conf')) else 2e-5
        error = float(((a[key] - b[key]).abs() / (1 + b[key].abs())).max())
        assert error < limit, f'{key}: {error:.1e}'


def test_state_tokens_lie_on_the_published_grid():
    assert tiny('linear').state_width == 6
    assert Cut3rConfig('dpt', 512, False).state_width == 28
    positions = Layout(768, 28).positions()
    assert positions[29].tolist() == [1, 1]
    assert positions[767].tolist() == [27, 11]
    assert Layout(4, 2, True).positions().tolist() == [[-1, -1], [0, 0], [0, 1], [1, 0], [1, 1]]


def test_rotation_by_hand():
    rope = rope_table(Layout(6, 3), 8, 100.0, CPU)
    x = torch.randn(1, 2, 6, 8, generator=torch.Generator().manual_seed(0))
    turned = rotate(x, rope)
    row, column, channel = 1, 2, 1
    token = 3 * row + column
    for half, position in ((0, row), (4, column)):
        angle = position * 100.0 ** (-channel / 2)
        u, v = x[0, 1, token, half + channel], x[0, 1, token, half + channel + 2]
        expected = u * np.cos(angle) - v * np.sin(angle), v * np.cos(angle) + u * np.sin(angle)
        got = turned[0, 1, token, half + channel], turned[0, 1, token, half + channel + 2]
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_rotation_tables_are_kept_and_bounded():
    assert rope_table(Layout(6, 3), 8, 100.0, CPU) is rope_table(Layout(6, 3), 8, 100.0, CPU)
    for width in range(1, 200):
        rope_table(Layout(width, width), 8, 100.0, CPU)
    assert _table.cache_info().currsize <= 64


def test_one_key_shortcuts_equal_attention():
    torch.manual_seed(0)
    x, y = torch.randn(2, 5, 24), torch.randn(2, 1, 24)
    cross, own = CrossAttention(24, 3), SelfAttention(24, 3)
    q, k, v = (
        t.unflatten(-1, (3, 8)).transpose(1, 2)
        for t in (cross.projq(x), cross.projk(y), cross.projv(y))
    )
    attended = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    short, _ = cross(x, y, None, None)
    torch.testing.assert_close(short.expand(2, 5, 24), cross.proj(attended))
    q, k, v = (t.unflatten(-1, (3, 8)).transpose(1, 2) for t in own.qkv(y).chunk(3, -1))
    attended = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    torch.testing.assert_close(own(y, None), own.proj(attended))


def test_score_is_the_mean_over_the_attention_matrix():
    torch.manual_seed(0)
    x, y = torch.randn(2, 5, 24), torch.randn(2, 4, 24)
    cross = CrossAttention(24, 3)
    _, score = cross(x, y, None, None, align=True)
    q, k = (t.unflatten(-1, (3, 8)).transpose(1, 2) for t in (cross.projq(x), cross.projk(y)))
    full = (q @ k.mT / 8**0.5).mean((1, 3))
    torch.testing.assert_close(score, full)


def test_step_by_step_equals_the_sequence_and_batches_do_not_mix(linear):
    first, second = images(3, seed=1), images(3, seed=2)
    alone = run(linear, [View(x[None]) for x in first])
    paired = run(linear, [View(torch.stack(pair)) for pair in zip(first, second, strict=True)])
    for one, two in zip(alone, paired, strict=True):
        assert_same(one, {key: value[:1] for key, value in two.items()})
    recurrent = run(linear, [View(x[None]) for x in first], recurrent=True)
    for one, two in zip(alone, recurrent, strict=True):
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_camera_only_gives_the_very_tokens(linear):
    views = [View(x[None]) for x in images(3, 64, 96)]
    full, bare = run(linear, views), run(linear, views, camera_only=True)
    for one, two in zip(full, bare, strict=True):
        assert 'rgb' in one
        assert 'rgb' not in two
        for key in two:
            torch.testing.assert_close(two[key], one[key], rtol=0, atol=0)


@pytest.mark.parametrize('rule', ['cut3r', 'ttt3r'])
def test_masks_act_on_each_element_of_a_batch(linear, rule):
    """Every element of a batch does what it would do alone, whatever its neighbours' flags."""
    frames = images(8).view(4, 2, 3, 64, 64)
    updates, resets = [(1, 1), (0, 1), (1, 1), (1, 1)], [(0, 0), (0, 1), (0, 0), (0, 0)]
    batch = run(
        linear,
        [
            View(x, update=torch.tensor(u).bool(), reset=torch.tensor(r).bool())
            for x, u, r in zip(frames, updates, resets, strict=True)
        ],
        rule=rule,
        recurrent=True,
    )
    for element in range(2):
        alone = run(
            linear,
            [
                View(x[element, None], update=bool(u[element]), reset=bool(r[element]))
                for x, u, r in zip(frames, updates, resets, strict=True)
            ],
            rule=rule,
            recurrent=True,
        )
        for one, all_ in zip(alone, batch, strict=True):
            assert_same(one, {key: value[element, None] for key, value in all_.items()})


def test_what_is_masked_out_may_be_nan(linear):
    """An image and a ray-only view in a batch, filled up with NaN as the published code does."""
    x, rays = images(1), torch.rand(1, 64, 64, 6, generator=torch.Generator().manual_seed(3))
    nan_image, nan_rays = torch.full_like(x, torch.nan), torch.full_like(rays, torch.nan)
    mixed = View(
        torch.cat([x, nan_image]),
        torch.cat([nan_rays, rays]),
        image_mask=torch.tensor([True, False]),
        ray_mask=torch.tensor([False, True]),
    )
    start = View(images(2, seed=5))
    for recurrent in (False, True):
        outputs = run(linear, [start, mixed], recurrent=recurrent)
        assert all(bool(value.isfinite().all()) for value in outputs[1].values())
        # The element without an image leaves its state alone.
        torch.testing.assert_close(outputs[1]['state'][1], outputs[0]['state'][1], rtol=0, atol=0)
        assert not torch.equal(outputs[1]['state'][0], outputs[0]['state'][0])


def test_a_reset_acts_after_the_outputs_and_a_ray_query_changes_nothing(linear):
    x = images(3)
    with torch.inference_mode():
        start = linear.initial()
        first = linear.step(x[:1], start, first=True, reset=True)
        torch.testing.assert_close(first.state, start.state, rtol=0, atol=0)
        torch.testing.assert_close(first.mem, start.memory, rtol=0, atol=0)
        plain = linear.step(x[:1], start, first=True)
        torch.testing.assert_close(first.camera_token, plain.camera_token, rtol=0, atol=0)
        query = linear.query(torch.rand(1, 64, 64, 6), plain.stream)
        assert query.state is plain.state
        assert query.mem is plain.mem


class Step(nn.Module):
    """The step with nothing but tensors at its edges."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image, state, memory, first, update, reset):
        output = self.model.step(
            image, Stream(state, memory), first=first, update=update, reset=reset
        )
        return output.camera_token, output.maps.pts3d_in_self_view, output.state, output.mem


def test_the_step_can_be_traced_with_flags_as_inputs(linear):
    _table.cache_clear()
    x, (state, memory) = images(1), linear.initial()
    with torch.no_grad():
        traced = torch.export.export(
            Step(linear), (x, state, memory, *(torch.tensor([v]) for v in (True, True, False)))
        ).module()
        first = linear.step(x, Stream(state, memory), first=True)
        second = linear.step(x, first.stream, first=False, update=False)
        reset = linear.step(x, first.stream, first=False, reset=True)
        for expected, stream, given in (
            (first, (state, memory), (True, True, False)),
            (second, first.stream, (False, False, False)),
            (reset, first.stream, (False, True, True)),
        ):
            got = traced(x, *stream, *(torch.tensor([flag]) for flag in given))
            wanted = expected.camera_token, expected.maps[0], expected.state, expected.mem
            for a, b in zip(got, wanted, strict=True):
                torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_sizes_that_do_not_fit_are_refused(linear):
    with pytest.raises(InputError, match='multiples of 16'):
        linear.encode_image(torch.zeros(1, 3, 64, 60))
    with pytest.raises(InputError, match='differ'):
        run(linear, [View(images(1)), View(images(1, 64, 80))])
    with pytest.raises(InputError, match='neither'):
        View()


@pytest.mark.parametrize(
    'wrong', [{'head': 'mlp'}, {'enc_heads': 5}, {'image_size': 8}, {'state_heads': 0}]
)
def test_impossible_dimensions_are_refused(wrong):
    fields = {'head': 'dpt', 'image_size': 512, 'square_crop': False, **wrong}
    with pytest.raises(InputError, match=next(iter(wrong))):
        Cut3rConfig(**fields)


def test_configuration_survives_json_and_refuses_other_types():
    config = tiny('dpt')
    assert Cut3rConfig.from_json(config.to_json()) == config
    for bad in ('', '[]', '{"head": "dpt"}', config.to_json().replace('64', '"64"', 1)):
        with pytest.raises(InputError, match='not a CUT3R configuration'):
            Cut3rConfig.from_json(bad)
