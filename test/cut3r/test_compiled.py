# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The compiled step: the numbers of the eager one, or a reason why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from cut3r_networks import random_model

from loc3r_ros.cut3r import tiny
from loc3r_ros.cut3r.golden import golden_steps
from loc3r_ros.cut3r.graph import Step
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.compiled import compile_step
from loc3r_ros.runtime.selftest import self_test
from loc3r_ros.runtime.torch_session import TorchSession

CPU = torch.device('cpu')


@pytest.fixture(scope='module')
def step() -> Step:
    config = replace(tiny('linear'), enc_depth=1, dec_depth=2)
    return Step(random_model(config), Variant(32, 32))


def test_a_compiler_that_fails_is_named(step, monkeypatch):
    def broken(_step, **_options):
        def run(*_inputs):
            raise RuntimeError('no C++ compiler found\nlong trace')

        return run

    monkeypatch.setattr(torch, 'compile', broken)
    with pytest.raises(EngineError, match=r'^torch\.compile: no C\+\+ compiler found$'):
        compile_step(step, step.signature, CPU)


def test_flags_as_tensors_give_what_flags_as_bools_give(step):
    """What a captured or compiled step runs: nothing is skipped, nothing branches."""
    session = TorchSession(
        step, step.signature, step.initial(), device=CPU, name='tensors', eager=False
    )
    test = self_test(session, golden_steps(step, 16), 'fp32')
    assert test.passed, test.reason
    assert max(test.errors.values()) < 1e-5


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore')
def test_64_steps_of_the_compiled_step(step):
    fast = compile_step(step, step.signature, CPU)
    session = TorchSession(
        fast, step.signature, step.initial(), device=CPU, name='compiled', eager=False
    )
    test = self_test(session, golden_steps(step, 64), 'fp32')
    assert test.passed, test.reason
