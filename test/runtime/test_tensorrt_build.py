# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Building on stand-ins: what TensorRT is asked for, and what is left when it goes wrong."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tensorrt_stand_in import TensorRtStandIn, package_in

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.tensorrt import bindings, progress
from loc3r_ros.runtime.tensorrt.build import build
from loc3r_ros.runtime.tensorrt.presets import Settings
from loc3r_ros.runtime.tensorrt.session import open_session

SETTINGS = Settings(workspace_mb=256, optimization_level=2, tf32=False)


@pytest.fixture(params=['10.3.0', '10.16.1.11', '11.4.0.106'])
def any_version(request, monkeypatch):
    stand_in = TensorRtStandIn(request.param)
    stand_in.install(monkeypatch)
    return stand_in


@pytest.fixture
def stand_in(monkeypatch):
    stand_in = TensorRtStandIn()
    stand_in.install(monkeypatch)
    return stand_in


def quiet(line: str) -> None:
    """Nobody listens."""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_tensorrt_is_asked_for(any_version, tmp_path):
    package = package_in(tmp_path)
    engine = build(package, SETTINGS, quiet)
    # The flag for strong typing is 1 before TensorRT 11, and 0 from then on.
    typed = 1 if any_version.version.startswith('11') else 2
    assert any_version.called('create_network') == [[typed]]
    assert any_version.called('set_memory_pool_limit') == [['workspace', 256 << 20]]
    assert any_version.called('clear_flag') == [['tf32']]
    assert any_version.called('build') == [[2]]
    assert engine.load().startswith(b'{"version": ')
    assert any_version.cuda.depth == 0


def test_tf32_is_left_on_where_it_is_wanted(stand_in, tmp_path):
    build(package_in(tmp_path), Settings(256, 2, tf32=True), quiet)
    assert stand_in.called('clear_flag') == []


def test_it_is_built_once(stand_in, tmp_path):
    package = package_in(tmp_path)
    lines = []
    first = build(package, SETTINGS, quiet)
    assert build(package, SETTINGS, lines.append) == first
    assert 'is there already' in lines[0]
    assert len(stand_in.called('build')) == 1
    build(package, SETTINGS, lines.append, anew=True)
    assert len(stand_in.called('build')) == 2
    assert lines[1] == f'{first.path.name} took 0 s to build'


def test_a_corrupted_engine_is_built_again(stand_in, tmp_path):
    package = package_in(tmp_path)
    engine = build(package, SETTINGS, quiet)
    engine.path.write_bytes(b'?')
    build(package, SETTINGS, quiet)
    assert len(stand_in.called('build')) == 2
    assert open_session(package)


def test_the_timing_cache_serves_the_next_build(stand_in, tmp_path):
    package = package_in(tmp_path)
    build(package, SETTINGS, quiet)
    build(package, Settings(512, 2, tf32=False), quiet)
    (timing,) = tmp_path.glob('*.timing')
    assert timing.name.startswith('Orin-compute-capability-8.7-16-multiprocessors-TensorRT-10.3.0')
    assert stand_in.called('create_timing_cache') == [[b''], [b'measured']]


def test_a_damaged_timing_cache_is_begun_anew(stand_in, tmp_path):
    package = package_in(tmp_path)
    build(package, SETTINGS, quiet)
    (timing,) = tmp_path.glob('*.timing')
    timing.write_bytes(b'damaged')
    build(package, SETTINGS, quiet, anew=True)
    assert stand_in.called('create_timing_cache') == [[b''], [b'damaged'], [b'']]
    assert timing.read_bytes() == b'measured'


def test_progress_is_told(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, 'INTERVAL_S', 0.0)
    lines = []
    build(package_in(tmp_path), SETTINGS, lines.append)
    assert lines[:3] == ['layers 1/3, 0 s', 'layers 2/3, 0 s', 'layers 3/3, 0 s']


def test_an_engine_larger_than_its_weights_is_remarked_on(stand_in, tmp_path):
    lines = []
    build(package_in(tmp_path), SETTINGS, lines.append)
    assert 'times as large as its weights: in fp32?' in lines[-1]
    lines.clear()
    build(package_in(tmp_path, graph=b'g' * 400), SETTINGS, lines.append)
    assert not [line for line in lines if 'as large' in line]


