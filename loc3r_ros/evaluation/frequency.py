# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is answered most in training scenes; nothing of a test scene is known here."""

from __future__ import annotations

from collections.abc import Iterable

from loc3r_ros.evaluation.baselines import frequent_answers
from loc3r_ros.evaluation.examine import TASKS
from loc3r_ros.training.bank import Bank
from loc3r_ros.world.questions.catalog import METRICS
from loc3r_ros.world.splits import TRAIN

SCENES = 32
"""Training scenes that are looked at: 256 questions of each type."""


def training_seeds() -> range:
    """The scenes to learn from."""
    return TRAIN[:SCENES]


def learn_frequent(bank: Bank, seeds: Iterable[int]) -> dict[str, str]:
    """The answer to give to all questions of a task, learnt from videos of the bank."""
    known = {task for tasks in TASKS.values() for task in tasks}
    questions = [
        (q.task, q.answer)
        for seed in seeds
        for q in bank.video(seed, seed % 2).questions
        if q.task in known
    ]
    numbers = [task for task, metric in METRICS.items() if metric == 'number']
    return frequent_answers([t for t, _ in questions], [a for _, a in questions], numbers)
