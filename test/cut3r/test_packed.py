# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Packed products give what the plain modules give, over 64 recurrent steps."""

from __future__ import annotations

import pytest
import torch
from cut3r_networks import random_model

from loc3r_ros.cut3r import Cut3r, tiny
from loc3r_ros.cut3r.golden import golden_steps
from loc3r_ros.cut3r.graph import Step
from loc3r_ros.cut3r.packed import can_pack, packed
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.runtime.selftest import self_test
from loc3r_ros.runtime.torch_session import TorchSession

pytestmark = pytest.mark.skipif(not can_pack(), reason='this PyTorch has no oneDNN')


@pytest.fixture(scope='module', params=['cut3r', 'ttt3r'])
def step(request) -> Step:
    return Step(random_model(tiny('linear')), Variant(64, 64, request.param))


@pytest.mark.parametrize(('dtype', 'precision'), [('float32', 'fp32'), ('bfloat16', 'bf16')])
def test_64_recurrent_steps(step, dtype, precision):
    model: Cut3r = step.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    narrow = Step(packed(model, getattr(torch, dtype)), step.variant)
    session = TorchSession(
        narrow,
        narrow.signature,
        narrow.initial(),
        device=torch.device('cpu'),
        name='packed',
        eager=True,
    )
    test = self_test(session, golden_steps(step, 64), precision)
    assert test.passed, test.reason
    assert (max(test.errors.values()) < 1e-4) == (precision == 'fp32')
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