@pytest.mark.parametrize(
    ('defect', 'told'),
    [
        ('no_builder', r'TensorRT 10.3.0 built no engine: Could not find any implementation'),
        (
            'no_parser',
            r'cannot read net.onnx: node attention_0 \(Attention\): unsupported operator; '
            r'node attention_1',
        ),
    ],
)
def test_a_failed_build_says_why_and_leaves_what_was_there(stand_in, tmp_path, defect, told):
    package = package_in(tmp_path)
    engine = build(package, SETTINGS, quiet)
    before = names(tmp_path)
    stand_in.defect = defect
    with pytest.raises(EngineError, match=told):
        build(package, SETTINGS, quiet, anew=True)
    assert names(tmp_path) == before
    assert engine.load()


def test_ctrl_c_ends_the_build_and_leaves_nothing(stand_in, tmp_path):
    package = package_in(tmp_path)
    before = names(tmp_path)
    signals = iter([signal.SIGINT])

    def press() -> None:
        for number in signals:
            os.kill(os.getpid(), number)
            time.sleep(0.2)

    stand_in.while_building = press
    with pytest.raises(KeyboardInterrupt):
        build(package, SETTINGS, quiet)
    assert names(tmp_path) == before


def test_a_damaged_package_is_not_built(stand_in, tmp_path):
    package = package_in(tmp_path)
    package.onnx.write_bytes(b'grave')
    with pytest.raises(EngineError, match='not the file that was exported'):
        build(package, SETTINGS, quiet)
    assert stand_in.called('build') == []


def test_too_little_memory_is_said_before(stand_in, tmp_path):
    package = package_in(tmp_path)
    stand_in.cuda.free = 9  # the graph has 5 bytes
    with pytest.raises(EngineError, match=r'building takes about 0\.0 GB of GPU memory'):
        build(package, SETTINGS, quiet)
    stand_in.cuda.free = 10
    build(package, SETTINGS, quiet)


def test_a_folder_that_cannot_be_written(stand_in, tmp_path, monkeypatch):
    package = package_in(tmp_path)
    before = names(tmp_path)

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(EngineError, match=r'cannot write to .*: No space left on device'):
        build(package, SETTINGS, quiet)
    assert {name for name in names(tmp_path) if not name.endswith('.timing')} == before


def test_a_tensorrt_that_does_not_start(stand_in, tmp_path):
    package = package_in(tmp_path)
    stand_in.defect = 'no_driver'
    with pytest.raises(EngineError, match='does not start on this driver: CUDA initialization'):
        build(package, SETTINGS, quiet)


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
import pytest
from pathlib import Path
from tensorrt_stand_in import TensorRtStandIn
from loc3r_ros.runtime.package import Package
from test_tensorrt_build import SETTINGS, build, quiet
stand_in = TensorRtStandIn()
stand_in.install(pytest.MonkeyPatch())
stand_in.while_building = lambda: (print('building', flush=True), time.sleep(60))
build(Package.read(Path(sys.argv[2])), SETTINGS, quiet)
"""


def test_one_builds_at_a_time_and_a_killed_one_leaves_no_engine(stand_in, tmp_path):
    package = package_in(tmp_path)
    command = [sys.executable, '-c', KILLED, str(Path(__file__).parent), str(tmp_path / 'net.json')]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == 'building\n'
            with pytest.raises(EngineError, match=r'another process is building net\.\w+; wait'):
                build(package, SETTINGS, quiet)
        finally:
            other.kill()
    assert not list(tmp_path.glob('*.engine'))
    with pytest.raises(EngineError, match='no engine of net'):
        open_session(package)
    build(package, SETTINGS, quiet)
    assert open_session(package)
    assert not list(tmp_path.glob('*.partial'))


def test_missing_and_old_tensorrt_are_told_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorrt', None)
    with pytest.raises(EngineError, match='a venv needs --system-site-packages'):
        bindings.load()
    TensorRtStandIn('8.6.1').install(monkeypatch)
    with pytest.raises(EngineError, match=r'TensorRT 8\.6\.1 is too old; 10\.3 or later is'):
        bindings.load()


def test_without_pycuda_it_says_so(stand_in, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pycuda.driver', None)
    with pytest.raises(EngineError, match='pip install pycuda'):
        build(package_in(tmp_path), SETTINGS, quiet)
