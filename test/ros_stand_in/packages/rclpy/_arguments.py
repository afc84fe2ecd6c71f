# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`--ros-args`: remappings, parameters and the log level from a command line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MantissaNoDotYAML1_1Warning


def _yaml(text: str) -> Any:
    """As rcl reads it: YAML 1.1, where `y` and `no` are booleans."""
    reader = YAML(typ='safe', pure=True)
    reader.version = (1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', MantissaNoDotYAML1_1Warning)  # 1e-3 is a number to rcl too
        return reader.load(text)


class RosArguments:
    """What the command line says to nodes."""

    def __init__(self, args: Sequence[str] = ()) -> None:
        self.remaps: list[tuple[str, str, str]] = []  # node ('' for any), from, to
        self._parameters: list[tuple[str, str, Any]] = []  # node ('' for any), name, value
        self.log_levels: list[tuple[str, str]] = []  # logger ('' for all), level
        words = iter(args)
        for word in words:
            if word == '--ros-args':
                self._read(words)
            elif ':=' in word:
                raise ValueError(f'{word!r} stands before --ros-args')

    def _read(self, words: Iterator[str]) -> None:
        for word in words:
            if word == '--':
                return
            if word in ('-r', '--remap'):
                source, _, to = next(words).partition(':=')
                node, _, source = source.rpartition(':')
                self.remaps.append((node, source, to))
            elif word in ('-p', '--param'):
                name, _, value = next(words).partition(':=')
                node, _, name = name.rpartition(':')
                self._parameters.append((node, name, _yaml(value)))
            elif word == '--params-file':
                self._read_parameters(_yaml(Path(next(words)).read_text()), '')
            elif word == '--log-level':
                logger, _, level = next(words).rpartition(':=')
                self.log_levels.append((logger, level))
            else:
                raise ValueError(f'the stand-in does not know the ROS argument {word!r}')

    def _read_parameters(self, tree: dict[str, Any], prefix: str) -> None:
        for key, value in tree.items():
            if key == 'ros__parameters':
                self._parameters += [(prefix, name, v) for name, v in _flatten(value, '')]
            else:
                name = key.strip('/')
                self._read_parameters(value, f'{prefix}/{name}' if name else prefix)

    def parameters(self, node_name: str, namespace: str) -> dict[str, Any]:
        """Overrides for a node; what is said last wins."""
        path = f'{namespace.rstrip("/")}/{node_name}'
        return {
            name: None if value == [] else value  # an empty list has no type: not set
            for node, name, value in self._parameters
            if node in ('', node_name, path) or _matches(node, path)
        }


def _matches(pattern: str, path: str) -> bool:
    """Whether a key of a parameter file, `/**` or `/ns/**/node` or `/*/node`, means a node."""
    want, have = pattern.strip('/').split('/'), path.strip('/').split('/')
    if want[0] == '**':
        return len(want) == 1 or any(
            _matches('/'.join(want[1:]), '/'.join(have[i:])) for i in range(len(have))
        )
    if not have or want[0] not in ('*', have[0]):
        return False
    if len(want) == 1 or len(have) == 1:
        return len(want) == len(have)
    return _matches('/'.join(want[1:]), '/'.join(have[1:]))


def _flatten(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f'{prefix}{key}.')
        else:
            yield prefix + key, value
