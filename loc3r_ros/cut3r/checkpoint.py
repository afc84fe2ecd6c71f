# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Weights on disk: the published .pth files and safetensors files made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from loc3r_ros.cut3r.arguments import check_dims, config_of
from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.tensorfile import read_tensors, write_tensors
from loc3r_ros.cut3r.unpickle import model_text, read_pth
from loc3r_ros.errors import CheckpointError, Loc3rError

LICENCE_NOTE = 'CUT3R weights are licensed CC BY-NC-SA 4.0: non-commercial use only.'

_CONFIG_KEY = 'loc3r_cut3r_config'
_TWIN = re.compile(r'\.scratch\.layer_rn\.(\d)\.')


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a weights file holds.

    Attributes:
        config: dimensions of the model.
        tensors: weights by key, each once: the twin names of the DPT heads are left out.
    """

    config: Cut3rConfig
    tensors: dict[str, Tensor]


def read_checkpoint(path: Path | str) -> Checkpoint:
    """Read a .pth or .safetensors file, by its content and not by its name.

    Raises:
        CheckpointError: missing, damaged, hostile, or not CUT3R weights; the message says which.
    """
    path = Path(path)
    try:
        with path.open('rb') as file:
            start = file.read(64)
    except OSError as error:
        raise CheckpointError(f'{path}: cannot be opened: {error.strerror}') from error
    if start.startswith(b'version https://git-lfs'):
        raise CheckpointError(f'{path}: a Git LFS pointer, not the file; run `git lfs pull`')
    if start[:2] == b'PK' or start[:1] == b'\x80':
        return _from_pth(path)
    if start[8:9] == b'{':
        return _from_safetensors(path)
    raise CheckpointError(
        f'{path}: neither a PyTorch checkpoint nor safetensors (it starts with {start[:16]!r})'
    )


def load_checkpoint(path: Path | str) -> Cut3r:
    """The model of a weights file, in eval mode, float32, on the CPU.

    The weights are mapped from the file, not copied: keep it in place while the model lives.

    Raises:
        CheckpointError: as `read_checkpoint`; or keys or shapes do not fit the model.
    """
    checkpoint = read_checkpoint(path)
    model = build(checkpoint)
    model.trained = True
    return model


def build(checkpoint: Checkpoint) -> Cut3r:
    """A model on the very tensors of a checkpoint.

    Raises:
        CheckpointError: keys are missing or unexpected, or shapes differ; all are listed.
    """
    with torch.device('meta'):
        model = Cut3r(checkpoint.config)
    wanted = {key: value.shape for key, value in model.state_dict().items()}
    given = dict(checkpoint.tensors)
    given |= {key: given[twin] for key in wanted if (twin := _twin(key)) in given}
    complaints = [f'missing {key}' for key in sorted(wanted.keys() - given.keys())]
    complaints += [f'unexpected {key}' for key in sorted(given.keys() - wanted.keys())]
    complaints += [
        f'{key} has shape {tuple(given[key].shape)}, expected {tuple(wanted[key])}'
        for key in sorted(wanted.keys() & given.keys())
        if given[key].shape != wanted[key]
    ]
    if complaints:
        more = f'; and {len(complaints) - 20} more' if len(complaints) > 20 else ''
        raise CheckpointError(
            f'the weights do not fit the model: {"; ".join(complaints[:20])}{more}'
        )
    model.load_state_dict(given, assign=True)
    return model.eval()


def write_checkpoint(
    checkpoint: Checkpoint,
    path: Path,
    progress: Callable[[int], None] = lambda done: None,
    about: Mapping[str, str] | None = None,
) -> None:
    """Write weights as safetensors, with their dimensions as JSON in the header.

    Args:
        checkpoint: what is written.
        path: to where.
        progress: told the bytes written.
        about: what the header says besides; None: the licence of the published weights.

    Raises:
        InputError: the file cannot be written; an earlier one is left as it was.
    """
    about = {'licence': LICENCE_NOTE} if about is None else about
    metadata = {'format': 'pt', **about, _CONFIG_KEY: checkpoint.config.to_json()}
    write_tensors(path, dict(sorted(checkpoint.tensors.items())), metadata, progress)


def _from_pth(path: Path) -> Checkpoint:
    content = read_pth(path)
    weights = content.get('model')
    if not isinstance(weights, dict) or not weights:
        raise CheckpointError(
            f'{path}: has no weights under `model`; it holds {", ".join(map(str, content))[:200]}'
        )
    if all(str(key).startswith('module.') for key in weights):
        weights = {str(key).removeprefix('module.'): value for key, value in weights.items()}
    tensors = _each_once(path, weights)
    try:
        return Checkpoint(config_of(_shapes(tensors), model_text(content.get('args'))), tensors)
    except CheckpointError as error:
        raise CheckpointError(f'{path}: {error}') from error


def _from_safetensors(path: Path) -> Checkpoint:
    try:
        weights, metadata = read_tensors(path)
        tensors = _each_once(path, weights)
        if _CONFIG_KEY not in metadata:
            return Checkpoint(config_of(_shapes(tensors), None), tensors)
        config = Cut3rConfig.from_json(metadata[_CONFIG_KEY])
        check_dims(config, _shapes(tensors))
        return Checkpoint(config, tensors)
    except Loc3rError as error:
        raise CheckpointError(f'{path}: {str(error).removeprefix(f"{path}: ")}') from error


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in tensors.items()}


def _each_once(path: Path, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as float32 under one name each."""
    for key, value in weights.items():
        floats = isinstance(value, Tensor) and value.is_floating_point()
        if not isinstance(key, str) or not floats:
            raise CheckpointError(f'{path}: `{key}` is not a tensor of floats')
        twin = weights.get(_twin(key))
        if twin is not None and twin.data_ptr() != value.data_ptr() and not twin.equal(value):
            raise CheckpointError(f'{path}: `{key}` and `{_twin(key)}` differ; they are one tensor')
    return {key: value.float() for key, value in weights.items() if not _TWIN.search(key)}


def _twin(key: str) -> str:
    """The first name of a tensor that a DPT head lists twice; empty for any other."""
    if not _TWIN.search(key):
        return ''
    return _TWIN.sub(lambda m: f'.scratch.layer{int(m.group(1)) + 1}_rn.', key)
