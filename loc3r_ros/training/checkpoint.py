# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A run's checkpoint: all that the next step depends on, in one file, whole or not at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from loc3r_ros.errors import InputError

NAME = 'checkpoint.pt'


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a run stands.

    Attributes:
        step: optimizer steps done.
        recipe: what may not change when it goes on, as text.
        minutes: of training so far.
        weights, average: of the task and of its moving average, by name.
        optimizers: their states.
    """

    step: int
    recipe: str
    minutes: float
    weights: dict[str, Tensor]
    average: dict[str, Tensor]
    optimizers: list[dict[str, Any]]

    def save(self, folder: Path) -> None:
        """Replace the checkpoint in a folder, if this one can be written."""
        partial = folder / f'{NAME}.partial'
        with partial.open('wb') as file:
            torch.save(vars(self), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / NAME)

    @classmethod
    def load(cls, folder: Path) -> Checkpoint | None:
        """The checkpoint in a folder, on the CPU; None: there is none yet.

        Raises:
            InputError: it cannot be read.
        """
        path = folder / NAME
        if not path.is_file():
            return None
        try:
            # Tensors and numbers only: nothing in the file is executed.
            return cls(**torch.load(path, map_location='cpu', weights_only=True))
        except Exception as error:  # a damaged archive raises whatever it meets
            raise InputError(f'{path}: not a checkpoint, or a damaged one: {error}') from error

    def check(self, recipe: str) -> None:
        """Raises InputError where it belongs to another recipe."""
        if self.recipe != recipe:
            raise InputError(
                f'the checkpoint was begun with another recipe:\n  {self.recipe}\nthan asked '
                f'for:\n  {recipe}\nUse that one, or another folder'
            )

    @property
    def averaged(self) -> dict[str, Tensor]:
        """The task's weights as they are used: averaged, where an average was kept."""
        prefix = 'module.'
        kept = self.average.items()
        return {k.removeprefix(prefix): v for k, v in kept if k.startswith(prefix)} or self.weights
