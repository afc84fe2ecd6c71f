# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Read a training checkpoint (.pth) without running anything that it holds.

The pickle inside is first listed, not run: names of classes outside a short list of harmless ones
refuse the file. Then PyTorch's weights-only reader loads it, and every harmless class that is not a
tensor (training arguments, file paths, numbers) is stood in for by an inert shell of ours.
"""

from __future__ import annotations

import pickletools
import re
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from loc3r_ros.errors import CheckpointError

_TENSORS = re.compile(
    r'torch(\.storage)?\.\w+Storage|torch\._utils\._rebuild_(tensor_v2|parameter)|torch\.Size'
    r'|torch\.(float|bfloat|double|half|int|long|u?int)\d*|torch\.device'
    r'|collections\.OrderedDict|torch\.serialization\._get_layout'
)
_INERT = re.compile(
    r'omegaconf(\.\w+)+|argparse\.Namespace|typing\.\w+|pathlib(\._local)?\.\w*Path'
    r'|collections\.defaultdict|_codecs\.encode'
    r'|builtins\.(dict|list|tuple|set|int|float|complex|str|bytes|bool)'
    r'|numpy\.dtype|numpy\.(core|_core)\.multiarray\.scalar'
)
_MAX_PICKLE = 64 * 2**20


class _Shell:
    """Stands in for an object of a foreign class: keeps its state, does nothing."""

    state: object = None

    def __new__(cls, *args: object) -> Any:
        # Entries are set on a default dict after it is made, which only a true dict allows.
        return {} if cls.__qualname__ == 'defaultdict' else super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        self.state = state


def read_pth(path: Path) -> dict[str, Any]:
    """The dictionary in a checkpoint; foreign objects in it are shells.

    Raises:
        CheckpointError: damaged, of an old format, or it names a class that is not harmless.
    """
    names = set(_globals(_pickle_of(path)))
    hostile = sorted(n for n in names if not (_TENSORS.fullmatch(n) or _INERT.fullmatch(n)))
    if hostile:
        raise CheckpointError(
            f'{path}: refused, its pickle names {", ".join(hostile[:5])}. Weights need tensors and '
            'plain training arguments only; anything else could run code. Do not use this file'
        )
    shells: list[Any] = [_shell(name) for name in sorted(names) if _INERT.fullmatch(name)]
    try:
        with torch.serialization.safe_globals(shells):
            content = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    # Whatever a damaged file makes the reader raise is the file's fault.
    except Exception as error:
        # PyTorch's own message begins by saying how to load the file unsafely.
        told = str(error).rpartition('WeightsUnpickler error: ')[2].strip().splitlines()
        reason = told[0] if told else type(error).__name__
        raise CheckpointError(
            f'{path}: cannot be read as a PyTorch checkpoint: {reason}'
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f'{path}: holds a {type(content).__name__}; expected a dictionary with `model`'
        )
    return content


def model_text(args: object) -> str | None:
    """`args.model` of the training arguments, whichever way they were kept."""
    fields = args.state if isinstance(args, _Shell) else args
    for name in ('_content', 'model', '_val'):
        # An OmegaConf node has its entries under `_content` and its value under `_val`.
        if isinstance(fields, dict) and name in fields:
            fields = fields[name].state if isinstance(fields[name], _Shell) else fields[name]
    return fields if isinstance(fields, str) else None


def _shell(name: str) -> type:
    module, _, qualname = name.rpartition('.')
    return type(qualname, (_Shell,), {'__module__': module, '__qualname__': qualname})


def _pickle_of(path: Path) -> bytes:
    """The pickle of a zip-format checkpoint; tensors lie beside it."""
    with path.open('rb') as file:
        start = file.read(4)
    if start[:1] == b'\x80':
        data = path.read_bytes()[:_MAX_PICKLE]
        names = sorted({n for n in _globals(data) if not _TENSORS.fullmatch(n)})
        raise CheckpointError(
            f'{path}: refused, it is a bare pickle or a PyTorch file from before 1.6'
            f'{" that names " + ", ".join(names[:5]) if names else ""}; '
            'ask its author for one saved with a current torch.save, or for safetensors'
        )
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [info for info in archive.infolist() if info.filename.endswith('/data.pkl')]
            if len(inside) != 1:
                raise CheckpointError(f'{path}: a zip file, but not one that torch.save wrote')
            if inside[0].file_size > _MAX_PICKLE:
                raise CheckpointError(f'{path}: its pickle is larger than any checkpoint needs')
            return archive.read(inside[0])
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise CheckpointError(f'{path}: damaged or truncated ({error}); fetch it again') from error


def _globals(data: bytes) -> Iterator[str]:
    """Every `module.name` that a pickle would import. Nothing is run."""
    memo: dict[object, str] = {}
    pushed = deque([''], maxlen=2)
    try:
        for code, argument, _ in pickletools.genops(data):
            if code.name == 'MEMOIZE' or code.name.endswith('PUT'):
                memo[len(memo) if argument is None else argument] = pushed[-1]
                continue
            if code.name in ('GLOBAL', 'INST'):
                yield _modern(*str(argument).split(' ', 1))
            elif code.name == 'STACK_GLOBAL':
                yield _modern(*pushed)
            elif code.name.startswith('EXT'):
                yield f'the registered extension {argument}'
            string = memo.get(argument, '') if code.name.endswith('GET') else argument
            pushed.append(string if isinstance(string, str) else '')
    except ValueError:
        return  # The rest is not a pickle; the reader will say so.


def _modern(module: str = '', name: str = '') -> str:
    """The Python 3 name of a global, which torch.save stores under its Python 2 name."""
    modern = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return '.'.join(modern)
