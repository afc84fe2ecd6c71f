# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The `loc3r` command: one file a subcommand, each with `add_parser` and `execute`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from loc3r_ros import __version__
from loc3r_ros.errors import Loc3rError
from loc3r_ros.threads import use_one_blas_thread

COMMANDS = (
    'run',
    'chat',
    'topics',
    'world',
    'weights',
    'train',
    'eval',
    'engine',
    'bench',
    'doctor',
)


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The command-line grammar: of one command, or whole.

    Of one, so that no command waits for the imports of another, or fails where they do.
    """
    parser = argparse.ArgumentParser(
        prog='loc3r',
        description='Pose, map and spatial answers from an RGB(-D) camera.',
        epilog='Example: loc3r run my_bag -o out --ground-truth /ground_truth/pose',
    )
    parser.add_argument('--version', action='version', version=f'loc3r_ros {__version__}')
    parser.add_argument('--log-level', default='info', choices=('debug', 'info', 'warning'))
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name in (command,) if command else COMMANDS:
        import_module(f'loc3r_ros.cli.{name}').add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 on success, 1 where the command says that something failed, 2 on an error that its user
        can mend, 130 after Ctrl-C.
    """
    use_one_blas_thread()
    argv = sys.argv[1:] if argv is None else argv
    command = argv[0] if argv and argv[0] in COMMANDS else None
    args = build_parser(command).parse_args(argv)
    logging.basicConfig(
        level=args.log_level.upper(), format='%(levelname)s %(name)s: %(message)s', force=True
    )
    try:
        return int(args.execute(args) or 0)
    except Loc3rError as error:
        print(f'loc3r: error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('loc3r: interrupted', file=sys.stderr)
        return 130
