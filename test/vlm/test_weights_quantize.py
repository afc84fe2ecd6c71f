# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Weights of 8 and 4 bits: about the same outputs, from fewer bytes, and a clear word without."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn
from weights_folders import llava_tensors, network, outputs, write_llava

from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights import load, save
from loc3r_ros.vlm.weights.quantize import Quantizer


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_llava(tmp_path_factory.mktemp('public'), llava_tensors(network()))


@pytest.fixture
def torchao():
    return pytest.importorskip('torchao', reason='the extra `quant` is not installed')


def stored_bytes(layer: nn.Module) -> int:
    parts = [getattr(layer.weight, name) for name in layer.weight.__tensor_flatten__()[0]]
    return sum(part.nbytes for part in parts)


@pytest.mark.parametrize(('precision', 'error', 'bits'), [('int8', 0.02, 8.6), ('int4', 0.25, 6.1)])
def test_language_is_quantized_and_nothing_else(torchao, folder, precision, error, bits):
    model, _, report = load(folder, precision=precision, device='cpu')
    assert report.precision == precision
    linear = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear)}
    quantized = {n for n, m in linear.items() if type(m.weight) is not nn.Parameter}
    assert quantized == {n for n in linear if n.startswith('language.')}
    assert len(quantized) == 14
    layers = [linear[name] for name in quantized]
    weights = sum(m.in_features * m.out_features for m in layers)
    assert 8 * sum(stored_bytes(m) for m in layers) / weights < bits
    expected = outputs(network())
    distance = (outputs(model) - expected).norm() / expected.norm()
    assert 1e-4 < distance < error
    assert report.fingerprint == load(folder, device='cpu')[2].fingerprint


def test_a_quantized_model_is_not_saved(torchao, folder, tmp_path):
    model, words, _ = load(folder, precision='int8', device='cpu')
    with pytest.raises(InputError, match=r'save before quantizing'):
        save(model, words, tmp_path)
    assert not list(tmp_path.iterdir())


def test_widths_that_do_not_divide_into_groups(torchao):
    with pytest.raises(CheckpointError, match=r'multiples of 32; these are \[40\]: choose int8'):
        Quantizer('int4', nn.Linear(40, 4), torch.device('cpu'))


@pytest.mark.parametrize('precision', ['int8', 'int4'])
def test_without_torchao_it_says_what_to_install(folder, monkeypatch, precision):
    for name in [n for n in sys.modules if n.split('.')[0] == 'torchao']:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'torchao', None)
    with pytest.raises(CheckpointError, match=r'pip install "loc3r_ros\[quant\]", or choose fp32'):
        load(folder, precision=precision, device='cpu')
    assert Words.load(folder).vocab_size > 0
