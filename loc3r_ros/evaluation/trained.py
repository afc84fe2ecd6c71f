# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Ablations as `loc3r train --stages ablations` left them, asked about held-out scenes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.ablation import ablation_tables
from loc3r_ros.evaluation.episode import Episode
from loc3r_ros.evaluation.examine import examine
from loc3r_ros.evaluation.journal import Journal
from loc3r_ros.evaluation.report import Report
from loc3r_ros.evaluation.trainee import Trainee
from loc3r_ros.training.bank import Bank
from loc3r_ros.training.checkpoint import Checkpoint
from loc3r_ros.training.loc3r_task import Loc3rTask
from loc3r_ros.training.tiny import VARIANTS, Plan, Workshop, ablation

PARTS = ('localization', 'vsi', 'vsti', 'situated')


def ablation_report(
    shop: Workshop,
    plan: Plan,
    scenes: Sequence[int],
    out: Path,
    device: str = 'cpu',
    watched: Callable[[str, int], None] = lambda run, scene: None,
) -> Report:
    """Figures of every run there is, and what each part of the method is good for.

    Args:
        shop: where the runs lie.
        plan: that they were trained by.
        scenes: seeds of scenes to ask about.
        out: keeps what was asked, so that what is interrupted goes on.
        device: where the models run.
        watched: told of each run and scene that is done.

    Raises:
        InputError: there is no run, or one is not trained by this plan.
    """
    bank = Bank(out / 'bank')
    runs: dict[str, list[list[Episode]]] = {}
    steps = set()
    for variant in VARIANTS:
        for seed in _seeds(shop.folder, variant):
            name = ablation(variant, seed)
            planned = replace(plan, ablated=replace(plan.ablated, seed=seed))
            task = shop.variant(planned, variant)
            steps.add(_take_average(task, shop.folder / name))
            about = {'run': name, 'steps': str(sorted(steps))}
            journal = Journal(out / f'{Path(name).name}.jsonl', about, Episode.from_json)
            tokens = replace(task.examples.tokens, folder=bank.folder)
            trainee = Trainee(task.eval().to(device), tokens)
            episodes = []
            for episode in examine(trainee, bank, scenes, PARTS, journal):
                episodes.append(episode)
                watched(name, episode.seed)
            runs.setdefault(variant, []).append(episodes)
    if 'full' not in runs:
        raise InputError(
            f'{shop.folder}: no ablations there; train them with loc3r train {shop.folder} '
            '--stages ablations'
        )
    about = {'steps': ', '.join(map(str, sorted(steps))), 'plan': str(plan.ablated)}
    return Report(about, ablation_tables(runs))


def _seeds(folder: Path, variant: str) -> list[int]:
    """Of the runs of a variant."""
    stem = Path(ablation(variant, 0)).name.removesuffix('0')
    found = (re.fullmatch(rf'{re.escape(stem)}(\d+)', p.name) for p in folder.glob('ablations/*'))
    return sorted(int(match[1]) for match in found if match)


def _take_average(task: Loc3rTask, folder: Path) -> int:
    """Give a task the averaged weights of its run; the steps it was trained."""
    found = Checkpoint.load(folder)
    if found is None:
        raise InputError(f'{folder}: no checkpoint yet; train on')
    task.load_state_dict(found.averaged)
    return found.step
