# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The parameters of the nodes in docs/interface.md and config/loc3r.yaml, from the nodes' tables.

`python -m loc3r_ros.ros.tables`, in the source tree and with ROS 2 sourced, writes both anew.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.ros.lifecycle import COMMON
from loc3r_ros.ros.parameters import Table, markdown, yaml
from loc3r_ros.ros.params_file import NODES

DOCUMENT = Path('docs/interface.md')
CONFIG = Path('config/loc3r.yaml')

_CONFIG_HEAD = """\
# Every parameter of the nodes, with its default; copy what you change into a file of your own and
# give it to bringup.launch.py as params_file. Written by `python -m loc3r_ros.ros.tables`.
"""


def tables() -> dict[str, Table]:
    """All parameters, by name of the node."""
    modules = ((name, import_module(f'loc3r_ros.ros.{name}')) for name in NODES)
    return {name: (*COMMON, *module.TABLE) for name, module in modules}


def documented(text: str) -> str:
    """A document with its tables made anew; each stands between two marks, which stay.

    Raises:
        InputError: the marks of a node are not there, or more than once.
    """
    for name, table in tables().items():
        begin, end = f'<!-- parameters of {name} -->\n', f'<!-- end of {name} -->'
        if text.count(begin) != 1 or text.count(end) != 1:
            raise InputError(f'{begin.strip()} and {end} must stand in it once each')
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f'{before}{begin}\n{markdown(table)}\n{end}{after}'
    return text


def config() -> str:
    """A parameter file with every default."""
    return '\n'.join([_CONFIG_HEAD, *(yaml(name, table) for name, table in tables().items())])


def main() -> int:
    """Write both files, from the top of the source tree."""
    try:
        DOCUMENT.write_text(documented(DOCUMENT.read_text()))
    except (InputError, FileNotFoundError) as error:
        print(f'{DOCUMENT}: {error}', file=sys.stderr)
        return 2
    CONFIG.write_text(config())
    return 0


if __name__ == '__main__':
    sys.exit(main())
