# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Figures with their intervals, as Markdown and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any

from loc3r_ros.evaluation.bootstrap import Interval

Cell = Interval | float | int | None
"""A figure, with its interval if it has one; a count; None is left blank."""


@dataclass(frozen=True)
class Table:
    """Rows of figures.

    Attributes:
        title: what is shown.
        note: of how much, and how it is to be read.
        columns: their headings, units included.
        rows: by name, a cell for each column.
        digits: after the point.
    """

    title: str
    note: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[Cell, ...]]
    digits: int = 1

    def markdown(self) -> str:
        """The table below its heading."""
        lines = [('', *self.columns), *((n, *map(self._text, r)) for n, r in self.rows.items())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        head, *body = (
            ' | '.join(text.ljust(w) for text, w in zip(line, widths, strict=True))
            for line in lines
        )
        rule = ' | '.join('-' * w for w in widths)
        shown = '\n'.join(f'| {line} |' for line in (head, rule, *body))
        return f'## {self.title}\n\n{self.note}\n\n{shown}\n'

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`; what is not known, or infinite, is null."""
        return {
            'title': self.title,
            'note': self.note,
            'rows': {
                name: dict(zip(self.columns, map(_plain, cells), strict=True))
                for name, cells in self.rows.items()
            },
        }

    def _text(self, cell: Cell) -> str:
        if cell is None:
            return ''
        if isinstance(cell, int):
            return str(cell)
        if not isinstance(cell, Interval):
            return f'{cell:.{self.digits}f}'
        if isnan(cell.low):
            return f'{cell.value:.{self.digits}f}'
        value, low, high = (f'{x:.{self.digits}f}' for x in (cell.value, cell.low, cell.high))
        return f'{value} [{low}, {high}]'


def _plain(cell: Cell) -> dict[str, float | None] | float | None:
    if not isinstance(cell, Interval):
        return _number(cell)
    return {name: _number(value) for name, value in vars(cell).items()}


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
