# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The state of an encoder on disk, whatever backend it comes from and goes to."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from loc3r_ros.errors import InputError
from loc3r_ros.runtime.session import Arrays

_FORMAT = 'loc3r_cut3r_state_1'


@dataclass(frozen=True, eq=False)
class SavedState:
    """A state and where in its life it is.

    Attributes:
        model: fingerprint of the weights.
        update_rule: by which it came about.
        epoch, index: of the next frame.
        width, height: of the network's input; 0 before the first frame.
        arrays: the state itself, float32.
    """

    model: str
    update_rule: str
    epoch: int
    index: int
    width: int
    height: int
    arrays: Arrays

    def write(self, path: Path) -> None:
        """Write it whole or not at all.

        Raises:
            InputError: the file cannot be written; an earlier one is left as it was.
        """
        names = [f.name for f in fields(self) if f.name != 'arrays']
        about = {name: str(getattr(self, name)) for name in names}
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
        if about.pop('format', '') != _FORMAT:
            raise InputError(f'{path}: not a CUT3R state; give a file that save_state wrote')
        try:
            numbers = {name: int(about.pop(name)) for name in ('epoch', 'index', 'width', 'height')}
            return cls(**about, **numbers, arrays=arrays)  # type: ignore[arg-type]
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f'{path}: a damaged CUT3R state: {error!r}') from error
