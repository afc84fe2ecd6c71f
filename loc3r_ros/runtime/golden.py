# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Recurrent steps with the float32 outputs that they must give; a safetensors file of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from loc3r_ros.errors import InputError
from loc3r_ros.runtime.session import Arrays


@dataclass(frozen=True, eq=False)
class Golden:
    """What a session must give; T steps, taken in float32 by eager PyTorch.

    Attributes:
        initial: the state before the first step.
        inputs: (T, *shape) of each input.
        outputs: (n, *shape) of each output, of the last n steps: all T of a small one, fewer of a
            large one.
        final: the state after the last step.
        forgetful: the outputs (*shape) of the last step, if it is taken from the initial state; far
            from what a session gives that carries its state.
    """

    initial: Arrays
    inputs: Arrays
    outputs: Arrays
    final: Arrays
    forgetful: Arrays

    @property
    def steps(self) -> int:
        """T."""
        return len(next(iter(self.inputs.values())))

    def step(self, index: int) -> Arrays:
        """The inputs of a step."""
        return {name: rows[index] for name, rows in self.inputs.items()}

    def expected(self, index: int) -> Arrays:
        """The outputs of a step, as far as they are kept."""
        first = {name: self.steps - len(rows) for name, rows in self.outputs.items()}
        return {
            name: rows[index - first[name]]
            for name, rows in self.outputs.items()
            if index >= first[name]
        }

    def write(self, path: Path) -> None:
        """Write the file."""
        save_file(
            {
                # safetensors writes the memory of an array as it lies.
                f'{group}/{name}': np.ascontiguousarray(array)
                for group in _GROUPS
                for name, array in getattr(self, group).items()
            },
            path,
        )

    @classmethod
    def read(cls, path: Path) -> Golden:
        """Read what `write` wrote.

        Raises:
            InputError: missing, damaged, or another kind of file.
        """
        try:
            groups: dict[str, Arrays] = {group: {} for group in _GROUPS}
            for key, array in load_file(path).items():
                group, name = key.split('/')
                groups[group][name] = array
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise InputError(f'{path}: not golden steps ({error}); export them again') from error
        if not all(groups.values()):
            raise InputError(f'{path}: not golden steps: some are missing; export them again')
        return cls(**groups)


_GROUPS = ('initial', 'inputs', 'outputs', 'final', 'forgetful')
