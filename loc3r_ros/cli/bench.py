# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r bench`: measurements beside a peer or the naive way, as ratios in one run."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

SUBJECTS = ('encoder', 'tracking', 'mapping', 'node', 'vlm')


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'bench',
        help='measure speed beside a peer, in one run',
        description=__doc__,
        epilog='Example: loc3r bench mapping --json',
    )
    subjects = parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
    for name in SUBJECTS:
        import_module(f'loc3r_ros.bench.{name}').add_parser(subjects)


def parser_for(subjects: Any, name: str, doc: str | None, example: str) -> argparse.ArgumentParser:
    """A subject's parser, with the options that all subjects share."""
    parser: argparse.ArgumentParser = subjects.add_parser(
        name, help=(doc or '').splitlines()[0], description=doc, epilog=f'Example: {example}'
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    return parser
