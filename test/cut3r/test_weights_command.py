# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r weights` and `loc3r bench encoder`, as their users call them."""

from __future__ import annotations

import argparse
import json

import pytest
import torch
from cut3r_networks import arguments

from loc3r_ros.bench import encoder as bench
from loc3r_ros.bench.encoder_flops import dummy_flops, frame_flops
from loc3r_ros.cli import weights
from loc3r_ros.cut3r import FULL_DPT_512, FULL_LINEAR_224, PoseEncoder
from loc3r_ros.errors import CheckpointError, InputError


def call(module, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    args = parser.parse_args(list(words))
    return args.execute(args)


@pytest.fixture
def checkpoint(linear, tmp_path) -> str:
    content = {'args': {'model': arguments(linear.config)}, 'model': linear.state_dict()}
    torch.save(content, tmp_path / 'x.pth')
    return str(tmp_path / 'x.pth')


def test_convert_then_inspect(checkpoint, tmp_path, capsys):
    target = str(tmp_path / 'x.safetensors')
    assert call(weights, 'weights', 'convert', checkpoint, target) == 0
    out = capsys.readouterr().out
    assert 'CC BY-NC-SA 4.0' in out
    assert '420 tensors' in out
    reports = []
    for path in (checkpoint, target):
        assert call(weights, 'weights', 'inspect', path) == 0
        reports.append(json.loads(capsys.readouterr().out))
    assert reports[0] == reports[1]
    assert reports[0]['parameters'] == 5_526_439
    assert PoseEncoder.load(target).trained


def test_convert_refuses_to_write_over_its_input_or_to_convert_what_does_not_fit(
    checkpoint, linear, tmp_path
):
    with pytest.raises(InputError, match='input itself'):
        call(weights, 'weights', 'convert', checkpoint, checkpoint)
    state = dict(linear.state_dict())
    state.pop('pose_token')
    torch.save({'args': {'model': arguments(linear.config)}, 'model': state}, tmp_path / 'y.pth')
    with pytest.raises(CheckpointError, match='pose_token'):
        call(weights, 'weights', 'convert', str(tmp_path / 'y.pth'), str(tmp_path / 'y'))
    assert not (tmp_path / 'y').exists()


def test_flops_agree_with_the_published_analysis():
    """GFLOP a frame: 427 and 1585 in full, 415 and 999 without heads; the shortcuts save 5."""
    for config, size, full, bare in (
        (FULL_LINEAR_224, (224, 224), 427, 415),
        (FULL_DPT_512, (384, 512), 1585, 999),
    ):
        assert frame_flops(config, size, False) / 1e9 == pytest.approx(full - 5, rel=2e-3)
        assert frame_flops(config, size, True) / 1e9 == pytest.approx(bare - 5, rel=2e-3)
    published = 1580e9 + dummy_flops(FULL_DPT_512, (384, 512))
    saved = 1 - frame_flops(FULL_DPT_512, (384, 512), True) / published
    assert saved == pytest.approx(0.39, abs=0.005)


def test_bench_runs_and_reports(capsys):
    words = ['encoder', '--size', 'tiny', '--frames', '2', '--memory-frames', '20']
    assert call(bench, *words, '--json') == 0
    report = json.loads(capsys.readouterr().out)
    result = report['sizes']['tiny']
    assert result['input'] == '64x64'
    rows = result['backends']
    assert list(rows) == ['naive', 'torch heads', 'torch', 'torch bf16']
    assert 0 < rows['torch']['gflop'] < rows['torch heads']['gflop'] == rows['naive']['gflop']
    assert rows['naive']['ms_p95'] >= rows['naive']['ms_p50'] > 0
    assert rows['naive']['times_naive'] == 1
    assert rows['naive']['token_error'] < 1e-4, 'the same network'
    assert rows['torch heads']['token_error'] == rows['torch']['token_error'] == 0
    assert 1e-4 < rows['torch bf16']['token_error'] < 5e-2
    assert report['peak']['gflop_per_s']['float32'] > 1
    assert report['peak']['copy_gb_per_s'] > 0.1
    assert report['memory']['rss_mb_at_end'] > 0
    assert call(bench, *words) == 0
    assert 'camera-only saves' in capsys.readouterr().out
