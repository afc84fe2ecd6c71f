# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Reading any rosbag2, whole or not, without ROS."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rosbags.typesys.store import Typestore

from loc3r_ros.bag.closing import Closing
from loc3r_ros.bag.storage import (
    IndexedStorage,
    RawMessage,
    SalvagedSqlite,
    Storage,
    StreamedMcap,
    TopicInfo,
)
from loc3r_ros.bag.typestore import typestore_for
from loc3r_ros.errors import InputError

_log = logging.getLogger(__name__)

_FILES = ('.mcap', '.db3')
_ADVICE = 'give a rosbag2 directory, or an .mcap or .db3 file'


class BagReader(Closing):
    """The messages of a recording.

    Reads a rosbag2 directory (mcap, sqlite3, zstd of files or messages), one storage file, a
    directory without metadata.yaml, and damaged files up to the damage.

    Args:
        path: the directory or file.

    Attributes:
        topics: type, count and definition of each topic.

    Raises:
        InputError: nothing there, or nothing that can be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._found: list[str] = []
        if not self.path.exists():
            raise InputError(f'no recording at {self.path}; {_ADVICE}')
        self._storages = self._open()
        self.topics = _merge(self._storages)
        self._typestores: dict[str, Typestore] = {}
        for problem in self.problems:
            _log.warning('%s', problem)
        if not any(info.count for info in self.topics.values()):
            self.close()
            why = '; '.join(self.problems) or 'it holds no messages'
            raise InputError(f'nothing can be read from {self.path}: {why}')

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files, as far as has been read."""
        return self._found + [s.damage for s in self._storages if s.damage]

    def read(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """Serialised messages of these topics, by log time within each file."""
        for storage in self._storages:
            known = storage.damage
            yield from storage.read(topics)
            if storage.damage and not known:
                _log.warning('%s', storage.damage)

    def decode(self, raw: RawMessage) -> Any:
        """The message; its large arrays are views of `raw.data`.

        Raises:
            InputError: the data does not fit the type.
        """
        info = self.topics[raw.topic]
        store = self._typestores.get(info.type_name)
        if store is None:
            store = typestore_for({info.type_name: info.definition})
            self._typestores[info.type_name] = store
        try:
            return store.deserialize_cdr(memoryview(raw.data), info.type_name)
        except Exception as error:  # generated code: what it raises depends on where the data ends
            raise InputError(
                f'a message of {raw.topic} is no {info.type_name}: {type(error).__name__}: {error}'
            ) from error

    def close(self) -> None:
        """Close the files."""
        for storage in self._storages:
            storage.close()

    def _open(self) -> list[Storage]:
        if self.path.is_file():
            return [self._open_file(self.path)]
        if (self.path / 'metadata.yaml').exists():
            try:
                return [IndexedStorage(self.path)]
            except Exception as error:  # whatever it is, each file may still be whole
                self._found.append(f'{self.path.name}: {error}; its files are read one by one')
        else:
            self._found.append(f'{self.path.name}: no metadata.yaml; its files are read one by one')
        files = sorted(
            (p for p in self.path.iterdir() if p.suffix in _FILES),
            key=lambda p: [int(k) if k.isdigit() else k for k in re.split(r'(\d+)', p.name)],
        )
        if not files:
            why = '; '.join(self._found)
            raise InputError(f'no .mcap or .db3 file in {self.path} ({why}); {_ADVICE}')
        return [self._open_file(file) for file in files]

    def _open_file(self, path: Path) -> Storage:
        if path.suffix == '.bag':
            raise InputError(
                f'{path} looks like a ROS 1 bag; convert it: rosbags-convert --src {path} --dst ...'
            )
        if path.suffix not in _FILES:
            raise InputError(f'{path} is no recording that can be read; {_ADVICE}')
        unfinished = path.with_name(path.name + '-wal')
        if not (unfinished.exists() and unfinished.stat().st_size):
            try:
                whole = IndexedStorage(path)
            except Exception:  # not whole; what can be saved is saved below, and said
                pass
            else:
                if whole.has_index:
                    return whole
                whole.close()
        return StreamedMcap(path) if path.suffix == '.mcap' else SalvagedSqlite(path)


def _merge(storages: list[Storage]) -> dict[str, TopicInfo]:
    topics: dict[str, TopicInfo] = {}
    for storage in storages:
        for name, info in storage.topics.items():
            before = topics.get(name)
            count = before.count if before else 0
            topics[name] = replace(before or info, count=count + info.count)
    return topics
