"""Parameter files whose sections do not match the node that should read them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

NODES = ('pose_encoder', 'bev_mapper', 'spatial_vlm')


def unmatched_files(node: str, arguments: Sequence[str] | None = None) -> list[str]:
    """What to say of parameter files that mean a node but miss its name.

    ROS skips such sections in silence, and the defaults return.

    Args:
        node: its full name, `/loc3r/pose_encoder`.
        arguments: of the process, where `--params-file` is looked for; `sys.argv` when None.
    """
    arguments = sys.argv if arguments is None else arguments
    files = [after for option, after in pairwise(arguments) if option in _OPTIONS]
    return [warning for file in files if (warning := _warning(node, Path(file)))]


_OPTIONS = ('--params-file',)


def _warning(node: str, file: Path) -> str:
    try:
        sections = list(_sections(yaml.safe_load(file.read_text())))
    except (OSError, yaml.YAMLError):
        return ''  # rcl has said so, and does not start
    if any(_matches(section, node) for section in sections):
        return ''
    own = node.rpartition('/')[2]
    others = [name for name in NODES if name != own]
    if any(section.rpartition('/')[2] in others for section in sections):
        return ''  # a file for one of the other nodes of the same launch
    named = ', '.join(sections) or 'nothing'
    return (
        f'{file} sets {named}, which is not this node, {node}: every parameter has its default; '
        f'name the section /**/{own}'
    )


def _sections(tree: Any, above: str = '') -> Iterator[str]:
    """Full names of the nodes that a parameter file speaks of; they may be nested."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if key == 'ros__parameters':
            yield above or '/'
        else:
            yield from _sections(value, f'{above}/{str(key).strip("/")}')


def _matches(section: str, node: str) -> bool:
    pattern = re.escape(section).replace(r'/\*\*', r'(/\w+)*').replace(r'/\*', r'(/\w+)')
    return re.fullmatch(pattern, node) is not None
