# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r engine build` and `check`, and the doctor's rows, on stand-ins."""

from __future__ import annotations

import argparse
import json
import sys

import pytest
from tensorrt_stand_in import TensorRtStandIn, package_in

from loc3r_ros.cli import engine_build
from loc3r_ros.doctor import engines as doctor
from loc3r_ros.doctor.finding import USES
from loc3r_ros.errors import EngineError, InputError
from loc3r_ros.runtime.tensorrt import machine


@pytest.fixture
def stand_in(monkeypatch):
    stand_in = TensorRtStandIn()
    stand_in.install(monkeypatch)
    return stand_in


def run(*arguments) -> int:
    parser = argparse.ArgumentParser()
    engine_build.add_actions(parser.add_subparsers())
    args = parser.parse_args([str(argument) for argument in arguments])
    return args.execute(args)


def check(folder, capsys) -> tuple[int, dict]:
    capsys.readouterr()
    code = run('check', folder, '--json')
    return code, json.loads(capsys.readouterr().out)


def test_build_tests_what_it_built_and_writes_that_down(stand_in, tmp_path, capsys):
    package_in(tmp_path)
    assert run('build', tmp_path) == 0
    out = capsys.readouterr().out
    assert 'Orin (compute capability 8.7, 16 multiprocessors), TensorRT 10.3.0' in out
    assert 'preset desktop: any other machine' in out
    assert 'passed 33 steps, error 0.0e+00 of 0.001' in out
    assert stand_in.called('set_memory_pool_limit') == [['workspace', 4096 << 20]]
    (sidecar,) = tmp_path.glob('*.engine.json')
    assert json.loads(sidecar.read_text())['self_test']['passed']


