# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Results on disk, line by line: what was interrupted goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from loc3r_ros.errors import InputError


class Record(Protocol):
    """A result about one scene."""

    @property
    def seed(self) -> int:
        """Of the scene."""

    def to_json(self) -> str:
        """One line."""


R = TypeVar('R', bound=Record)


class Journal(Generic[R]):
    """Results of one subject in a file, each whole or not at all.

    Args:
        path: the file; made where it is missing.
        about: what is examined and how; a file about anything else is refused.
        read: a result from its line.

    Attributes:
        records: what is written down, by the seed of its scene.

    Raises:
        InputError: the file is about something else, is damaged, or cannot be written.
    """

    def __init__(self, path: Path, about: Mapping[str, str], read: Callable[[str], R]) -> None:
        self.path = path
        self.records: dict[int, R] = {}
        heading = json.dumps(about, sort_keys=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text() if path.exists() else ''
            # Whoever was killed while writing leaves half a line.
            whole = text[: text.rfind('\n') + 1]
            first, *rest = whole.splitlines() or [heading]
            if first != heading:
                raise InputError(
                    f'{path} holds results of {first}, and these would be of {heading}: name '
                    'another folder, or remove that file'
                )
            if not whole:
                path.write_text(f'{heading}\n')
            elif whole != text:
                os.truncate(path, len(whole.encode()))
        except OSError as error:
            raise InputError(f'cannot write to {path}: {error.strerror}') from error
        for line in rest:
            record = read(line)
            self.records[record.seed] = record

    def add(self, record: R) -> None:
        """Write one down."""
        with self.path.open('a') as file:
            file.write(f'{record.to_json()}\n')
        self.records[record.seed] = record
