# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r eval tiny` from weights to tables, with networks that know nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from evaluation.episodes import short_videos
from vlm.small_vlm import SMALL

from loc3r_ros.cli import main
from loc3r_ros.cli.eval import rooms_in_words, seeds_of
from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
from loc3r_ros.cut3r.config import tiny
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.errors import InputError
from loc3r_ros.evaluation import drives, frequency
from loc3r_ros.hub import shipped
from loc3r_ros.training import bank as bank_module
from loc3r_ros.vlm import stream
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights.save import save
from loc3r_ros.world.splits import TRAIN, VALIDATION


@pytest.fixture(scope='module')
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Options that name both, made at random; videos are short."""
    from dataclasses import replace

    folder = tmp_path_factory.mktemp('weights')
    torch.manual_seed(0)
    shape = tiny('linear')
    network = Cut3r(shape)
    write_checkpoint(Checkpoint(shape, network.state_dict()), folder / 'cut3r.safetensors')
    save(build(replace(SMALL, camera_dim=shape.dec_dim)), Words.tiny(), folder / 'vlm', 'nobody')
    with pytest.MonkeyPatch.context() as patch:
        short_videos(folder, patch)
        patch.setattr(stream, 'ANSWER_TOKENS', 2)
        patch.setattr(frequency, 'SCENES', 1)
        yield [
            *('--vlm', str(folder / 'vlm'), '--encoder', str(folder / 'cut3r.safetensors')),
            *('--bank', str(folder / 'bank')),
        ]


def test_tables_are_written_printed_and_made_again(
    weights: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / 'out'
    command = ['eval', 'tiny', *weights, '-o', str(out), '--parts', 'localization,situated']
    assert main([*command, '--situations', '5', '--questions', '5']) == 0
    printed = capsys.readouterr().out
    assert printed == (out / 'report.md').read_text()
    assert '1 seeds from 0 to 0, all test' in printed
    assert '## Localization' in printed
    assert '## Situated questions' in printed
    assert 'VSI-Bench' not in printed
    lines = (out / 'episodes.jsonl').read_text().splitlines()
    assert len(lines) == 2
    # What is done is not filmed again.
    monkeypatch.setattr(bank_module, 'make_video', None)
    assert main([*command, '--seeds', '0:1', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((out / 'report.json').read_text())
    rows = report['tables'][0]['rows']
    assert 0 <= rows['model']['Acc@1 m, %']['value'] <= 100
    assert rows['chance']['Acc@30 deg, %']['value'] == pytest.approx(100 * 30 / 180, abs=6)
    assert (out / 'episodes.jsonl').read_text().splitlines() == lines


def test_true_poses_want_a_model_that_reads_them(
    weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ['eval', 'tiny', *weights, '-o', str(tmp_path), '--true-poses', '--seeds', '0:1']
    assert main(command) == 2
    assert 'was not taught to read poses' in capsys.readouterr().err


def test_the_encoder_drives_by_both_rules(
    weights: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drives, 'FRAMES', 5)
    command = ['eval', 'tiny', *weights[2:], '-o', str(tmp_path), '--seeds', '1:2']
    assert main([*command, '--parts', 'cut3r', '--json']) == 0
    encoder, drift = json.loads(capsys.readouterr().out)['tables']
    assert encoder['note'].startswith('1 drives of 5 frames')
    assert list(encoder['rows']) == list(drift['rows']) == ['cut3r', 'ttt3r']
    assert encoder['rows']['cut3r']['depth AbsRel']['value'] > 0
    monkeypatch.setattr(shipped, 'FOLDER', tmp_path)
    assert main([*command, '--parts', 'cut3r,vsi']) == 2
    assert 'no Loc3R-VLM weights: name a folder with --vlm' in capsys.readouterr().err


def test_other_parts_want_another_folder(
    weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'episodes.jsonl').write_text('{"parts": "vsi"}\n')
    assert main(['eval', 'tiny', *weights, '-o', str(tmp_path)]) == 2
    assert 'name another folder' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--parts', 'sr3d'], 'sr3d: no part; use localization, vsi'),
        (['--seeds', '5:5'], 'no rooms'),
        (['--seeds', 'few'], 'give A:B'),
    ],
)
def test_what_cannot_be_is_said(
    weights: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    assert main(['eval', 'tiny', *weights, '-o', str(tmp_path), *options]) == 2
    assert message in capsys.readouterr().err


def test_seeds() -> None:
    assert list(seeds_of('3:6')) == [3, 4, 5]
    assert list(seeds_of('9,3,9')) == [3, 9]
    with pytest.raises(InputError, match="'-1:3'"):
        seeds_of('-1:3')


def test_rooms_that_may_be_known_are_named() -> None:
    assert rooms_in_words(range(4)) == '4 seeds from 0 to 3, all test'
    strange = [7, VALIDATION.start, TRAIN.start]
    assert rooms_in_words(strange).endswith('2 of them not of the test range')
