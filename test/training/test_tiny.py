# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The stages of the small model, and a model of another size by the same code."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from made_up import MEANS, MICRO, PLAN, filled_bank
from wall_footage import Wall

from loc3r_ros.cut3r.checkpoint import Checkpoint, load_checkpoint, write_checkpoint
from loc3r_ros.cut3r.config import SHIPPED
from loc3r_ros.errors import InputError
from loc3r_ros.training import tiny
from loc3r_ros.training.bank import SHOWN
from loc3r_ros.training.cut3r_begin import begin
from loc3r_ros.training.loc3r_task import Parts
from loc3r_ros.training.tiny import PLANS, Start, Workshop
from loc3r_ros.vlm.config import TINY, VlmConfig
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights import load, save


@pytest.mark.parametrize('rank', [0, 2])
def test_a_model_of_another_size_is_trained_by_the_same_code(tmp_path: Path, rank: int) -> None:
    torch.manual_seed(0)
    save(build(MICRO), Words.tiny(), tmp_path / 'base')
    filled_bank(tmp_path / 'bank' / 'videos')
    shop = Workshop(tmp_path / 'runs', tmp_path / 'bank')
    start = Start(tmp_path / 'base', tmp_path / 'cut3r.safetensors', rank)
    assert shop.language(PLAN, MEANS, start, Parts(camera='true'))
    model, _, report = load(tmp_path / 'runs' / 'language', device='cpu', precision='fp32')
    before, _, _ = load(tmp_path / 'base', device='cpu', precision='fp32')
    assert report.training and model.config == replace(
        MICRO, reads_poses=True, reads_tokens=False, reasons=True
    )
    changed = {
        name
        for name, value in before.state_dict().items()
        if float((value - model.get_parameter(name)).abs().max()) > 5e-4
    }
    assert not [name for name in changed if name.startswith('vision.')]  # as published
    assert {'layout_head.weight', 'camera_projector.0.weight'} <= changed
    assert any(name.startswith('language.layers.') for name in changed)


def test_an_encoder_goes_on_from_given_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny, 'Reels', lambda folder: Wall())
    given = {name: value.half() for name, value in begin(SHIPPED, 7).state_dict().items()}
    path = tmp_path / 'encoder' / 'begin.safetensors'
    path.parent.mkdir()
    write_checkpoint(Checkpoint(SHIPPED, given), path)
    lame = replace(PLAN.encoder, rate=1e-9)
    plan = replace(PLAN, encoder=lame, clips=((2, 8.0), (4, 30.0)))
    assert Workshop(tmp_path, tmp_path).encoder(plan, MEANS)
    learnt = load_checkpoint(tmp_path / 'encoder' / 'cut3r.safetensors').state_dict()
    for name, value in learnt.items():
        torch.testing.assert_close(value, given[name].float(), atol=1e-3, rtol=1e-3)
    # Short clips are what these have learnt from before.
    assert 'until=2, frames=4' in (tmp_path / 'encoder' / 'checkpoint.pt').read_bytes().decode(
        errors='ignore'
    )


def test_plans_keep_to_what_was_published() -> None:
    plan = PLANS['full']
    assert (plan.language.steps, plan.language.batch, plan.language.rate) == (4200, 64, 1e-5)
    assert plan.strides == (SHOWN,) and not plan.reasons and plan.emphasis == 1.0


def test_the_shipped_shapes_fit_24_megabytes() -> None:
    from loc3r_ros.cut3r.model import Cut3r

    with torch.device('meta'):
        encoder = sum(p.numel() for p in Cut3r(SHIPPED).parameters())
    language = sum(p.numel() for p in build(TINY, 'meta').parameters())
    assert 2 * (encoder + language) < 24e6 - 200e3  # half precision; headers and the tokenizer
    assert SHIPPED.dec_dim == TINY.camera_dim


@pytest.mark.slow
def test_the_whole_way_with_two_processes(tmp_path: Path) -> None:
    """All stages on the shipped shapes, a few steps each, stopped and gone on with."""
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    command += ['--nproc-per-node', '2']  # accelerate's own launcher starts but one on a CPU
    command += ['-m', 'loc3r_ros', 'train', str(tmp_path), '--device', 'cpu', '--steps', '2']
    command += ['--plan', 'cpu', '--workers', '0', '--seed', '3']
    for minutes in ('0', '600'):
        done = subprocess.run([*command, '--minutes', minutes], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    assert 'stopped' not in done.stdout and done.stdout.count('language: done') == 2
    assert load_checkpoint(tmp_path / 'encoder' / 'cut3r.safetensors').trained
    about = json.loads((tmp_path / 'language' / 'config.json').read_text())
    assert 'seed' in about.pop('training') and about.pop('model_type')
    assert VlmConfig.from_json(about) == replace(
        TINY, reads_poses=True, reads_tokens=False, reasons=True
    )


def test_a_stage_names_the_one_that_it_begins_with(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'words: that stage is not done.*--stages words'):
        Workshop(tmp_path, tmp_path).language(PLAN, MEANS)


def test_a_base_needs_its_encoder(tmp_path: Path) -> None:
    from loc3r_ros.cli import build_parser

    args = build_parser('train').parse_args(['train', str(tmp_path), '--base', str(tmp_path)])
    with pytest.raises(InputError, match='belong together'):
        args.execute(args)
