# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""One row of the doctor's table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Use = Literal['recordings', 'nodes']
State = Literal['ok', 'missing', 'broken']

RECORDINGS: Use = 'recordings'
NODES: Use = 'nodes'
USES: tuple[Use, ...] = (RECORDINGS, NODES)
"""`loc3r run` on recordings, and the ROS 2 nodes."""


@dataclass(frozen=True)
class Finding:
    """What was found under one name.

    Attributes:
        group: heading under which it stands.
        state: `ok`, `missing`, or `broken`: there, but it cannot be used.
        what: version and particulars, or why it cannot be used.
        purpose: what it is needed for.
        remedy: the line to type, or where to read on; empty where there is nothing to do.
        required_for: the uses that do not work without it.
    """

    group: str
    name: str
    state: State
    what: str
    purpose: str
    remedy: str = ''
    required_for: tuple[Use, ...] = ()


def ready(findings: Iterable[Finding], use: Use) -> bool:
    """Whether everything that `use` requires is there and works."""
    return all(f.state == 'ok' for f in findings if use in f.required_for)
