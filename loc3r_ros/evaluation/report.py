# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""All figures of an examination together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.answer_tables import situated_table, video_table
from loc3r_ros.evaluation.episode import Episode
from loc3r_ros.evaluation.place_tables import calibration_table, localization_table
from loc3r_ros.evaluation.table import Table
from loc3r_ros.evaluation.video_tasks import VSI_BENCH, VSTI_BENCH

READING = 'Figures are followed by their 95 % interval: scenes are drawn anew, 1000 times.'


@dataclass(frozen=True)
class Report:
    """Tables, and what they are about.

    Attributes:
        about: names and values that stand above the tables.
        tables: in their order.
    """

    about: Mapping[str, str]
    tables: tuple[Table, ...]

    def markdown(self) -> str:
        """As a page."""
        about = '\n'.join(f'- {name}: {value}' for name, value in self.about.items())
        shown = '\n'.join(table.markdown() for table in self.tables)
        return f'# Evaluation\n\n{about}\n\n{READING}\n\n{shown}'

    def to_json(self) -> str:
        """As a JSON document: `tables[i].rows[name][column]`."""
        tables = [table.to_json() for table in self.tables]
        return json.dumps({'about': dict(self.about), 'tables': tables}, indent=2)

    def write(self, folder: Path) -> None:
        """Write `report.md` and `report.json`.

        Raises:
            InputError: the folder cannot be written.
        """
        try:
            (folder / 'report.md').write_text(self.markdown())
            (folder / 'report.json').write_text(f'{self.to_json()}\n')
        except OSError as error:
            raise InputError(f'cannot write to {folder}: {error.strerror}') from error


def tables_of(episodes: Sequence[Episode], frequent: Mapping[str, str]) -> tuple[Table, ...]:
    """Tables of all that was asked.

    Args:
        episodes: one of a scene.
        frequent: of `frequency.learn_frequent`.
    """
    placed = any(episode.places for episode in episodes)
    found = (
        localization_table(episodes) if placed else None,
        calibration_table(episodes) if placed else None,
        video_table(VSI_BENCH, episodes, frequent),
        video_table(VSTI_BENCH, episodes, frequent),
        situated_table(episodes, frequent),
    )
    return tuple(table for table in found if table)
