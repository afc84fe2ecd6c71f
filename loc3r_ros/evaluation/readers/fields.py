# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Checked access to a JSON file: whatever is wrong is told by file and field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NoReturn

from loc3r_ros.errors import InputError


@dataclass(frozen=True)
class Field:
    """A value of a JSON file, and where it stands.

    Attributes:
        file: the file, with the line where there is one record to a line.
        name: path of the field, such as `questions[3].situation`; empty for the whole.
        value: as parsed.
    """

    file: str
    name: str
    value: object

    def __getitem__(self, key: str) -> Field:
        if not isinstance(self.value, dict):
            self.fail('an object')
        name = f'{self.name}.{key}' if self.name else key
        if key not in self.value:
            raise InputError(f'{self.file}: {name} is missing; there are {_keys(self.value)}')
        return Field(self.file, name, self.value[key])

    def __iter__(self) -> Iterator[Field]:
        if not isinstance(self.value, list):
            self.fail('a list')
        for i, value in enumerate(self.value):
            yield Field(self.file, f'{self.name}[{i}]', value)

    def text(self) -> str:
        return self.value if isinstance(self.value, str) else self.fail('text')

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self)

    def integer(self) -> int:
        good = isinstance(self.value, int) and not isinstance(self.value, bool)
        return self.value if good else self.fail('a whole number')  # type: ignore[return-value]

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            self.fail('a number')
        if not isfinite(self.value):
            self.fail('a finite number')
        return float(self.value)

    def fail(self, expected: str) -> NoReturn:
        """Raise InputError: this field should be `expected`."""
        shown = repr(self.value)
        shown = shown if len(shown) <= 60 else shown[:57] + '...'
        raise InputError(f'{self.file}: {self.name or "the file"} must be {expected}, got {shown}')


def read_json(path: Path) -> Field:
    """A JSON file.

    Raises:
        InputError: it cannot be read, or is not JSON.
    """
    return _parse(str(path), _text_of(path))


def read_json_lines(path: Path) -> list[Field]:
    """The records of a file that has one to a line.

    Raises:
        InputError: it cannot be read, or a line is not JSON.
    """
    lines = enumerate(_text_of(path).splitlines(), start=1)
    return [_parse(f'{path}, line {n}', line) for n, line in lines if line.strip()]


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'{path} cannot be read as text: {error}') from error


def _parse(file: str, text: str) -> Field:
    try:
        return Field(file, '', json.loads(text))
    except (ValueError, RecursionError) as error:
        raise InputError(f'{file} is not JSON ({error}); fetch the file again') from error


def _keys(value: dict[str, object]) -> str:
    return ', '.join(list(value)[:12]) or 'no fields'
