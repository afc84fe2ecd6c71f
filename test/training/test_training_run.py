# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A run that is killed and goes on ends with the very weights of one that was not."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from loc3r_ros.errors import InputError, Loc3rError
from loc3r_ros.training.run import Means, Recipe, fit
from loc3r_ros.training.task import Batch, Task

RECIPE = Recipe(steps=30, batch=4, rate=0.05, warmup=5, average=0.9)
MEANS = Means(device='cpu', precision='fp32', workers=0, check_every=10, check_batches=2)


@dataclass(frozen=True)
class Lines:
    """Points on y = 3 x - 1, or nothing that can be learnt."""

    broken: bool = False
    killer: int | None = None

    def at(self, step: int, slot: int) -> Batch:
        if step == self.killer:
            os.kill(os.getpid(), signal.SIGTERM)
        x = torch.rand(8, 1, generator=torch.Generator().manual_seed(1000 * step + slot))
        return {'x': x, 'y': 3 * x - 1 + (torch.nan if self.broken else 0)}

    def held_out(self, slot: int) -> Batch:
        return Lines().at(-1, slot)

    def collate(self, examples: list[Batch]) -> Batch:
        return {name: torch.stack([e[name] for e in examples]) for name in examples[0]}


class Line(Task):
    label = 'line'

    def __init__(self, examples: Lines) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
        self.examples = examples

    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        error = (self.net(batch['x']) - batch['y']).square().mean()
        return {'total': error, 'root': error.sqrt()}

    def export(self, folder: Path, about: object) -> None:
        torch.save(self.net.state_dict(), folder / 'net.pt')


def trained(folder: Path, examples: Lines | None = None, **means: object) -> dict | None:
    task = Line(examples or Lines())
    if fit(task, folder, RECIPE, replace(MEANS, **means)):
        return torch.load(folder / 'net.pt', weights_only=True)
    return None


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = trained(tmp_path / 'whole')
    assert trained(tmp_path / 'killed', Lines(killer=17)) is None
    resumed = trained(tmp_path / 'killed')
    assert whole is not None and resumed is not None
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


class Halves(Lines):
    """As `Lines`, in the half precision that images travel in."""

    def at(self, step: int, slot: int) -> Batch:
        return {name: value.half() for name, value in super().at(step, slot).items()}

    def held_out(self, slot: int) -> Batch:
        return self.at(-1, slot)


class HalvesLine(Line):
    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        return super().forward({name: value.float() for name, value in batch.items()})


def test_batches_are_made_outside_of_autocast(tmp_path: Path) -> None:
    """On a CPU autocast refuses to join float16."""
    means = replace(MEANS, precision='bf16')
    assert fit(HalvesLine(Halves()), tmp_path, replace(RECIPE, steps=10), means)


def test_worker_processes_change_nothing(tmp_path: Path) -> None:
    alone, helped = trained(tmp_path / 'a'), trained(tmp_path / 'b', workers=1)
    assert all(torch.equal(alone[name], helped[name]) for name in alone)


def test_a_batch_in_parts_is_the_batch(tmp_path: Path) -> None:
    whole, parts = trained(tmp_path / 'a'), trained(tmp_path / 'b', at_once=2)
    assert all(torch.allclose(whole[name], parts[name], atol=1e-5) for name in whole)


def test_it_learns_and_draws(tmp_path: Path) -> None:
    trained(tmp_path)
    with (tmp_path / 'curves.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row['step']) for row in rows] == [10, 20, 30]
    assert float(rows[-1]['total']) < 0.3 * float(rows[0]['total'])
    assert bool(rows[-1]['held-out total'])
    assert (tmp_path / 'curves.png').read_bytes()[:4] == b'\x89PNG'


def test_a_stop_by_the_clock_keeps_all(tmp_path: Path) -> None:
    for _ in range(5):
        assert trained(tmp_path, minutes=0.0) is None
    found = torch.load(tmp_path / 'checkpoint.pt', weights_only=True)
    assert found['step'] == 5


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, minutes=0.0)
    with pytest.raises(InputError, match='another recipe'):
        fit(Line(Lines()), tmp_path, replace(RECIPE, rate=0.1), MEANS)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / 'checkpoint.pt').write_bytes(b'nothing of use')
    with pytest.raises(InputError, match='damaged'):
        trained(tmp_path)


def test_losses_that_are_no_numbers_end_it(tmp_path: Path) -> None:
    with pytest.raises(Loc3rError, match='no finite gradient'):
        trained(tmp_path, Lines(broken=True))


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """The mean gradient of two halves of a batch is that of the batch."""
    alone = trained(tmp_path / 'one')
    script = (
        'import sys; sys.path.insert(0, sys.argv[1])\n'
        'from pathlib import Path\n'
        'from test_training_run import trained\n'
        'trained(Path(sys.argv[2]))\n'
    )
    (tmp_path / 'train.py').write_text(script)
    command = [sys.executable, '-m', 'accelerate.commands.launch', '--cpu', '--num_processes', '2']
    command += ['--num_machines', '1', '--mixed_precision', 'no', '--dynamo_backend', 'no']
    command += ['--num_cpu_threads_per_process', '1', '--main_process_port', '0']
    arguments = [tmp_path / 'train.py', Path(__file__).parent, tmp_path / 'two']
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    shared = torch.load(tmp_path / 'two' / 'net.pt', weights_only=True)
    assert all(torch.allclose(alone[name], shared[name], atol=1e-5) for name in alone)
