# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a load did with every tensor: nothing is matched, missing or left over in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.vlm.weights.roles import ROLES

LISTED = 12
"""Most names that a message lists."""


@dataclass(frozen=True)
class LoadReport:
    """The balance of a load.

    Attributes:
        folder: where the weights lie.
        layout: whose names they have.
        matched: keys in the files by the model's own.
        missing: the model's keys that no file holds, each of them allowed.
        unexpected: keys in the files that the model lacks, each of them allowed.
        unused: reasons by key in the files that are known and not needed.
        precision: as loaded: fp32, bf16, fp16, int8 or int4.
        fingerprint: of dimensions and weights as they are in the files: the same in each layout
            and at each precision.
        training: how the weights were trained, in words; empty where nobody says so: then they
            may be random.
    """

    folder: Path
    layout: str
    matched: Mapping[str, str]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    unused: Mapping[str, str]
    precision: str
    fingerprint: str
    training: str = ''

    @property
    def takes_camera_tokens(self) -> bool:
        return not self._lacks('camera_projector')

    @property
    def can_localize(self) -> bool:
        return not (self._lacks('position_head') or self._lacks('orientation_head'))

    def _lacks(self, role: str) -> bool:
        return any(key.startswith(f'{role}.') for key in self.missing)

    def __str__(self) -> str:
        lines = [
            f'{self.folder}: {self.layout}, {self.precision}, fingerprint {self.fingerprint}',
            f'training    {self.training or "nobody says: these may be random"}',
            f'matched     {len(self.matched)}',
        ]
        lines += [f'            {role} is {found}' for role, found in _renamed(self.matched)]
        lines += [
            f'missing     {listed(self.missing)}',
            f'unexpected  {listed(self.unexpected)}',
        ]
        reasons = Counter(self.unused.values())
        lines += [f'not needed  {count}: {reason}' for reason, count in reasons.items()]
        return '\n'.join(lines)


def listed(names: Iterable[str]) -> str:
    """`3: a, b, c`, cut after some."""
    names = list(names)
    more = f' and {len(names) - LISTED} more' if len(names) > LISTED else ''
    return f'{len(names)}{": " if names else ""}{", ".join(names[:LISTED])}{more}'


def _renamed(matched: Mapping[str, str]) -> list[tuple[str, str]]:
    """Loc3R's parts that were found under other names: conclusions to be looked at."""
    found = []
    for role in ROLES:
        keys = sorted(key for key in matched if key.startswith(f'{role}.'))
        layers = dict.fromkeys(matched[key].rpartition('.')[0] for key in keys)
        if any(matched[key] != key for key in keys):
            found.append((role, ', '.join(layers)))
    return found
