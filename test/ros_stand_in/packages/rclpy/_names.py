# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Names of nodes, topics and services: which are allowed, what they expand to."""

from __future__ import annotations

import re

from rclpy.exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidServiceNameException,
    InvalidTopicNameException,
)

_TOKEN = '[A-Za-z_][A-Za-z0-9_]*'


def check_node_name(name: str) -> None:
    if not re.fullmatch(_TOKEN, name):
        raise InvalidNodeNameException(f'Invalid node name: {name!r}')


def full_namespace(namespace: str) -> str:
    """With the leading slash."""
    namespace = '/' + namespace.strip('/')
    if namespace != '/' and not re.fullmatch(f'(/{_TOKEN})+', namespace):
        raise InvalidNamespaceException(f'Invalid namespace: {namespace!r}')
    return namespace


def expand(name: str, node_name: str, namespace: str, *, is_service: bool = False) -> str:
    """The absolute name of a relative, private (`~/x`) or absolute one."""
    if not re.fullmatch(f'~|(~/|/)?{_TOKEN}(/{_TOKEN})*', name):
        kind = InvalidServiceNameException if is_service else InvalidTopicNameException
        raise kind(f'Invalid {"service" if is_service else "topic"} name: {name!r}')
    base = namespace.rstrip('/')
    if name.startswith('~'):
        return f'{base}/{node_name}{name[1:]}'
    return name if name.startswith('/') else f'{base}/{name}'
