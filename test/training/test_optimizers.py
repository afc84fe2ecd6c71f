# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Muon trains what lies within the net, AdamW all else, and a run that was killed goes on so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from loc3r_ros.errors import InputError
from loc3r_ros.training.optimizers import NARROW, optimizers
from loc3r_ros.training.run import Means, Recipe, fit
from loc3r_ros.training.task import Batch, Task

RECIPE = Recipe(steps=12, batch=1, rate=3e-3, warmup=2, muon=2.0)
MEANS = Means(device='cpu', precision='fp32', workers=0, check_every=100)


class Waves:
    """Points on a wave."""

    def at(self, step: int, slot: int) -> Batch:
        x = 3 * torch.rand(64, 1, generator=torch.Generator().manual_seed(step))
        return {'x': x, 'y': torch.sin(2 * x)}

    def held_out(self, slot: int) -> Batch:
        return self.at(-1, slot)

    def collate(self, examples: list[Batch]) -> Batch:
        return examples[0]


class Wave(Task):
    """Hidden layers between narrow ones; a table whose weights read off words, too."""

    label = 'wave'

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(
            nn.Linear(1, NARROW), nn.Tanh(), nn.Linear(NARROW, NARROW), nn.Tanh()
        )
        self.head = nn.Linear(NARROW, 1)
        self.words = nn.Embedding(2 * NARROW, NARROW)
        self.read = nn.Linear(NARROW, 2 * NARROW, bias=False)
        self.read.weight = self.words.weight
        self.examples = Waves()

    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        hidden = self.net(batch['x'])
        said = self.read(hidden[:1]).square().mean()
        error = functional.mse_loss(self.head(hidden), batch['y'])
        return {'total': error + 0 * said, 'error': error}

    def export(self, folder: Path, about: object) -> None:
        torch.save(self.state_dict(), folder / 'net.pt')


def test_matrices_within_are_muons() -> None:
    task = Wave()
    adamw, muon = optimizers(task, 1e-3, 0.1, 2.0)
    matrices = [p for group in muon.param_groups for p in group['params']]
    assert [id(p) for p in matrices] == [id(task.net[2].weight)]
    rates = {group['initial_lr'] for group in adamw.param_groups}, muon.param_groups[0]['lr']
    assert rates == ({1e-3}, 2e-3)
    trained = [p for one in (adamw, muon) for group in one.param_groups for p in group['params']]
    assert sorted(map(id, trained)) == sorted(map(id, task.parameters()))
    (alone,) = optimizers(task, 1e-3, 0.1, 0.0)
    assert sum(len(group['params']) for group in alone.param_groups) == len(trained)


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    assert fit(Wave(), tmp_path / 'whole', RECIPE, MEANS)
    while not fit(Wave(), tmp_path / 'killed', RECIPE, Means(**vars(MEANS) | {'minutes': 0.0})):
        pass
    whole, killed = (torch.load(tmp_path / name / 'net.pt') for name in ('whole', 'killed'))
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    begun = Wave().state_dict()
    assert not torch.equal(whole['net.2.weight'], begun['net.2.weight'])


def test_an_old_pytorch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, 'Muon')
    with pytest.raises(InputError, match=r'no Muon.*torch>=2\.9'):
        optimizers(Wave(), 1e-3, 0.0, 1.0)
