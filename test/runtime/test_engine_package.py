# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Packages on disk: found, read, verified, refused."""

from __future__ import annotations

import json

import pytest
from numpy_session import SIGNATURE, golden

from loc3r_ros.errors import EngineError, InputError
from loc3r_ros.runtime.package import Package, golden_path, packages, sha256


def make(folder, name='net') -> Package:
    (folder / f'{name}.onnx').write_bytes(b'graph')
    golden(8).write(golden_path(folder, name))
    files = {f: sha256(folder / f) for f in (f'{name}.onnx', f'{name}.golden.safetensors')}
    package = Package(folder, name, 'abc', 'fp32', 20, 'decomposed', SIGNATURE, files)
    package.write()
    return package


def test_a_package_reads_back_and_verifies(tmp_path):
    made, again = make(tmp_path), Package.read(tmp_path / 'net.json')
    assert again == made
    assert again.onnx == tmp_path / 'net.onnx'
    assert again.golden.steps == 8
    again.verify()


def test_a_changed_file_changes_the_digest_and_is_refused(tmp_path):
    package = make(tmp_path)
    package.onnx.write_bytes(b'graft')
    with pytest.raises(EngineError, match='not the file that was exported'):
        package.verify()
    package.onnx.unlink()
    with pytest.raises(EngineError, match='is missing'):
        package.verify()
    other = Package(
        **{**vars(package), 'files': {'net.onnx': sha256(golden_path(tmp_path, 'net'))}}
    )
    assert other.digest != package.digest
    assert len(package.digest) == 64


def test_only_packages_are_found(tmp_path):
    for name in ('b', 'a'):
        make(tmp_path, name)
    (tmp_path / 'other.json').write_text('[1]')
    (tmp_path / 'broken.json').write_text('{')
    assert [p.name for p in packages(tmp_path)] == ['a', 'b']
    assert packages(tmp_path / 'none') == []


@pytest.mark.parametrize('change', [{'format': 'x'}, {'more': 1}, {'signature': {}}])
def test_other_descriptions_are_refused(tmp_path, change):
    make(tmp_path)
    path = tmp_path / 'net.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match='not the description of an engine package'):
        Package.read(path)
