# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Ablations as they are trained and asked about, on a network of a few thousand parameters."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / 'training'))
from made_up import MEANS, MICRO, PLAN, SHORT, video

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.trained import ablation_report
from loc3r_ros.training import bank, tiny
from loc3r_ros.training.loc3r_task import Parts
from loc3r_ros.training.tiny import Workshop
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights import save
from loc3r_ros.world.splits import TRAIN, VALIDATION

VARIANTS = {
    'full': Parts(camera='true'),
    'places in words': Parts(camera='true', situation=0.0),
    'blind': Parts(camera='none', blind=True),
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(tiny, 'VARIANTS', VARIANTS)
    monkeypatch.setattr('loc3r_ros.evaluation.trained.VARIANTS', VARIANTS)
    torch.manual_seed(0)
    save(build(MICRO), Words.tiny(), tmp_path / 'runs' / 'names')
    for folder in (tmp_path / 'runs' / 'bank' / 'videos', tmp_path / 'out' / 'bank'):
        for seed, number in ((TRAIN.start, 0), (VALIDATION.start, 0), (0, 0), (1, 1)):
            bank._keep(video(frames=4, seed=seed % 7), folder / f'{seed}_{number}')
    return Workshop(tmp_path / 'runs', tmp_path / 'runs' / 'bank')


def test_every_run_is_asked_about_the_same_scenes(shop: Workshop, tmp_path: Path) -> None:
    for seed in (0, 1):
        assert shop.ablations(replace(PLAN, ablated=replace(SHORT, seed=seed)), MEANS)
    asked: list[tuple[str, int]] = []
    report = ablation_report(
        shop, PLAN, [0, 1], tmp_path / 'out', watched=lambda *done: asked.append(done)
    )
    runs = [f'ablations/{v}-{s}' for v in ('full', 'places-in-words', 'blind') for s in (0, 1)]
    assert asked == [(run, scene) for run in runs for scene in (0, 1)]
    figures, effects = report.tables
    assert list(figures.rows) == list(VARIANTS)
    assert list(effects.rows) == ['- places in words', '- blind']
    again = ablation_report(shop, PLAN, [0, 1], tmp_path / 'out')
    assert again.to_json() == report.to_json()


def test_no_runs_are_named(shop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(InputError, match='--stages ablations'):
        ablation_report(shop, PLAN, [0], tmp_path / 'out')
