# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a run trains: a module that gives losses, and examples that follow from their number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

HELD_OUT_ROOMS = 24
"""Rooms that a run looks at to see how it does elsewhere."""

Batch = dict[str, Any]
"""What worker processes hand over: tensors by name, or lists of what cannot be stacked."""


class Examples(Protocol):
    """Examples, made in worker processes.

    Each is a pure function of its number: a run that was killed goes on with the very examples it
    would have seen.
    """

    def at(self, step: int, slot: int) -> Batch:
        """Example `slot` of the batch of optimizer step `step`."""

    def held_out(self, slot: int) -> Batch:
        """An example from rooms that are never trained on; the same at every check."""

    def collate(self, examples: list[Batch]) -> Batch:
        """One batch of them."""


class Task(nn.Module, ABC):
    """What is learnt. Its parameters that require a gradient are trained.

    Attributes:
        label: what is trained, with all that sets it apart from others of its kind; a checkpoint
            of another label is refused.
        examples: picklable, since worker processes are started anew.
    """

    label: str
    examples: Examples

    @abstractmethod
    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Scalar losses by name; 'total' is made smaller, the others are written down."""

    @abstractmethod
    def export(self, folder: Path, about: Mapping[str, str]) -> None:
        """Write the weights as they will be used, with what is to be said of their training."""
