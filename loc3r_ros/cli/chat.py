# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r chat`: ask about a recording, as often as one likes."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.witness import Witness
from loc3r_ros.cli import recorded
from loc3r_ros.cli.conversation import HELP, Conversation
from loc3r_ros.errors import InputError


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'chat',
        help='ask questions about a recording, at a prompt or through a pipe',
        description='Track and map a rosbag2, or take what a finished run made of it, and answer '
        'questions. Ctrl-C cancels an answer, and leaves at the prompt.',
        epilog=f'At the prompt:\n{HELP}\n\n'
        'Example: loc3r chat my_bag -o out --vlm loc3r-vlm\n'
        'Example: echo "how big is the map?" | loc3r chat my_bag',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    recorded.add_options(parser)
    parser.add_argument(
        '-o',
        '--out',
        type=Path,
        help='folder of a finished run, or of the one to be made (default: made anew each time)',
    )
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """See the recording, then answer until there are no more questions."""
    with TemporaryDirectory(prefix='loc3r_chat_') as temporary:
        out = Path(temporary) if args.out is None else args.out
        with recorded.open_witness(args) as witness:
            if status := _see(args, out, witness):
                return status
            print(f'{witness.engine}. /help tells what can be asked.', file=sys.stderr)
            Conversation(witness.answering, lambda replies: show_map(witness, out, replies)).hold()
    return 0


def _see(args: argparse.Namespace, out: Path, witness: Witness) -> int:
    """Let the witness see the recording; the exit status where that failed."""
    with recorded.open_recording(args) as recording:
        run = recorded.make_run(args, recording, out, witness=witness)
        if not args.overwrite and run.recall():
            return 0
        outcome = recorded.ProgressBar().execute(run)
    return recorded.conclude(outcome, out) if outcome.failure is not None else 0


def show_map(witness: Witness, out: Path, replies: list[Reply]) -> str:
    """Draw the map with the places that were asked for, and open the picture.

    Returns:
        Where the picture is.

    Raises:
        InputError: there is no map, or the picture cannot be written.
    """
    from loc3r_ros.bag.report.map_picture import write_map_picture
    from loc3r_ros.bag.trajectory import read_tum

    if witness.grid is None or not witness.grid.data.size:
        raise InputError('nothing has been mapped: there is no picture to show')
    path = out.resolve() / 'map.png'
    write_map_picture(path, witness.grid, read_tum(out / 'trajectory.tum').T, replies)
    if sys.stdin.isatty():
        webbrowser.open(path.as_uri())
    return str(path)
