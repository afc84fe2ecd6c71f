# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A run's losses over its steps: a table to compute with, and a picture to look at."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

HELD_OUT = 'held-out '
"""Prefix of the columns of rooms that are not trained on."""


class Curves:
    """Rows by step, kept in `curves.csv`; `curves.png` shows them.

    Args:
        folder: where both lie.
        step: of the checkpoint the run goes on from; rows after it are dropped, since these steps
            are done again.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._table, self._picture = folder / 'curves.csv', folder / 'curves.png'
        self._rows: list[dict[str, float]] = []
        if self._table.is_file():
            with self._table.open(newline='') as file:
                rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
            self._rows = [row for row in rows if row['step'] <= step]

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """One row; a column may come later than others."""
        self._rows.append({'step': step, **values})

    def write(self) -> None:
        """Both files anew."""
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        partial = self._table.with_name(f'{self._table.name}.partial')
        with partial.open('w', newline='') as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(
                {name: f'{value:.8g}' for name, value in row.items()} for row in self._rows
            )
        partial.replace(self._table)
        if len(self._rows) > 1:
            self._draw([c for c in columns if c != 'step' and not c.startswith(HELD_OUT)])

    def _draw(self, names: list[str]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        across = min(4, len(names))
        down = math.ceil(len(names) / across)
        figure = Figure(figsize=(3.6 * across, 2.6 * down), layout='constrained')
        FigureCanvasAgg(figure)
        for number, name in enumerate(names, 1):
            axes = figure.add_subplot(down, across, number)
            axes.set_title(name, fontsize=9)
            for column, style in ((name, '-'), (HELD_OUT + name, 'o--')):
                points = [(row['step'], row[column]) for row in self._rows if column in row]
                if points:
                    label = 'held-out rooms' if column != name else 'training rooms'
                    axes.plot(*zip(*points, strict=True), style, label=label, lw=1, ms=3)
            axes.tick_params(labelsize=7)
            if number == 1:
                axes.legend(fontsize=7)
        figure.savefig(self._picture, dpi=90)
