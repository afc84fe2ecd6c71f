# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r engine export`, as its users call it."""

from __future__ import annotations

import sys

import pytest

from loc3r_ros.cli import main
from loc3r_ros.cut3r import PoseEncoder
from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
from loc3r_ros.runtime.package import packages


@pytest.fixture(scope='module')
def weights(linear, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'tiny.safetensors'
    write_checkpoint(Checkpoint(linear.config, dict(linear.state_dict())), path)
    return path


def test_export_writes_a_package_of_32_steps(weights, tmp_path, capsys):
    words = ['--opset', '23', '--precision', 'fp16', '--update-rule', 'ttt3r', '--image', '640x480']
    assert main(['engine', 'export', str(weights), '-o', str(tmp_path / 'new'), *words]) == 0
    (package,) = packages(tmp_path / 'new')
    assert f'{package.onnx}: 0.01 GB, opset 23, fp16' in capsys.readouterr().out
    assert package.name == 'cut3r_64x64_camera_ttt3r_fp16_opset23'
    assert package.golden.steps == 32
    assert package.network['trained'] is True
    assert package.weights == PoseEncoder.load(weights).fingerprint


def test_what_is_missing_or_wrong_is_said(weights, tmp_path, capsys, monkeypatch):
    export = ['engine', 'export', str(weights), '-o', str(tmp_path)]
    with pytest.raises(SystemExit):
        main([*export, '--image', 'large'])
    assert "'large' is not a size, as 640x480" in capsys.readouterr().err
    (tmp_path / 'file').touch()
    assert main(['engine', 'export', str(weights), '-o', str(tmp_path / 'file')]) == 2
    assert 'cannot write to' in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, 'onnx', None)
    for name in ('cut3r.export', 'runtime.onnx_graph'):
        monkeypatch.delitem(sys.modules, f'loc3r_ros.{name}', raising=False)
    assert main(export) == 2
    assert "pip install 'loc3r_ros[engine]'" in capsys.readouterr().err
