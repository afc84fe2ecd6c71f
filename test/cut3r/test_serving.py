# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""An encoder served by engines: the same observations, states and epochs as by PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from cut3r_networks import random_model
from test_encoder import frame

from loc3r_ros.cut3r import PoseEncoder, tiny, torch_step
from loc3r_ros.cut3r.export import Target, export_package
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import EngineError, InputError


@pytest.fixture(scope='module')
def model():
    model = random_model(tiny('linear'))
    model.trained = True
    return model


@pytest.fixture(scope='module')
def engines(model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('engines')
    export_package(model, folder, Variant(64, 64), Target(20), steps=12)
    return folder


def served(model, engines, **options) -> PoseEncoder:
    return PoseEncoder(model, engines=engines, camera_only=True, **options)


def assert_alike(a, b, limit: float = 1e-3):
    assert (a.epoch, a.index, a.stamp) == (b.epoch, b.index, b.stamp)
    for name in ('camera_token', 'geometry_tokens', 'T_world_camera'):
        one, two = getattr(a, name), getattr(b, name)
        assert one.dtype == two.dtype
        assert np.linalg.norm(one - two) <= limit * np.linalg.norm(two), name


def test_onnxruntime_observes_what_pytorch_observes(model, engines):
    plain = PoseEncoder(model, camera_only=True)
    other = served(model, engines, backend='onnxruntime')
    assert other.engine == 'chosen at the first image'
    for t in range(8):
        assert_alike(other.observe(frame(t)), plain.observe(frame(t)))
        if t == 4:
            plain.reset()
            other.reset()
    assert other.engine.startswith('onnxruntime ')
    assert (other.trained, other.fingerprint) == (True, plain.fingerprint)


def test_compiled_serves_who_asks_for_it_by_name(model, engines, monkeypatch):
    compiled = []

    def stand_in(step, signature, device):
        compiled.append(device)
        return step

    monkeypatch.setattr(torch_step, 'compile_step', stand_in)
    plain, auto = PoseEncoder(model, camera_only=True), served(model, engines)
    auto.observe(frame(0))
    assert compiled == []
    other = served(model, engines, backend='compiled')
    assert_alike(other.observe(frame(0)), plain.observe(frame(0)), 2e-2)
    assert compiled
    assert other.engine.endswith('compiled')


def test_a_state_goes_from_one_backend_to_another(model, engines, tmp_path):
    plain = PoseEncoder(model, camera_only=True)
    for t in range(3):
        plain.observe(frame(t))
    plain.save_state(tmp_path / 'state')
    other = served(model, engines, backend='onnxruntime')
    other.load_state(tmp_path / 'state')
    for t in range(3, 5):
        assert_alike(other.observe(frame(t)), plain.observe(frame(t)))
    other.save_state(tmp_path / 'back')
    plain.load_state(tmp_path / 'back')
    assert_alike(plain.observe(frame(5)), other.observe(frame(5)))


def test_auto_takes_the_fastest_that_passed_and_says_who_was_refused(model, engines, caplog):
    caplog.set_level('INFO', 'loc3r_ros')
    encoder = served(model, engines)
    encoder.observe(frame(0))
    assert encoder.choice.reason in caplog.text
    assert 'that passed' in encoder.choice.reason
    # bfloat16 may pass or not, with weights that are random.
    told = [line for line in encoder.refusals if 'bfloat16' not in line]
    assert [line.split(':')[0] for line in told] == ['tensorrt']
    assert served(model, engines, backend='torch').engine == 'chosen at the first image'


def test_a_backend_that_fails_at_work_is_replaced_in_a_new_epoch(model, engines, caplog):
    encoder = served(model, engines)
    encoder.observe(frame(0))
    first = encoder.engine

    def fail(inputs):
        raise EngineError('the GPU fell off the bus')

    encoder.choice.session.run = fail
    seen = encoder.observe(frame(1))
    assert (seen.epoch, seen.index) == (1, 0)
    assert encoder.engine != first
    assert f'{first}: failed at work' in encoder.refusals
    assert 'the GPU fell off the bus; the next backend serves, epoch 1 begins' in caplog.text
    assert encoder.observe(frame(2)).index == 1
    alone = PoseEncoder(model, camera_only=True)
    alone.observe(frame(0))
    alone.choice.session.run = fail
    with pytest.raises(EngineError, match='no other backend'):
        alone.observe(frame(1))


def test_a_size_without_a_package_is_served_by_pytorch(model, engines):
    encoder = PoseEncoder(model, engines=engines)
    assert encoder.observe(frame(0)).points_camera is not None
    assert encoder.refusals == (
        'no package of 64x64 with heads, rule cut3r: write it with loc3r engine export --heads',
    )
    with pytest.raises(EngineError, match='no package of 64x64 with heads'):
        PoseEncoder(model, engines=engines, backend='onnxruntime').observe(frame(0))


def test_options_that_do_not_go_together_are_refused(model, engines, tmp_path):
    with pytest.raises(InputError, match='unknown; use one of auto, torch'):
        served(model, engines, backend='openvino')
    with pytest.raises(InputError, match='backend tensorrt needs engines'):
        PoseEncoder(model, backend='tensorrt')
    with pytest.raises(InputError, match='no exported package of these weights'):
        served(random_model(tiny('linear'), seed=3), engines)
    with pytest.raises(InputError, match='no exported package'):
        PoseEncoder.load(tmp_path)


def test_engines_alone_need_no_pytorch(model, engines, tmp_path):
    picture = frame(0).rgb
    np.save(tmp_path / 'picture.npy', picture)
    script = f"""
import sys
import numpy as np
sys.modules['torch'] = None
from loc3r_ros.cut3r import PoseEncoder
from loc3r_ros.types import Frame
encoder = PoseEncoder.load({str(engines)!r}, camera_only=True, backend='onnxruntime')
picture = np.load({str(tmp_path / 'picture.npy')!r})
for t in range(2):
    token = encoder.observe(Frame(0.1 * t, picture)).camera_token
encoder.save_state({str(tmp_path / 'state')!r})
np.save({str(tmp_path / 'token.npy')!r}, token)
"""
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120)
    plain = PoseEncoder(model, camera_only=True)
    for _ in range(2):
        seen = plain.observe(frame(0))
    token = np.load(tmp_path / 'token.npy')
    assert np.linalg.norm(token - seen.camera_token) < 1e-3 * np.linalg.norm(token)
    plain.load_state(tmp_path / 'state')
    assert plain.observe(frame(1)).index == 2
    assert torch.is_tensor(plain.model.pose_token)