def test_build_takes_the_preset_of_the_board(stand_in, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(machine, '_BOARD', tmp_path / 'model')
    (tmp_path / 'model').write_bytes(b'NVIDIA Jetson Orin Nano Developer Kit\0')
    package_in(tmp_path, precision='fp16')
    assert run('build', tmp_path / 'net.json') == 0
    assert stand_in.called('set_memory_pool_limit') == [['workspace', 256 << 20]]
    assert run('build', tmp_path, '--preset', 'orin_agx') == 0
    assert stand_in.called('set_memory_pool_limit')[1] == ['workspace', 2048 << 20]


def test_build_says_what_it_would_build(stand_in, tmp_path):
    package_in(tmp_path)
    with pytest.raises(InputError) as caught:
        run('build', tmp_path, '--preset', 'thor')
    assert str(caught.value) == (
        'preset thor builds fp16 with attention decomposed on TensorRT 10.3; there is net '
        '(fp32, decomposed); export what it builds'
    )
    with pytest.raises(InputError, match='no exported package in it; make one with'):
        run('build', tmp_path / 'none')


def test_a_wrong_engine_fails_the_build_and_is_built_again(stand_in, tmp_path, capsys):
    package_in(tmp_path)
    stand_in.defect = 'off'
    assert run('build', tmp_path) == 1
    assert 'refused: step 27: y is off by 0.0' in capsys.readouterr().out
    stand_in.defect = ''
    assert run('build', tmp_path) == 0
    assert len(stand_in.called('build')) == 2


def test_an_engine_that_does_not_load_after_the_build(stand_in, tmp_path):
    package_in(tmp_path)
    stand_in.defect = 'no_engine'
    with pytest.raises(EngineError, match=r'built, but not usable: .*assertion failed'):
        run('build', tmp_path)


def test_check_reports_every_engine(stand_in, tmp_path, capsys):
    package_in(tmp_path)
    run('build', tmp_path)
    run('build', tmp_path, '--preset', 'desktop', '--anew')
    (tmp_path / 'net.odd.engine').write_bytes(b'')
    code, report = check(tmp_path, capsys)
    assert code == 0
    assert report['format'] == 'loc3r_engine_report_1'
    assert (report['machine']['gpu'], report['machine']['tensorrt']) == ('Orin', '10.3.0')
    (package,) = report['packages']
    assert (package['name'], package['weights'], package['opset']) == ('net', 'abc', 20)
    by_verdict = {engine['passed']: engine for engine in package['engines']}
    assert 'no usable sidecar' in by_verdict[False]['reason']
    assert by_verdict[True]['self_test']['errors'] == {'state': 0.0, 'y': 0.0}
    assert by_verdict[True]['settings']['workspace_mb'] == 4096
    run('check', tmp_path / 'net.json')
    assert ': passed, error 0.0e+00, ' in capsys.readouterr().out


def test_check_tests_again_what_failed_before(stand_in, tmp_path, capsys):
    package_in(tmp_path)
    stand_in.defect = 'off'
    run('build', tmp_path)
    code, report = check(tmp_path, capsys)
    assert code == 1
    assert 'y is off' in report['packages'][0]['engines'][0]['reason']
    stand_in.defect = ''
    assert check(tmp_path, capsys)[0] == 0


def test_check_on_another_gpu_and_without_any(stand_in, tmp_path, capsys, monkeypatch):
    package_in(tmp_path)
    run('build', tmp_path)
    TensorRtStandIn(machine=('Thor', (11, 0), 20)).install(monkeypatch)
    code, report = check(tmp_path, capsys)
    assert code == 1
    assert 'it is for the GPU Orin' in report['packages'][0]['engines'][0]['reason']
    monkeypatch.setitem(sys.modules, 'tensorrt', None)
    code, report = check(tmp_path, capsys)
    assert code == 1
    assert 'TensorRT cannot be imported' in report['machine']['error']
    assert 'TensorRT cannot be imported' in report['packages'][0]['engines'][0]['reason']
    assert run('check', tmp_path) == 1
    assert capsys.readouterr().out.startswith('TensorRT cannot be imported')


def test_the_doctor_has_a_row_for_each_package(stand_in, tmp_path, capsys, monkeypatch):
    package_in(tmp_path)
    stand_in.defect = 'off'
    run('build', tmp_path)
    name, state, what, remedy = rows(tmp_path, capsys, monkeypatch)[0]
    assert (name, state, remedy) == ('net', 'broken', f'loc3r engine build {tmp_path}')
    assert 'refused: step 27: y is off' in what
    assert '; onnxruntime refused: ' in what
    stand_in.defect = ''
    run('build', tmp_path)
    name, state, what, remedy = rows(tmp_path, capsys, monkeypatch)[0]
    assert (state, remedy) == ('ok', '')
    assert '.engine passed, ' in what


def rows(folder, capsys, monkeypatch) -> list[tuple[str, ...]]:
    """The doctor's rows of a folder, with the check in this process."""

    def in_this_process(command, **options):
        assert command[1:] == ['-m', 'loc3r_ros', 'engine', 'check', str(folder), '--json']
        report = check(folder, capsys)
        return type('Done', (), {'returncode': report[0], 'stdout': json.dumps(report[1])})

    with monkeypatch.context() as patch:
        patch.setattr(doctor.subprocess, 'run', in_this_process)
        found = doctor.look_at_engines(folder)
    assert {finding.required_for for finding in found} == {USES}
    return [(f.name, f.state, f.what, f.remedy) for f in found]


@pytest.mark.parametrize(
    ('program', 'timeout_s', 'what'),
    [
        ('import os; os.kill(os.getpid(), 11)', 60, 'the self-test dies of SIGSEGV'),
        ('import sys; sys.exit("loc3r: error: no packages")', 60, 'loc3r: error: no packages'),
        ('import time; time.sleep(60)', 0.5, 'the self-test did not end within 0.5 s'),
    ],
)
def test_an_engine_that_crashes_or_hangs_is_a_row(tmp_path, monkeypatch, program, timeout_s, what):
    script = tmp_path / 'python'
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{program}'\n")
    script.chmod(0o755)
    monkeypatch.setattr(doctor.sys, 'executable', str(script))
    (row,) = doctor.look_at_engines(tmp_path, timeout_s)
    assert (row.state, row.what) == ('broken', what)
