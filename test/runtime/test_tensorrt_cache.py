# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Engines on disk: keyed by all that decides them, told in clear, refused with the reason."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from tensorrt_stand_in import TensorRtStandIn, package_in

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.package import Package
from loc3r_ros.runtime.selftest import self_test
from loc3r_ros.runtime.tensorrt.build import build
from loc3r_ros.runtime.tensorrt.cache import EngineFile, Recipe, engines, find, sidecar
from loc3r_ros.runtime.tensorrt.machine import Machine, this_machine
from loc3r_ros.runtime.tensorrt.presets import Settings
from loc3r_ros.runtime.tensorrt.session import open_session

SETTINGS = Settings(workspace_mb=256, optimization_level=2, tf32=False)
ORIN = Machine('10.3.0', 'Orin', '8.7', 16, 'Linux aarch64')
H200 = ('NVIDIA H200', (9, 0), 132)


@pytest.fixture
def built(monkeypatch, tmp_path):
    """A package and its engine, on an Orin with TensorRT 10.3."""
    TensorRtStandIn().install(monkeypatch)
    package = package_in(tmp_path)
    return package, build(package, SETTINGS, lambda line: None)


def refusal(package: Package) -> str:
    with pytest.raises(EngineError) as caught:
        open_session(package)
    return str(caught.value)


def test_the_key_changes_with_each_thing_that_decides_an_engine(tmp_path):
    package = package_in(tmp_path)
    recipe = Recipe.of(package, ORIN, SETTINGS)
    other_shape = replace(
        package.signature, inputs=(replace(package.signature.inputs[0], shape=(4,)),)
    )
    others = [
        Recipe.of(replace(package, **change), ORIN, SETTINGS)
        for change in (
            {'files': {'net.onnx': 'other'}},
            {'weights': 'other'},
            {'precision': 'fp16'},
            {'opset': 23},
            {'attention': 'operator'},
            {'signature': other_shape},
            {'exporter': {'torch': '2.14'}},
        )
    ]
    others += [
        Recipe.of(package, replace(ORIN, **change), SETTINGS)
        for change in (
            {'tensorrt': '10.3.1'},
            {'gpu': 'Thor'},
            {'compute_capability': '11.0'},
            {'multiprocessors': 8},
            {'system': 'Linux x86_64'},
        )
    ]
    others += [
        Recipe.of(package, ORIN, replace(SETTINGS, **change))
        for change in ({'workspace_mb': 1}, {'optimization_level': 1}, {'tf32': True})
    ]
    assert len({recipe.key, *(other.key for other in others)}) == 16
    assert Recipe.of(package, ORIN, SETTINGS).key == recipe.key


def test_the_sidecar_tells_all_of_it_in_clear(built):
    engine = built[1]
    about = json.loads(sidecar(engine.path).read_text())
    assert about['key'] == engine.recipe.key
    assert engine.path.name == f'net.{about["key"][:12]}.engine'
    assert about['recipe']['machine'] == {
        'tensorrt': '10.3.0',
        'gpu': 'Orin',
        'compute_capability': '8.7',
        'multiprocessors': 16,
        'system': this_machine().system,
    }
    assert about['recipe']['settings'] == {
        'workspace_mb': 256,
        'optimization_level': 2,
        'tf32': False,
    }
    network = about['recipe']['network']
    assert (network['weights'], network['precision'], network['opset']) == ('abc', 'fp32', 20)
    assert network['tensors']['inputs'][0] == {'name': 'x', 'shape': [3], 'dtype': 'float32'}
    assert about['nbytes'] == engine.path.stat().st_size
    assert about['built']['onnx_bytes'] == 5
    assert EngineFile.read(engine.path) == engine


def test_an_engine_that_fits_is_found(built):
    package, engine = built
    assert find(package, this_machine()) == engine
    assert find(Package.read(package.folder / 'net.json'), this_machine()) == engine


def test_without_any_engine_the_remedy_is_named(monkeypatch, tmp_path):
    TensorRtStandIn().install(monkeypatch)
    package = package_in(tmp_path)
    assert refusal(package) == f'no engine of net in {tmp_path}; loc3r engine build {tmp_path}'


def test_another_gpu(built, monkeypatch):
    TensorRtStandIn(machine=H200).install(monkeypatch)
    assert (
        'it is for the GPU Orin (compute capability 8.7, 16 multiprocessors), '
        'this one is NVIDIA H200 (compute capability 9.0, 132 multiprocessors)'
    ) in refusal(built[0])


def test_another_power_mode(built, monkeypatch):
    TensorRtStandIn(machine=('Orin', (8, 7), 8)).install(monkeypatch)
    assert 'this one is Orin (compute capability 8.7, 8 multiprocessors)' in refusal(built[0])


def test_another_tensorrt(built, monkeypatch):
    TensorRtStandIn('10.16.1').install(monkeypatch)
    assert 'it was built by TensorRT 10.3.0, here is 10.16.1' in refusal(built[0])


def test_another_system(built, monkeypatch):
    monkeypatch.setattr('platform.machine', lambda: 'riscv64')
    assert ', this machine is Linux riscv64' in refusal(built[0])


def test_other_weights(built):
    package = package_in(built[0].folder, weights='xyz', graph=b'other')
    told = 'it was built from other weights: fingerprint abc, the package has xyz'
    assert told in refusal(package)


def test_another_export_of_the_same_weights(built):
    package = package_in(built[0].folder, graph=b'other')
    assert 'it was built from another export of these weights' in refusal(package)


def test_a_corrupted_engine(built):
    package, engine = built
    content = engine.path.read_bytes()
    engine.path.write_bytes(content[:-1])
    assert f'corrupted: {len(content) - 1} of {len(content)} bytes' in refusal(package)
    engine.path.write_bytes(content[:-1] + b'?')
    assert 'corrupted: another hash' in refusal(package)


@pytest.mark.parametrize('content', [None, '{', '{"format": "loc3r_engine_0"}', '[]'])
def test_an_engine_without_a_usable_sidecar(built, content):
    package, engine = built
    sidecar(engine.path).unlink()
    if content:
        sidecar(engine.path).write_text(content)
    assert f'{engine.path.name}: no usable sidecar beside it' in refusal(package)


def test_an_engine_that_failed_its_self_test_is_not_tried_again(built):
    package, engine = built
    session = open_session(package)
    failed = replace(
        self_test(session, package.golden, 'fp32'), passed=False, reason='y is off by 0.3'
    )
    engine.tested(failed)
    assert 'it failed its self-test when it was built: y is off by 0.3' in refusal(package)


def test_what_the_self_test_gave_is_written_down(built):
    package, engine = built
    test = self_test(open_session(package), package.golden, 'fp32')
    engine.tested(test)
    written = json.loads(sidecar(engine.path).read_text())['self_test']
    assert (written['passed'], written['steps'], written['errors']['y']) == (True, 33, 0)
    assert open_session(package)


def test_of_several_the_latest_that_fits_serves(built, monkeypatch):
    package, first = built
    second = build(package, replace(SETTINGS, workspace_mb=512), lambda line: None)
    os.utime(first.path, (1, 1))
    assert engines(package) == [second.path, first.path]
    assert find(package, this_machine()) == second
    second.path.rename(second.path.with_name('net.odd.engine'))
    assert find(package, this_machine()) == first
