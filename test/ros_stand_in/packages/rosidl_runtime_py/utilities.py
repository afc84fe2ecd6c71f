# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Interfaces by name."""

from __future__ import annotations

from typing import Any

from ros_stand_in.definitions import interfaces
from ros_stand_in.messages import interface


def get_message(identifier: str) -> Any:
    if identifier not in interfaces():
        raise ModuleNotFoundError(f'no interface {identifier}')
    return interface(identifier)
