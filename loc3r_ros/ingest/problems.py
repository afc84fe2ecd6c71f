# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is wrong with a recording: said once, counted, and kept for the summary."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)


class Problems:
    """Collects problems by kind; the first of a kind is logged and its text is kept."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def note(self, kind: str, text: str) -> None:
        """Count one more problem of a kind."""
        if kind not in self._texts:
            self._texts[kind] = text
            _log.warning('%s', text)
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def texts(self) -> list[str]:
        """One short line a kind, with how often it came up."""
        return [
            text if self._counts[kind] == 1 else f'{text} ({self._counts[kind]} times)'
            for kind, text in self._texts.items()
        ]
