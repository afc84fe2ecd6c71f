# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The package's own weights: when they run, what they say, and what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from box_bag import Shot, shots, write_bag

from loc3r_ros.cli import main
from loc3r_ros.hub import shipped

FRAMES = 8
ASK = ('--ask', 'how many chairs are there?')


@pytest.fixture(scope='module')
def bag(tmp_path_factory) -> Path:
    return write_bag(tmp_path_factory.mktemp('box') / 'walk', shots(FRAMES))


@pytest.fixture(scope='module')
def rgb_bag(tmp_path_factory) -> Path:
    blind = [Shot(s.stamp_ns, s.rgb, None, s.camera, s.T) for s in shots(FRAMES)]
    return write_bag(tmp_path_factory.mktemp('box') / 'rgb', blind)


def run(bag: Path, out: Path, *options: str) -> dict:
    assert main(['run', str(bag), '-o', str(out), *options]) == 0
    return json.loads((out / 'summary.json').read_text())


def said(capsys) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if shipped.LIMITS in line]


def test_a_package_without_them_has_none():
    assert shipped.encoder() is None and shipped.language_model() is None
    assert shipped.chosen(None, None) is None


def test_what_is_named_goes_before_them(shipped_weights):
    ours = shipped.language_model()
    assert ours == shipped_weights / 'vlm'
    assert shipped.chosen('', ours) == shipped.chosen(None, ours) == ours
    assert shipped.chosen('models/large', ours) == Path('models/large')
    assert shipped.chosen(Path('none'), ours) is None


def test_depth_tracks_to_the_bit_as_without_them(bag, shipped_weights, tmp_path, capsys):
    bare, both = tmp_path / 'bare', tmp_path / 'both'
    assert 'encoder' not in run(bag, bare)['latency_ms']
    assert said(capsys) == []
    summary = run(bag, both, *ASK)
    (line,) = said(capsys)
    assert 'Loc3R-tiny answers' in line and 'CUT3R-tiny' not in line
    assert line.endswith(summary['notes'][0])
    assert summary['weights'] == 'none' and 'encoder' not in summary['latency_ms']
    assert summary['answers'][0]['engine'].startswith('Loc3R-VLM')
    assert (bare / 'trajectory.tum').read_bytes() == (both / 'trajectory.tum').read_bytes()
    assert (bare / 'map.pgm').read_bytes() == (both / 'map.pgm').read_bytes()
    assert shipped.LIMITS in (both / 'report.html').read_text()


def test_none_turns_them_off(bag, rgb_bag, shipped_weights, tmp_path, capsys):
    summary = run(bag, tmp_path / 'out', '--vlm', 'none', *ASK)
    assert summary['answers'][0]['engine'] == 'no model loaded'
    assert 'encoder' not in summary['latency_ms'] and said(capsys) == []
    assert main(['run', str(rgb_bag), '-o', str(tmp_path / 'rgb'), '--weights', 'none']) == 2
    assert 'has no depth topic, and no encoder weights' in capsys.readouterr().err


def test_without_depth_the_encoder_gives_poses(rgb_bag, shipped_weights, tmp_path, capsys):
    summary = run(rgb_bag, tmp_path / 'out')
    (line,) = said(capsys)
    assert 'CUT3R-tiny gives poses;' in line
    assert summary['weights'] == 'CUT3R-tiny' and summary['scale_source'] == 'metric_model'
    assert summary['tracked'] == FRAMES and summary['keyframes']


def test_poses_of_another_encoder_stand_in_for_its_tokens(
    rgb_bag, shipped_weights, tmp_path, capsys
):
    """As of the published CUT3R, which the package's language model was not trained with."""
    import torch

    from loc3r_ros.cut3r import Cut3r
    from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
    from loc3r_ros.cut3r.config import Cut3rConfig

    narrow = Cut3rConfig('linear', 32, True, *(32, 1, 2), *(48, 1, 2), 2, 16, 4, 1, 2)
    state = Cut3r(narrow).state_dict()
    other = tmp_path / 'other.safetensors'
    tensors = {name: 0.1 * torch.randn_like(value) for name, value in state.items()}
    write_checkpoint(Checkpoint(narrow, tensors), other)
    summary = run(rgb_bag, tmp_path / 'out', '--weights', str(other), *ASK)
    assert 'camera tokens' not in capsys.readouterr().err
    assert summary['keyframes'] and summary['answers'][0]['found']
    assert not any('did not take in' in problem for problem in summary['problems'])
