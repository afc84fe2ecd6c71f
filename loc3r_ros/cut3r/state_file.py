# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The state of an encoder on disk, whatever backend it comes from and goes to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array
from loc3r_ros.runtime.session import Arrays

_KIND = 'loc3r_cut3r_state'
_FORMAT = f'{_KIND}_3'
_NUMBERS = ('epoch', 'index', 'age', 'width', 'height')


@dataclass(frozen=True, eq=False)
class SavedState:
    """A state and where in its life it is.

    Attributes:
        model: fingerprint of the weights.
        update_rule: by which it came about.
        epoch, index: of the next frame.
        age: images that this life of the state has taken up; see `PoseEncoder`, restart_every.
        taken: stamp of the last of them, s; -inf before the first.
        width, height: of the network's input; 0 before the first frame.
        T_world_life: (4, 4) pose of that life's first camera in the world of the epoch.
        arrays: the state itself, float32.
    """

    model: str
    update_rule: str
    epoch: int
    index: int
    age: int
    taken: float
    width: int
    height: int
    T_world_life: Array
    arrays: Arrays

    def write(self, path: Path) -> None:
        """Write it whole or not at all.

        Raises:
            InputError: the file cannot be written; an earlier one is left as it was.
        """
        names = [f.name for f in fields(self) if f.name not in ('arrays', 'T_world_life')]
        about = {name: str(getattr(self, name)) for name in names}
        about['T_world_life'] = json.dumps(self.T_world_life.tolist())
        partial = path.with_name(f'{path.name}.{os.getpid()}.partial')
        try:
            save_file(self.arrays, partial, {'format': _FORMAT, **about})
            partial.replace(path)
        except (OSError, SafetensorError) as error:
            raise InputError(f'cannot write {path}: {error}; nothing was changed') from error
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path) -> SavedState:
        """Read what `write` wrote.

        Raises:
            InputError: missing, truncated, damaged, or another kind of file.
        """
        try:
            with safe_open(path, framework='numpy') as file:
                about = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise InputError(f'{path}: not a whole safetensors file ({error})') from error
        kind = about.pop('format', '')
        if kind != _FORMAT:
            if kind.startswith(_KIND):
                raise InputError(
                    f'{path}: of another version ({kind}, this one reads {_FORMAT}); '
                    'begin without it'
                )
            raise InputError(f'{path}: not a CUT3R state; give a file that save_state wrote')
        try:
            numbers = {name: int(about.pop(name)) for name in _NUMBERS}
            T = np.array(json.loads(about.pop('T_world_life')), np.float64).reshape(4, 4)
            taken = float(about.pop('taken'))
            return cls(**about, **numbers, taken=taken, T_world_life=T, arrays=arrays)  # type: ignore[arg-type]
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f'{path}: a damaged CUT3R state: {error!r}') from error
