# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""An engine that must not serve: refused with its reason, in the log, and the next one serves."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy_session import INITIAL, NumpySession
from tensorrt_stand_in import TensorRtStandIn, package_in

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.choose import Candidate, choose
from loc3r_ros.runtime.tensorrt.build import build
from loc3r_ros.runtime.tensorrt.presets import read
from loc3r_ros.runtime.tensorrt.session import open_session


@pytest.fixture
def stand_in(monkeypatch):
    stand_in = TensorRtStandIn()
    stand_in.install(monkeypatch)
    return stand_in


@pytest.fixture
def package(stand_in, tmp_path):
    package = package_in(tmp_path)
    build(package, read('desktop').settings, lambda line: None)
    return package


def best(package):
    """TensorRT's engine, else NumPy."""
    return choose(
        [
            Candidate('onnxruntime', package, 'fp32', NumpySession),
            Candidate('tensorrt', package, 'fp32', lambda: open_session(package)),
        ]
    )


def corrupted(package, stand_in, monkeypatch):
    (engine,) = package.folder.glob('*.engine')
    engine.write_bytes(engine.read_bytes()[:-9])
    return package


def another_gpu(package, stand_in, monkeypatch):
    TensorRtStandIn(machine=('NVIDIA H200', (9, 0), 132)).install(monkeypatch)
    return package


def another_tensorrt(package, stand_in, monkeypatch):
    TensorRtStandIn('11.4.1.1').install(monkeypatch)
    return package


def other_weights(package, stand_in, monkeypatch):
    return replace(package, weights='xyz')


def wrong_numbers(package, stand_in, monkeypatch):
    stand_in.defect = 'off'
    return package


def unwritten_outputs(package, stand_in, monkeypatch):
    stand_in.defect = 'unwritten'
    return package


def no_state(package, stand_in, monkeypatch):
    stand_in.defect = 'forgets'
    return package


def no_enqueue(package, stand_in, monkeypatch):
    stand_in.defect = 'no_enqueue'
    return package


def no_tensorrt(package, stand_in, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorrt', None)
    return package


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        (corrupted, 'corrupted: '),
        (another_gpu, 'it is for the GPU Orin '),
        (another_tensorrt, 'it was built by TensorRT 10.3.0, here is 11.4.1.1'),
        (other_weights, 'it was built from other weights: fingerprint abc, the package has xyz'),
        (wrong_numbers, 'refused: step 27: y is off by 0.0'),
        (unwritten_outputs, 'refused: step 27: y is off by nan'),
        (no_state, 'refused: step 27: y is off by '),
        (no_enqueue, 'TensorRT did not run the step'),
        (no_tensorrt, 'TensorRT cannot be imported'),
    ],
)
def test_what_must_not_serve_is_refused_and_the_next_one_serves(
    stand_in, package, monkeypatch, caplog, spoil, reason
):
    package = spoil(package, stand_in, monkeypatch)
    caplog.set_level(logging.INFO)
    choice = best(package)
    assert choice.session.name == 'numpy'
    (refusal,) = choice.refusals
    assert reason in refusal
    assert [r.getMessage() for r in caplog.records if r.levelname == 'WARNING'] == [refusal]
    assert 'numpy serves' in caplog.text
    inputs = {'x': np.zeros(3, np.float32), 'update': np.ones(1, bool)}
    np.testing.assert_array_equal(choice.session.run(inputs)['y'], INITIAL)


def test_an_engine_that_passes_serves(stand_in, package, caplog):
    caplog.set_level(logging.INFO)
    choice = best(package)
    assert choice.session.name.startswith('tensorrt 10.3.0 on Orin (net.')
    assert choice.refusals == ()
    assert 'serves: TensorRT, and it passed its self-test' in caplog.text


def test_one_that_failed_at_work_is_left_out(stand_in, package):
    first = best(package).session
    stand_in.cuda.refuse['cuGraphLaunch'] = 719
    with pytest.raises(EngineError, match='CUDA_ERROR_719'):
        first.run({'x': np.zeros(3, np.float32), 'update': np.ones(1, bool)})
    del stand_in.cuda.refuse['cuGraphLaunch']
    candidates = [
        Candidate('tensorrt', package, 'fp32', lambda: open_session(package)),
        Candidate('onnxruntime', package, 'fp32', NumpySession),
    ]
    choice = choose(candidates, without=[first.name])
    assert choice.session.name == 'numpy'
    assert choice.refusals == (f'{first.name}: failed at work',)
