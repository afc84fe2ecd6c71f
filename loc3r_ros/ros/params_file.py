# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What ROS skips in silence of a parameter file: sections and names that fit no node."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

NODES = ('pose_encoder', 'bev_mapper', 'spatial_vlm')


def file_warnings(
    node: str, declared: Collection[str], arguments: Sequence[str] | None = None
) -> list[str]:
    """What to say of the parameter files of this process.

    Args:
        node: full name of the node, `/loc3r/pose_encoder`.
        declared: names of its parameters.
        arguments: of the process, where `--params-file` is looked for; `sys.argv` when None.
    """
    arguments = sys.argv if arguments is None else arguments
    files = [after for option, after in pairwise(arguments) if option == '--params-file']
    return [text for file in files for text in _warnings(node, declared, Path(file))]


def _warnings(node: str, declared: Collection[str], file: Path) -> Iterator[str]:
    try:
        sections = list(_sections(yaml.safe_load(file.read_text())))
    except (OSError, yaml.YAMLError):
        return  # rcl has said so, and does not start
    own = node.rpartition('/')[2]
    matching = [section for section in sections if _matches(section[0], node)]
    for section, values in matching:
        # Sections with a wildcard for a name are for several nodes, each with names of its own.
        if section.endswith(f'/{own}'):
            yield from _unknown(file, section, set(_flat(values)) - set(declared), declared)
    for_others = any(section.endswith(f'/{name}') for section, _ in sections for name in NODES)
    has_own = any(section.endswith(f'/{own}') for section, _ in sections)
    if not matching and (has_own or not for_others):
        named = ', '.join(section for section, _ in sections) or 'nothing'
        yield (
            f'{file} sets {named}, which is not this node, {node}: nothing of it applies; '
            f'name the section /**/{own}'
        )


def _unknown(
    file: Path, section: str, names: Collection[str], declared: Collection[str]
) -> Iterator[str]:
    for name in sorted(names):
        if not name.startswith('qos_overrides.'):
            near = get_close_matches(name, declared, n=1)
            hint = f'; did you mean {near[0]}?' if near else ''
            yield f'{file} sets {name} of {section}, which has no such parameter{hint}'


def _sections(tree: Any, above: str = '') -> Iterator[tuple[str, Any]]:
    """Full names of the nodes that a parameter file speaks of, with what it says; nested or not."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if key == 'ros__parameters':
            yield above, value
        else:
            yield from _sections(value, f'{above}/{str(key).strip("/")}')


def _flat(values: Any, above: str = '') -> Iterator[str]:
    """Dotted names of nested parameters."""
    for key, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, dict):
            yield from _flat(value, f'{above}{key}.')
        else:
            yield f'{above}{key}'


def _matches(section: str, node: str) -> bool:
    pattern = re.escape(section).replace(r'/\*\*', r'(/\w+)*').replace(r'/\*', r'(/\w+)')
    return re.fullmatch(pattern, node) is not None
