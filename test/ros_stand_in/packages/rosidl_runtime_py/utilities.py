"""Interfaces by name."""

from __future__ import annotations

from typing import Any

from ros_stand_in.definitions import interfaces
from ros_stand_in.messages import interface


def _get(kind: str, identifier: str) -> Any:
    package, *_, name = identifier.split('/')
    full = f'{package}/{kind}/{name}'
    if full not in interfaces():
        raise ModuleNotFoundError(f'No interface named {full}')
    return interface(full)


def get_message(identifier: str) -> Any:
    return _get('msg', identifier)


def get_service(identifier: str) -> Any:
    return _get('srv', identifier)


def get_action(identifier: str) -> Any:
    return _get('action', identifier)
