# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r run`: a recording in; trajectory, map, answers, rosbag2 and report out."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from loc3r_ros.cli import quiz, recorded
from loc3r_ros.cli.interview import Interview, Question
from loc3r_ros.errors import InputError
from loc3r_ros.hub import shipped


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'run',
        help='track and map a recording, without ROS, and answer questions about it',
        description='Read a rosbag2 and write its trajectory, map, ROS messages and a report. '
        'Questions are answered at its end.',
        epilog='Example: loc3r run my_bag -o out --ground-truth /ground_truth/pose '
        '--ask "how big is the map?" --ask "go to 1.0 -0.5"\n'
        'Example: loc3r run room -o out --ground-truth /ground_truth/pose '
        '--quiz room/questions.jsonl',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    recorded.add_options(parser)
    parser.add_argument('-o', '--out', type=Path, required=True, help='folder of the results')
    parser.add_argument('--ground-truth', metavar='TOPIC', help='true poses: adds ATE and RPE')
    questions = parser.add_argument_group('questions (each option may be given again)')
    questions.add_argument(
        '--ask',
        metavar='TEXT',
        dest='questions',
        action='append',
        type=Question,
        help='a question, or a goal: "go to the sofa"',
    )
    questions.add_argument(
        '--localize',
        metavar='TEXT',
        dest='questions',
        action='append',
        type=partial(Question, is_situation=True),
        help='where somebody stands who says so: "I stand at the sink"; "": the camera',
    )
    questions.add_argument(
        '--quiz',
        metavar='FILE',
        type=Path,
        help='questions with their answers, as `loc3r world record` writes them: asked last, and '
        'compared; needs --ground-truth',
    )
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Run, with a progress bar; says the answers, and where the report is."""
    questions = _questions(args)
    if args.vlm and str(args.vlm) != shipped.NONE and not questions:
        raise InputError('--vlm answers questions, but none is asked: add --ask or --localize')
    bar = recorded.ProgressBar()
    with ExitStack() as opened:
        witness = opened.enter_context(recorded.open_witness(args)) if questions else None
        recording = opened.enter_context(recorded.open_recording(args))
        run = recorded.make_run(
            args,
            recording,
            args.out,
            witness=witness,
            ground_truth=args.ground_truth,
            interview=Interview(questions, begin=lambda: bar.stop()),
        )
        outcome = bar.execute(run)
    return recorded.conclude(outcome, args.out)


def _questions(args: argparse.Namespace) -> list[Question]:
    asked = list(args.questions or ())
    if args.quiz is None:
        return asked
    if not args.ground_truth:
        raise InputError(
            '--quiz compares places with those of the ground truth: add --ground-truth TOPIC '
            '(of `loc3r world record`: /ground_truth/pose)'
        )
    return [*asked, *quiz.read(args.quiz)]
