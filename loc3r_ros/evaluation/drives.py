# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How far the pose encoder strays on long drives, by each rule that updates its state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from loc3r_ros.cut3r.encoder import PoseEncoder
from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.bootstrap import Interval, bootstrap_intervals
from loc3r_ros.evaluation.cut3r_trajectory import Cut3rFigures, SceneFigures, evaluate_footage
from loc3r_ros.evaluation.journal import Journal
from loc3r_ros.evaluation.table import Cell, Table
from loc3r_ros.training.cut3r_reels import drive

FRAMES = 500

SCENES = 16
"""Scenes that are driven through: 500 frames cost more than all questions about a room."""

AFTER = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Where on the way the drift is told, as shares of all frames."""


@dataclass(frozen=True)
class Drive:
    """One way through a scene, as the encoder saw it.

    Attributes:
        seed: of the scene.
        rules: figures by update rule.
    """

    seed: int
    rules: Mapping[str, SceneFigures]

    def to_json(self) -> str:
        """One line; every number comes back as it was."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Drive:
        """The drive of a line.

        Raises:
            InputError: the line is none; it says why.
        """
        try:
            row = json.loads(line)
            rules = {
                rule: SceneFigures(**values | {'error_m': tuple(values['error_m'])})
                for rule, values in row['rules'].items()
            }
            return cls(row['seed'], rules)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f'{line[:60]!r} is no result of a drive ({error!r})') from error


def drive_all(
    encoders: Mapping[str, PoseEncoder], seeds: Iterable[int], journal: Journal[Drive]
) -> Iterator[Drive]:
    """Drives through scenes, one after another as they are done.

    Args:
        encoders: with their dense heads, by update rule; all see the same frames.
        seeds: of the scenes.
        journal: has what was done before, and gets what is new.
    """
    for seed in seeds:
        if seed not in journal.records:
            footage = drive(seed, FRAMES)
            rules = {rule: evaluate_footage(e, seed, footage) for rule, e in encoders.items()}
            journal.add(Drive(seed, rules))
        yield journal.records[seed]


def drive_tables(drives: Sequence[Drive]) -> tuple[Table, Table]:
    """Errors of place, step and depth; and how the drift grows on the way."""
    rows: dict[str, tuple[Cell, ...]] = {}
    grown: dict[str, tuple[Cell, ...]] = {}
    columns: tuple[str, ...] = ()
    for rule in drives[0].rules:
        figures = [d.rules[rule] for d in drives]
        summary = Cut3rFigures(tuple(figures)).summary()
        columns = tuple(f'{name}, %' if 'path' in name else name for name in summary)
        rows[rule] = tuple(_percent(cell) if 'path' in n else cell for n, cell in summary.items())
        grown[rule] = _drift(figures)
    lengths = [d.rules[rule].path_m for d in drives for rule in list(d.rules)[:1]]
    note = (
        f'{len(drives)} drives of {drives[0].rules[rule].frames} frames, RGB only, '
        f'{np.mean(lengths):.1f} m in the mean.'
    )
    return (
        Table('Pose encoder', note, columns, rows, digits=3),
        Table('Drift, m', note, tuple(f'{100 * a:.0f} % of the way' for a in AFTER), grown, 2),
    )


def _drift(figures: Sequence[SceneFigures]) -> tuple[Cell, ...]:
    """Distance from the truth after parts of the way, where the first camera is aligned."""
    error = np.array([[f.error_m[round(part * (f.frames - 1))] for part in AFTER] for f in figures])
    scenes = [f.scene for f in figures]
    return tuple(bootstrap_intervals(lambda rows: error[rows].mean(0).tolist(), scenes))


def _percent(cell: Interval) -> Interval:
    return replace(cell, value=100 * cell.value, low=100 * cell.low, high=100 * cell.high)
