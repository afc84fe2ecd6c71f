# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Quality of service: profiles, and which of them match."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class QoSPolicyKind(IntEnum):
    """Names of policies in events."""

    INVALID = 1
    DURABILITY = 2
    DEADLINE = 4
    LIVELINESS = 8
    RELIABILITY = 16


class HistoryPolicy(IntEnum):
    """How many messages a queue keeps."""

    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2
    UNKNOWN = 3


class ReliabilityPolicy(IntEnum):
    """Whether messages may be lost."""

    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2
    UNKNOWN = 3


class DurabilityPolicy(IntEnum):
    """Whether who joins late gets the last messages."""

    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2
    UNKNOWN = 3


class InvalidQoSProfileException(Exception):  # noqa: N818
    """A profile without depth."""


class QoSProfile:
    """The policies of a publisher or subscription."""

    _DEFAULTS = {  # noqa: RUF012
        'history': HistoryPolicy.KEEP_LAST,
        'depth': 10,
        'reliability': ReliabilityPolicy.RELIABLE,
        'durability': DurabilityPolicy.VOLATILE,
    }
    history: HistoryPolicy
    depth: int
    reliability: ReliabilityPolicy
    durability: DurabilityPolicy

    def __init__(self, **policies: Any) -> None:
        assert policies.keys() <= self._DEFAULTS.keys(), f'Invalid arguments: {sorted(policies)}'
        if 'depth' not in policies and policies.get('history') in (None, HistoryPolicy.KEEP_LAST):
            raise InvalidQoSProfileException('History and/or depth settings are required.')
        for name, default in self._DEFAULTS.items():
            value = policies.get(name, default)
            if isinstance(default, IntEnum):
                value = type(default)(value)
            assert isinstance(value, type(default)), f'{name} must be a {type(default).__name__}'
            setattr(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QoSProfile) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f'QoSProfile({", ".join(f"{n}={v!r}" for n, v in vars(self).items())})'

    @property
    def _queue_length(self) -> int | None:
        return None if self.history == HistoryPolicy.KEEP_ALL else max(self.depth, 1)

    @property
    def _latched(self) -> bool:
        return self.durability == DurabilityPolicy.TRANSIENT_LOCAL


qos_profile_sensor_data = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


def _mismatch(offered: QoSProfile, requested: QoSProfile) -> QoSPolicyKind | None:
    """The policy in which a subscription asks for more than a publisher offers."""
    if (
        requested.reliability == ReliabilityPolicy.RELIABLE
        and offered.reliability == ReliabilityPolicy.BEST_EFFORT
    ):
        return QoSPolicyKind.RELIABILITY
    if requested._latched and not offered._latched:
        return QoSPolicyKind.DURABILITY
    return None
