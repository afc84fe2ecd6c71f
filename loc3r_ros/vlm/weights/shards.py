# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""safetensors in one file or in shards with an index: headers first, tensors when asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from loc3r_ros.errors import CheckpointError

SINGLE = 'model.safetensors'
INDEX = f'{SINGLE}.index.json'
AGAIN = 'run the same `loc3r weights fetch` again, or copy the file again'


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies, and what its file's header says of it."""

    path: Path
    key: str
    shape: tuple[int, ...]
    dtype: str


def read_headers(folder: Path) -> dict[str, Stored]:
    """Every tensor of a folder by its key, without reading any.

    Raises:
        CheckpointError: no weights here, a shard is missing or cut short, or the index and the
            shards do not agree.
    """
    if not (folder / INDEX).is_file():
        if not (folder / SINGLE).is_file():
            raise CheckpointError(_none_here(folder))
        return _header(folder / SINGLE)
    listed = _index(folder / INDEX)
    shards = {}
    for name in sorted(set(listed.values())):
        if not (folder / name).is_file():
            raise CheckpointError(f'{folder / name}: this shard is missing; {AGAIN}')
        shards[name] = _header(folder / name)
    found = {key: stored for shard in shards.values() for key, stored in shard.items()}
    for key, name in listed.items():
        if key not in shards[name]:
            raise CheckpointError(
                f'{folder / INDEX}: lists {key} in {name}, which does not hold it: files of two '
                f'versions are mixed; {AGAIN}'
            )
        found[key] = shards[name][key]
    return found


def read_tensors(stored: Mapping[str, Stored]) -> Iterator[tuple[str, Tensor]]:
    """Tensors on the CPU, one at a time and shard by shard, mapped from their file.

    Args:
        stored: by whatever name the caller knows each.

    Raises:
        CheckpointError: a file has changed since its header was read.
    """

    def place(item: tuple[str, Stored]) -> str:
        return str(item[1].path)

    for path, items in groupby(sorted(stored.items(), key=place), key=place):
        yield from _from_file(Path(path), items)


def _from_file(path: Path, items: Iterable[tuple[str, Stored]]) -> Iterator[tuple[str, Tensor]]:
    try:
        with safe_open(path, framework='pt') as file:
            for name, stored in items:
                yield name, file.get_tensor(stored.key)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f'{path}: {error}; {AGAIN}') from error


def _header(path: Path) -> dict[str, Stored]:
    with path.open('rb') as file:
        if file.read(23) == b'version https://git-lfs':
            raise CheckpointError(f'{path}: a Git LFS pointer, not the file; run `git lfs pull`')
    try:
        with safe_open(path, framework='pt') as file:
            keys = file.keys()
            slices = {key: file.get_slice(key) for key in keys}
            return {
                key: Stored(path, key, tuple(part.get_shape()), part.get_dtype())
                for key, part in slices.items()
            }
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f'{path}: cut short, or not safetensors at all ({error}); {AGAIN}'
        ) from error


def _index(path: Path) -> dict[str, str]:
    listed = read_json(path).get('weight_map')
    if not isinstance(listed, dict) or not listed:
        raise CheckpointError(f'{path}: has no `weight_map`; {AGAIN}')
    for name in listed.values():
        if not isinstance(name, str) or Path(name).name != name:
            raise CheckpointError(f'{path}: {name!r} is not the name of a file beside it')
    return listed


def read_json(path: Path) -> dict[str, Any]:
    """An object from a JSON file.

    Raises:
        CheckpointError: missing, or not that.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise CheckpointError(f'{path}: {error.strerror}; {AGAIN}') from error
    except ValueError as error:
        raise CheckpointError(f'{path}: not JSON ({error}); {AGAIN}') from error
    if not isinstance(content, dict):
        raise CheckpointError(f'{path}: holds no JSON object; {AGAIN}')
    return content


def _none_here(folder: Path) -> str:
    if not folder.is_dir():
        return f'{folder}: no such folder; `loc3r weights list` says what can be fetched'
    if (folder / 'adapter_config.json').is_file():
        return f'{folder}: an adapter, not whole weights; merge it into its base model first'
    pickles = sorted(p.name for p in folder.iterdir() if p.suffix in ('.bin', '.pt', '.pth'))
    if pickles:
        return (
            f'{folder}: holds {pickles[0]}, a pickle, which is never read; make safetensors of it '
            'with the tools of whoever published it'
        )
    return f'{folder}: neither {SINGLE} nor {INDEX} is here; {AGAIN}'
