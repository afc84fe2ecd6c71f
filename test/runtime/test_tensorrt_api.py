# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Every name of TensorRT's that our code uses is in the bindings of 10.3, 10.13, 10.16 and 11.4.

NVIDIA's wheels of the bindings (1.2 MB each, fetched here and kept in pytest's cache) are imported
against empty libraries that a C compiler makes here: all classes, enumerations and signatures are
real, and nothing can be run. `parse`, `build`, `execute` are not tested by this.
"""

from __future__ import annotations

import builtins
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tensorrt_names import Names, names_in

from loc3r_ros.runtime import tensorrt as room

VERSIONS = ('10.3.0', '10.13.3.9', '10.16.1.11', '11.4.0.106')
NEEDED = (
    'createInferBuilder_INTERNAL',
    'createInferRefitter_INTERNAL',
    'createInferRuntime_INTERNAL',
    'createNvOnnxParserRefitter_INTERNAL',
    'createNvOnnxParser_INTERNAL',
    'getBuilderPluginRegistry',
    'getNvOnnxParserVersion',
    'getPluginRegistry',
    'initLibNvInferPlugins',
)
"""The only functions that the bindings take from NVIDIA's libraries by name."""

SOURCES = sorted(Path(room.__file__).parent.glob('*.py'))


def our_names() -> Names:
    everything = Names()
    for path in SOURCES:
        found = names_in(path.read_text())
        everything.used |= found.used
        everything.unknown |= found.unknown
    return everything


class Bindings:
    """The bindings of one version, in a folder of their own."""

    index_answers = True

    def __init__(self, version: str, cache: Path) -> None:
        self.version = version
        self.folder = cache / version
        if not (self.folder / 'tensorrt_bindings').is_dir():
            self._fetch()
        self.libraries = cache / f'libraries-{version.split(".")[0]}'
        if not self.libraries.is_dir():
            self._make_libraries(version.split('.')[0])

    def _fetch(self) -> None:
        partial = self.folder.with_suffix('.partial')
        command = [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps']
        command += ['--only-binary', ':all:', '--retries', '1', '--timeout', '5']
        command += ['-d', str(partial), f'tensorrt-cu12-bindings=={self.version}']
        if not Bindings.index_answers:
            pytest.skip('the package index does not answer')
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        except subprocess.CalledProcessError as error:
            lines = [x for x in error.stderr.splitlines() if x.startswith('ERROR')]
            pytest.skip(f'no wheel of TensorRT {self.version} for this Python here: {lines[-1:]}')
        except subprocess.TimeoutExpired:
            Bindings.index_answers = False
            pytest.skip('the package index does not answer within a minute')
        (wheel,) = partial.glob('*.whl')
        zipfile.ZipFile(wheel).extractall(partial)
        partial.rename(self.folder)

    def _make_libraries(self, major: str) -> None:
        compiler = shutil.which('cc') or shutil.which('gcc') or shutil.which('clang')
        if not compiler:
            pytest.skip('no C compiler to make the stand-in libraries')
        partial = self.libraries.with_suffix('.partial')
        partial.mkdir(exist_ok=True)
        code = ''.join(f'void *{name}(void) {{ return 0; }}\n' for name in NEEDED)
        for name in ('nvinfer', 'nvinfer_plugin', 'nvonnxparser'):
            target = partial / f'lib{name}.so.{major}'
            command = [compiler, '-shared', '-fPIC', '-x', 'c', '-o', str(target), '-']
            subprocess.run(command, input=code, check=True, text=True, timeout=60)
        partial.rename(self.libraries)

    def look(self, uses: list[tuple[str, int | None]]) -> dict[str, Any]:
        """What the probe says of some uses."""
        probe = Path(__file__).with_name('tensorrt_probe.py')
        environment = os.environ | {
            'LD_LIBRARY_PATH': str(self.libraries),
            'PYTHONPATH': os.pathsep.join([str(self.folder), *sys.path]),
        }
        done = subprocess.run(
            [sys.executable, str(probe)],
            input=json.dumps(uses),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope='module', params=VERSIONS)
def bindings(request):
    tag = f'{sys.implementation.cache_tag}-{os.uname().machine}'
    return Bindings(request.param, Path(request.config.cache.mkdir(f'tensorrt-{tag}')))


def test_every_name_is_there_and_called_as_it_is(bindings):
    uses = sorted(our_names().used, key=str)
    assert len(uses) > 40
    report = bindings.look(uses)
    assert report['version'] == bindings.version
    assert report['faults'] == []
    errors = 'no tactic, TensorRT does not start on this driver: TensorRT gave no reason'
    assert report['ours'] == [errors, 'True', 'float32', 'uint8', 'bool']


def test_what_is_missing_or_called_otherwise_is_noticed(bindings):
    """And so are the names that TensorRT 11 gave up."""
    uses = [
        ('BuilderFlag.FP16', None),
        ('NetworkDefinitionCreationFlag.EXPLICIT_BATCH', None),
        ('IExecutionContext.execute_async_v9', 1),
        ('IExecutionContext.execute_async_v3', 2),
        ('IBuilderConfig.set_timing_cache', 1),
        ('IBuilderConfig.set_timing_cache', 2),
    ]
    faults = bindings.look(uses)['faults']
    wrong = [
        'IExecutionContext.execute_async_v9 is missing',
        'IExecutionContext.execute_async_v3 takes [1] arguments, not 2',
        'IBuilderConfig.set_timing_cache takes [2] arguments, not 1',
    ]
    gone = [f'{name} is missing' for name, _ in uses[:2]]
    assert faults == (gone if bindings.version.startswith('11') else []) + wrong


def test_nothing_of_tensorrts_is_used_without_an_annotation(bindings):
    """Else the list of names would be too short."""
    names = our_names()
    classes = {name.split('.')[0] for name, _ in names.used}
    members = {
        m for c, all_m in bindings.look([])['members'].items() if c in classes for m in all_m
    }
    ours = {
        name
        for path in Path(room.__file__).parents[1].rglob('*.py')
        for name in re.findall(r'(?:def |self\.|^ {4})(\w+)', path.read_text(), re.MULTILINE)
    }
    of_python = {name for kind in (*vars(builtins).values(), logging, Path) for name in dir(kind)}
    assert 'execute_async_v3' in members - ours - of_python
    assert {use for use in names.unknown if use[0] in members - ours - of_python} == set()


def test_the_walk_follows_annotations():
    found = names_in(
        'def f(config: trt.IBuilderConfig, tensorrt):\n'
        '    engine: trt.ICudaEngine | None = other.make()\n'
        '    config.set_flag(tensorrt.BuilderFlag.TF32)\n'
        '    return engine.name, other.num_layers\n'
        'def g(config):\n'
        '    config.load()\n'
    )
    assert {('IBuilderConfig.set_flag', 1), ('BuilderFlag.TF32', None)} < found.used
    assert ('ICudaEngine.name', None) in found.used
    assert found.unknown == {('make', 2), ('num_layers', 4), ('load', 6)}
