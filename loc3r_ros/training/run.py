# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A training run: on a CPU, a GPU or many; killed at any time, it goes on to the same weights."""

from __future__ import annotations

import json
import logging
import math
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from loc3r_ros.errors import InputError, Loc3rError
from loc3r_ros.training.checkpoint import Checkpoint
from loc3r_ros.training.curves import HELD_OUT, Curves
from loc3r_ros.training.optimizers import optimizers
from loc3r_ros.training.task import Batch, Examples, Task

_log = logging.getLogger(__name__)

ROW = 10
"""Steps that a row of the curves is the mean of."""

HOPELESS = 20
"""Steps in a row without a finite gradient that end a run."""


@dataclass(frozen=True)
class Recipe:
    """How a task is trained; a run that goes on must have the same.

    Attributes:
        steps: optimizer steps in all.
        batch: examples a step, over all processes.
        rate: peak learning rate; it rises linearly over `warmup` steps and falls as a cosine to
            a hundredth.
        muon: how many times that rate matrices within the net learn at, by Muon; 0: AdamW trains
            all, as it does all else.
        decay: of weights, matrices only.
        clip: largest norm of the gradient.
        average: decay of the moving average of the weights, which is what is used in the end; 0:
            the weights of the last step are, which saves a copy of a large model.
        seed: of the examples and of the first weights.
    """

    steps: int
    batch: int
    rate: float
    warmup: int = 200
    muon: float = 0.0
    decay: float = 0.02
    clip: float = 1.0
    average: float = 0.998
    seed: int = 0

    def share_at(self, step: int) -> float:
        """Which part of the peak the learning rate of a step is, counted from 0."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / self.steps))
        return rise * (0.01 + 0.99 * fall)


@dataclass(frozen=True)
class Means:
    """What a run may use; it may change from one session to the next.

    Attributes:
        device: cpu, cuda; auto: a GPU if any.
        precision: fp32 or bf16 (autocast; weights and optimizer stay float32).
        at_once: examples that fit in memory together; 0: the whole batch. Gradients add up.
        workers: processes that make examples; 0: none, all in turn.
        minutes: stop then, with a checkpoint; None: when all steps are done.
        save_minutes: time between checkpoints.
        check_every: steps between looks at held-out rooms.
        check_batches: batches of such a look.
    """

    device: str = 'auto'
    precision: str = 'bf16'
    at_once: int = 0
    workers: int = 1
    minutes: float | None = None
    save_minutes: float = 2.0
    check_every: int = 250
    check_batches: int = 4


def fit(task: Task, folder: Path, recipe: Recipe, means: Means) -> bool:
    """Train, from the folder's checkpoint where there is one; also under `torchrun`.

    Writes checkpoint.pt, curves.csv and curves.png, and when all steps are done the weights, by
    `Task.export`.

    Returns:
        whether all steps are done.

    Raises:
        InputError: the checkpoint is damaged or of another recipe; there is no such device.
        Loc3rError: the losses are no numbers any more.
    """
    return _Run(task, folder, recipe, means).go()


class _Run:
    def __init__(self, task: Task, folder: Path, recipe: Recipe, means: Means) -> None:
        if means.device.startswith('cuda') and not torch.cuda.is_available():
            raise InputError(f'device {means.device}: no CUDA device is usable here; use cpu')
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.recipe, self.means, self.task = folder, recipe, means, task
        self.accelerator = Accelerator(
            cpu=means.device == 'cpu',
            # Its own setting is one for the whole process; see `_autocast`.
            mixed_precision='no',
        )
        processes = self.accelerator.num_processes
        self.share = recipe.batch // processes
        self.at_once = means.at_once or self.share
        if self.share * processes != recipe.batch or self.share % self.at_once:
            raise InputError(
                f'a batch of {recipe.batch} cannot be shared by {processes} processes, '
                f'{self.at_once} examples at once'
            )
        made = optimizers(task, recipe.rate, recipe.decay, recipe.muon)
        self.average = _average(task, recipe.average)
        self.recipe_text = json.dumps({'task': task.label, **asdict(recipe)})
        found = Checkpoint.load(folder)
        if found:
            found.check(self.recipe_text)
            task.load_state_dict(found.weights)
        if self.average is not None:
            if found:
                self.average.load_state_dict(found.average)
            self.average.to(self.accelerator.device)
        self.model, *self.optimizers = self.accelerator.prepare(task, *made)
        if found:
            for optimizer, state in zip(self.optimizers, found.optimizers, strict=True):
                optimizer.load_state_dict(state)
        self.step = found.step if found else 0
        self.minutes = found.minutes if found else 0.0
        self.curves = Curves(folder, self.step)
        self.stopping = False
        self._hopeless = 0

    def go(self) -> bool:
        handlers = {s: signal.signal(s, self._stop) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            with Progress(
                TextColumn('{task.description}'),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                disable=not self.accelerator.is_main_process,
            ) as bar:
                self._train(bar)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        done = self.step >= self.recipe.steps
        if done and self.accelerator.is_main_process:
            about = {
                'licence': 'Apache-2.0',
                'recipe': self.recipe_text,
                'minutes': f'{self.minutes:.1f}',
            }
            self._averaged.export(self.folder, about)
        self.accelerator.wait_for_everyone()  # the next stage may begin from these weights
        return done

    @property
    def _averaged(self) -> Task:
        return self.task if self.average is None else cast(Task, self.average.module)

    def _agreed(self, wish: bool) -> bool:
        """Whether any process wishes so: one that stopped a step early would let others wait."""
        if self.accelerator.num_processes == 1:
            return wish
        wishes = torch.tensor([float(wish)], device=self.accelerator.device)
        return bool(cast(Tensor, self.accelerator.reduce(wishes)).item())

    def _stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def _train(self, bar: Progress) -> None:
        line = bar.add_task('training', total=self.recipe.steps, completed=self.step)
        began = saved = time.monotonic()
        before = self.minutes
        means = _Means()
        self.model.train()
        batches = self._batches(range(self.step, self.recipe.steps))
        parts = self.share // self.at_once
        while self.step < self.recipe.steps:
            means.add(self._advance(islice(batches, parts), parts))
            self.step += 1
            now = time.monotonic()
            self.minutes = before + (now - began) / 60
            if self.step % ROW == 0:
                row = means.take()
                bar.update(line, completed=self.step, description=f'loss {row["total"]:.3f}')
                if self.step % self.means.check_every == 0:
                    row |= self._check()
                self.curves.add(self.step, {'minutes': self.minutes, **row})
            limit = self.means.minutes
            last = self._agreed(self.stopping or (limit is not None and now - began > 60 * limit))
            if last or now - saved > 60 * self.means.save_minutes:
                self._save()
                saved = time.monotonic()
            if last:
                return
        self._save()

    def _advance(self, batches: Iterator[Batch], parts: int) -> dict[str, float]:
        """One optimizer step, on the mean gradient of its parts."""
        share = self.recipe.share_at(self.step)
        for group in chain.from_iterable(one.param_groups for one in self.optimizers):
            group['lr'] = share * group['initial_lr']
        means = _Means()
        for number, batch in enumerate(batches, 1):
            with nullcontext() if number == parts else self.accelerator.no_sync(self.model):
                with self._autocast():
                    losses: dict[str, Tensor] = self.model(batch)
                self.accelerator.backward(losses['total'] / parts)
            means.add({name: float(value.detach()) for name, value in losses.items()})
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        if math.isfinite(float(norm)):
            for optimizer in self.optimizers:
                optimizer.step()
            if self.average is not None:
                self.average.update_parameters(self.task)
            self._hopeless = 0
        else:
            self._hopeless += 1
            if self._hopeless >= HOPELESS:
                raise Loc3rError(
                    f'step {self.step}: no finite gradient in {HOPELESS} steps; go on from the '
                    f'checkpoint in {self.folder} with a lower rate, in a new folder'
                )
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        return means.take()

    def _autocast(self) -> torch.autocast:
        narrow = self.means.precision == 'bf16'
        return torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=narrow)

    def _check(self) -> dict[str, float]:
        """Mean losses of the averaged weights in held-out rooms."""
        module, means = self._averaged.eval(), _Means()
        with torch.no_grad():
            # Batches are made outside of autocast, which refuses float16 on a CPU.
            for batch in self._batches(range(self.means.check_batches), held_out=True):
                with self._autocast():
                    losses = module(batch)
                means.add({HELD_OUT + name: float(v) for name, v in losses.items()})
        module.train()
        return means.take()

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        Checkpoint(
            self.step,
            self.recipe_text,
            self.minutes,
            self.task.state_dict(),
            {} if self.average is None else self.average.state_dict(),
            [optimizer.state_dict() for optimizer in self.optimizers],
        ).save(self.folder)
        self.curves.write()

    def _batches(self, steps: range, *, held_out: bool = False) -> Iterator[Batch]:
        """The share of this process in the batches of these steps, on its device."""
        first = self.accelerator.process_index * self.share
        slots = range(first, first + self.share)
        keys = [
            [(step, slot) for slot in slots[k : k + self.at_once]]
            for step in steps
            for k in range(0, self.share, self.at_once)
        ]
        workers = 0 if held_out else self.means.workers
        loader: DataLoader[Any] = DataLoader(
            _Numbered(self.task.examples, held_out, self.recipe.batch),
            batch_sampler=keys,
            collate_fn=self.task.examples.collate,
            num_workers=workers,
            # A forked child would inherit the locks of this process's threads, and may hang.
            multiprocessing_context='spawn' if workers else None,
            prefetch_factor=4 if workers else None,
            pin_memory=self.accelerator.device.type == 'cuda',
        )
        for batch in loader:
            yield {
                name: value.to(self.accelerator.device, non_blocking=True)
                if isinstance(value, Tensor)
                else value
                for name, value in batch.items()
            }


class _Means:
    """Means of values that come one by one."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = defaultdict(float)
        self._count = 0

    def add(self, values: dict[str, float]) -> None:
        self._count += 1
        for name, value in values.items():
            self._sums[name] += value

    def take(self) -> dict[str, float]:
        """The means, and begin anew."""
        means = {name: value / self._count for name, value in self._sums.items()}
        self._sums.clear()
        self._count = 0
        return means


@dataclass(frozen=True)
class _Numbered(Dataset[Batch]):
    """Examples by (step, slot), as a DataLoader asks for them."""

    examples: Examples
    held_out: bool
    batch: int

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        step, slot = key
        if self.held_out:
            return self.examples.held_out(step * self.batch + slot)
        return self.examples.at(step, slot)


def _average(task: Task, decay: float) -> AveragedModel | None:
    if not decay:
        return None
    return AveragedModel(task, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=False)
