# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The cache against transformers' pass without one: exact, in place, as large as the arithmetic."""

from __future__ import annotations

import pytest
import torch
from transformers import Qwen2Config, Qwen2Model

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.cache import CacheShape, PrefixCache
from loc3r_ros.vlm.config import FULL
from loc3r_ros.vlm.model.attention import extension_mask
from loc3r_ros.vlm.model.decoder import read as decoder_pass

WIDTH, LAYERS, HEADS, KV_HEADS, HEAD_DIM, CAPACITY = 32, 3, 4, 2, 8, 40
SHAPE = CacheShape(LAYERS, KV_HEADS, HEAD_DIM, CAPACITY)


@pytest.fixture(scope='module')
def decoder():
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=50,
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        attn_implementation='sdpa',
    )
    return Qwen2Model(config).eval()


def cache():
    return PrefixCache(SHAPE, device='cpu', dtype=torch.float32)


@torch.no_grad()
def read(decoder, tokens, past):
    mask = extension_mask(len(tokens), past.length, HEADS // KV_HEADS, tokens)
    return decoder_pass(decoder, tokens[None], mask, past, past.length)[0]


@torch.no_grad()
def whole(decoder, tokens):
    return decoder(inputs_embeds=tokens[None], use_cache=False).last_hidden_state[0]


def test_a_sequence_in_pieces_is_the_sequence_in_one(decoder):
    tokens, past = torch.randn(31, WIDTH), cache()
    pieces = [read(decoder, piece, past) for piece in tokens.split([7, 1, 15, 1, 1, 6])]
    torch.testing.assert_close(torch.cat(pieces), whole(decoder, tokens), rtol=1e-5, atol=1e-5)
    assert past.length == 31


def test_truncated_positions_leave_no_trace(decoder):
    tokens, past = torch.randn(30, WIDTH), cache()
    read(decoder, tokens[:20], past)
    read(decoder, torch.randn(9, WIDTH), past)
    past.truncate(20)
    again = read(decoder, tokens[20:], past)
    torch.testing.assert_close(again, whole(decoder, tokens)[20:], rtol=1e-5, atol=1e-5)


def test_a_step_returns_views_of_the_one_buffer(decoder):
    past = cache()
    read(decoder, torch.randn(20, WIDTH), past)
    before = past._store.clone()
    new = torch.randn(2, 1, KV_HEADS, 1, HEAD_DIM)
    keys, values = past.update(new[0], new[1], 0)
    assert keys.shape == values.shape == (1, KV_HEADS, 21, HEAD_DIM)
    assert keys.untyped_storage().data_ptr() == past._store.untyped_storage().data_ptr()
    assert values.untyped_storage().data_ptr() == past._store.untyped_storage().data_ptr()
    torch.testing.assert_close(keys[0, :, :20], before[0, 0, :, :20], rtol=0, atol=0)
    torch.testing.assert_close(values[0, :, 20:], new[1, 0], rtol=0, atol=0)


def test_a_forward_that_fails_half_way_changes_no_length(decoder):
    past = cache()
    read(decoder, torch.randn(5, WIDTH), past)
    new = torch.randn(1, KV_HEADS, 3, HEAD_DIM)
    past.update(new, new, 0)
    assert past.length == 5
    for layer in range(LAYERS):
        past.update(new, new, layer)
    assert past.length == 8


def test_a_full_cache_says_so_and_stays_whole(decoder):
    tokens, past = torch.randn(CAPACITY, WIDTH), cache()
    read(decoder, tokens[:-1], past)
    with pytest.raises(InputError, match=f'{CAPACITY + 1} tokens, and {CAPACITY} fit'):
        read(decoder, torch.randn(2, WIDTH), past)
    last = read(decoder, tokens[-1:], past)
    torch.testing.assert_close(last, whole(decoder, tokens)[-1:], rtol=1e-5, atol=1e-5)


def test_only_what_is_filled_can_be_truncated():
    with pytest.raises(ValueError, match='cannot truncate 0 positions to 1'):
        cache().truncate(1)


@pytest.mark.parametrize('dtype', [torch.float16, torch.float64])
def test_bytes_are_those_of_the_shape(dtype):
    held = PrefixCache(SHAPE, device='cpu', dtype=dtype)
    assert (
        held.bytes
        == SHAPE.bytes(dtype)
        == CAPACITY * LAYERS * 2 * KV_HEADS * HEAD_DIM * (dtype.itemsize)
    )


def test_a_full_size_cache_takes_what_the_arithmetic_says():
    shape = CacheShape.of(FULL.text, 6852)
    assert shape.token_bytes(torch.float16) == 57_344
    assert PrefixCache(shape, device='meta', dtype=torch.float16).bytes == 6852 * 57_344
