# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is closed when its `with` block ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

T = TypeVar('T', bound='Closing')


class Closing(ABC):
    """Base of what holds files; a subclass says how to close."""

    @abstractmethod
    def close(self) -> None:
        """Close the files."""

    def __enter__(self: T) -> T:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
