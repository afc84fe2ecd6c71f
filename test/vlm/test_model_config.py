# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Dimensions: counts against the publication, and the way to JSON and back."""

import json
from dataclasses import replace

import pytest
import torch
from model_shapes import SMALL

from loc3r_ros.cut3r.config import FULL_LINEAR_224, tiny
from loc3r_ros.errors import InputError
from loc3r_ros.vlm.config import FULL, TINY, VlmConfig
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_a_full_frame_is_196_patches_14_newlines_and_a_camera_token():
    assert (FULL.patches, FULL.grid) == (27, 14)
    assert FULL.image_tokens == 196 + 14
    assert FULL.tokens_per_frame == 211


def test_the_full_size_is_qwen2_7b_and_so400m():
    model = build(FULL, 'meta', torch.bfloat16)
    # Qwen2-7B: 7,615,616,512 of the published checkpoint.
    assert parameters(model.language) + parameters(model.lm_head) == 7_615_616_512
    # so400m's vision half: 428,225,600 in all, less the pooling head, layer 27 and the last norm.
    layer = 4 * (1152**2 + 1152) + 2 * 1152 * 4304 + 4304 + 1152 + 2 * 2 * 1152
    head = 1152 + 4 * (1152**2 + 1152) + 2 * 1152 * 4304 + 4304 + 1152 + 2 * 1152
    assert parameters(model.vision) == 428_225_600 - layer - head - 2 * 1152
    added = parameters(model.camera_projector) + sum(
        parameters(head)
        for head in (model.layout_head, model.position_head, model.orientation_head)
    )
    assert added < 0.01 * parameters(model)  # as the publication states
    assert all(p.dtype == torch.bfloat16 for p in model.parameters())


def test_the_tiny_size_has_a_few_million_parameters_and_room_for_words():
    assert 3e6 < parameters(build(TINY, 'meta')) < 1e7
    assert (TINY.grid, TINY.tokens_per_frame) == (7, 57)
    assert TINY.frames * TINY.tokens_per_frame + 400 <= TINY.text.max_positions
    assert Words.tiny().vocab_size <= TINY.text.vocab_size


def test_camera_tokens_are_as_wide_as_cut3r_gives_them():
    assert FULL.camera_dim == FULL_LINEAR_224.dec_dim
    assert TINY.camera_dim == tiny('linear').dec_dim


def test_meta_weights_are_hollow_and_constants_are_real():
    model = build(SMALL, 'meta')
    assert {p.device.type for p in model.parameters()} == {'meta'}
    assert {b.device.type for b in model.buffers()} == {'cpu'}
    real = dict(build(SMALL).named_buffers())
    for name, constant in model.named_buffers():
        assert torch.equal(constant, real[name])


def test_hollow_weights_can_be_assigned():
    torch.manual_seed(3)
    given = build(SMALL)
    taken = build(SMALL, 'meta')
    taken.load_state_dict(given.state_dict(), assign=True)
    pixels = torch.rand(1, 3, 71, 71)
    with torch.no_grad():
        assert torch.equal(given.encode_images(pixels), taken.encode_images(pixels))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float64])
def test_the_frequencies_of_rope_stay_float32(dtype):
    inverse = build(SMALL, dtype=dtype).language.rotary_emb.inv_freq
    expected = [1e4 ** (-2 * k / 8) for k in range(4)]
    assert inverse.dtype == torch.float32
    assert inverse.tolist() == pytest.approx(expected, rel=1e-6)


def test_tied_embeddings_are_one_tensor():
    tied = replace(SMALL, text=replace(SMALL.text, tie_embeddings=True))
    model = build(tied)
    assert model.lm_head.weight is model.language.embed_tokens.weight
    assert parameters(build(SMALL)) - parameters(model) == 80 * 48


@pytest.mark.parametrize('config', [FULL, TINY, SMALL])
def test_json_and_back(config):
    assert VlmConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        ({'frames': 1.5}, 'frames'),
        ({'colour': 1}, 'colour'),
        ({'vision': 3}, 'vision'),
        ({'text': {'heads': 6}}, 'vocab_size'),
        ({'frames': 0}, 'frames=0'),
        ({'frames': 100}, '100 frames of 13 tokens'),
    ],
)
def test_what_is_no_configuration_is_named(change, named):
    with pytest.raises(InputError, match=named):
        VlmConfig.from_json(SMALL.to_json() | change)


@pytest.mark.parametrize(
    ('part', 'change', 'named'),
    [
        ('vision', {'heads': 3}, 'vision.heads'),
        ('vision', {'patch_size': 100}, 'patches of 100'),
        ('text', {'kv_heads': 4}, 'text.kv_heads'),
        ('text', {'heads': 48, 'kv_heads': 2}, 'text.heads'),
    ],
)
def test_shapes_that_cannot_be_are_named(part, change, named):
    with pytest.raises(InputError, match=named):
        replace(SMALL, **{part: replace(getattr(SMALL, part), **change)})
