# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r eval`: how good a model is, in rooms that it has never seen."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loc3r_ros import __version__
from loc3r_ros.cli import ablations
from loc3r_ros.errors import InputError
from loc3r_ros.hub import shipped

if TYPE_CHECKING:
    from rich.progress import Progress

    from loc3r_ros.cut3r.encoder import PoseEncoder
    from loc3r_ros.evaluation.episode import Episode
    from loc3r_ros.evaluation.report import Report
    from loc3r_ros.training.bank import Bank

DRIVES = 'cut3r'
"""The part that asks nothing: where the pose encoder believes to be, and how far things are."""

ASKED = 'localization,vsi,vsti,situated'

PARTS = f'{ASKED},{DRIVES}'


def add_parser(commands: Any) -> None:
    parser = commands.add_parser('eval', help='measure how good a model is', description=__doc__)
    subjects = parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
    tiny = subjects.add_parser(
        'tiny',
        help='in procedural rooms',
        description='Film procedural rooms, let a robot with these weights watch, ask it about '
        'places and things, and write tables, beside those who guess. What is interrupted goes on '
        'where it stopped. Questions about regions are left out: the model takes none.',
        epilog='Example: loc3r eval tiny -o eval --seeds 0:40',
    )
    named = "default: the package's"
    tiny.add_argument('--vlm', type=Path, help=f'folder of Loc3R-VLM weights ({named})')
    tiny.add_argument('--encoder', type=Path, help=f'file of CUT3R weights ({named})')
    tiny.add_argument(
        '--true-poses',
        action='store_true',
        help='the language model is told true poses and no camera tokens, as almost by depth',
    )
    tiny.add_argument(
        '--seeds',
        help='rooms: A:B (without B) or A,B,C (default: test rooms until enough)',
    )
    for name, least in (('situations', 1000), ('questions', 4000)):
        tiny.add_argument(
            f'--{name}',
            type=int,
            default=least,
            metavar='N',
            help=f'without --seeds: enough is N (default: {least})',
        )
    tiny.add_argument('--parts', default=PARTS, help='what is asked (default: %(default)s)')
    tiny.add_argument('--bank', type=Path, help='folder that keeps videos (default: OUT/bank)')
    tiny.add_argument('--device', default='cpu', help='where the networks run (default: cpu)')
    tiny.add_argument(
        '-o', '--out', type=Path, default=Path('eval'), help='folder of results (default: eval)'
    )
    tiny.add_argument('--json', action='store_true', help='print JSON instead of Markdown')
    tiny.set_defaults(execute=execute)
    ablations.add_parser(subjects)


def execute(args: argparse.Namespace) -> int:
    """Ask, write the tables and print them."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    seeds = None if args.seeds is None else seeds_of(args.seeds)
    if args.device == 'cpu':
        shipped.use_one_thread()
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        report = evaluate(args, seeds, bar)
    report.write(args.out)
    sys.stdout.write(report.to_json() if args.json else report.markdown())
    return 0


def evaluate(args: argparse.Namespace, seeds: Sequence[int] | None, bar: Progress) -> Report:
    """Ask, and drive, as far as these are among the parts."""
    from loc3r_ros.evaluation.examine import tasks_of
    from loc3r_ros.evaluation.report import Report

    parts = args.parts.split(',')
    asked = [part for part in parts if part != DRIVES]
    tasks_of(asked)
    if DRIVES in parts:
        _encoder(args)  # what is missing is told before all the questions, not after
    found = [_ask(args, asked, seeds, bar)] if asked else []
    if DRIVES in parts:
        found.append(_drive(args, seeds, bar))
    about = {name: value for report in found for name, value in report.about.items()}
    return Report(about, tuple(table for report in found for table in report.tables))


def _ask(
    args: argparse.Namespace, parts: Sequence[str], seeds: Sequence[int] | None, bar: Progress
) -> Report:
    """Ask what a user would get from these weights."""
    from loc3r_ros.cut3r.encoder import PoseEncoder
    from loc3r_ros.evaluation.episode import Episode
    from loc3r_ros.evaluation.examine import examine, tasks_of
    from loc3r_ros.evaluation.journal import Journal
    from loc3r_ros.evaluation.report import Report, tables_of
    from loc3r_ros.evaluation.subject import Robot
    from loc3r_ros.training.bank import Bank
    from loc3r_ros.vlm.spatial_vlm import SpatialVlm
    from loc3r_ros.world.splits import TEST

    vlm = SpatialVlm.load(_language_model(args), device=args.device)
    encoder = None
    if args.true_poses and not vlm.reads_poses:
        raise InputError(f'--true-poses: {vlm.identity} was not taught to read poses')
    if not args.true_poses:
        encoder = PoseEncoder.load(_encoder(args), camera_only=True, device=args.device)
    about = {'model': vlm.identity, **_about(encoder), 'parts': ', '.join(parts)}
    bank = Bank(args.bank or args.out / 'bank')
    journal = Journal(args.out / 'episodes.jsonl', about, Episode.from_json)
    found = examine(Robot(encoder, vlm), bank, TEST if seeds is None else seeds, parts, journal)
    if seeds is None:
        questions = args.questions if tasks_of(parts) else 0
        situations = args.situations if 'localization' in parts else 0
        episodes = _enough(found, situations, questions, bar)
    else:
        episodes = list(bar.track(found, len(seeds), description='rooms'))
    frequent = _frequent(bank, bar) if any(episode.replies for episode in episodes) else {}
    about['rooms'] = rooms_in_words([episode.seed for episode in episodes])
    return Report(about, tables_of(episodes, frequent))


def _drive(args: argparse.Namespace, seeds: Sequence[int] | None, bar: Progress) -> Report:
    """Drive the pose encoder through the first of the rooms, by both update rules.

    Where the state begins anew by itself, also in one life.
    """
    from loc3r_ros.cut3r.encoder import PoseEncoder
    from loc3r_ros.evaluation.drives import SCENES, Drive, drive_all, drive_tables
    from loc3r_ros.evaluation.journal import Journal
    from loc3r_ros.evaluation.report import Report
    from loc3r_ros.world.splits import TEST

    seeds = (TEST if seeds is None else seeds)[:SCENES]
    encoders = {
        rule: PoseEncoder.load(_encoder(args), update_rule=rule, device=args.device)
        for rule in ('cut3r', 'ttt3r')
    }
    if encoders['cut3r'].restart_every:
        once = PoseEncoder.load(_encoder(args), restart_every=0, device=args.device)
        encoders['cut3r, one life'] = once
    about = _about(encoders['cut3r'])
    journal = Journal(args.out / 'drives.jsonl', about, Drive.from_json)
    found = bar.track(drive_all(encoders, seeds, journal), len(seeds), description='drives')
    tables = drive_tables(list(found))
    return Report({**about, 'drives': rooms_in_words(seeds)}, tables)


def _encoder(args: argparse.Namespace) -> Path:
    missing = (
        'CUT3R weights: name a file with --encoder, or ask the language model alone, with '
        f'--true-poses --parts {ASKED}'
    )
    return _present(args.encoder or shipped.encoder(), missing)


def _language_model(args: argparse.Namespace) -> Path:
    found = args.vlm or shipped.language_model()
    return _present(found, 'Loc3R-VLM weights: name a folder with --vlm')


def _present(path: Path | None, missing: str) -> Path:
    if path is None:
        raise InputError(f'this installation has no {missing}')
    return path


def _about(encoder: PoseEncoder | None) -> dict[str, str]:
    # Another version asks other questions in other rooms.
    return {
        'loc3r_ros': __version__,
        'encoder': f'CUT3R, weights {encoder.fingerprint[:8]}' if encoder else 'none: true poses',
    }


def seeds_of(text: str) -> Sequence[int]:
    """Seeds of `A:B`, a range without B, or of a list `A,B,C`.

    Raises:
        InputError: it is neither, or there are none.
    """
    if match := re.fullmatch(r'(\d+):(\d+)', text):
        found: Sequence[int] = range(int(match[1]), int(match[2]))
    elif re.fullmatch(r'\d+(,\d+)*', text):
        found = sorted({int(seed) for seed in text.split(',')})
    else:
        raise InputError(f'--seeds {text!r}: give A:B, as 0:25, or a list, as 3,5,8')
    if not found:
        raise InputError(f'--seeds {text!r}: no rooms; the second must be above the first')
    return found


def rooms_in_words(seeds: Sequence[int]) -> str:
    """Which rooms, and whether they may be known from training."""
    from loc3r_ros.world.splits import TEST

    strange = sum(seed not in TEST for seed in seeds)
    which = f'{len(seeds)} seeds from {min(seeds)} to {max(seeds)}'
    return f'{which}, {strange} of them not of the test range' if strange else f'{which}, all test'


def _enough(
    found: Iterable[Episode], situations: int, questions: int, bar: Progress
) -> list[Episode]:
    """Rooms until so much was asked about them."""
    task = bar.add_task('situations and questions', total=situations + questions)
    episodes = []
    for episode in found:
        episodes.append(episode)
        placed = min(situations, sum(len(e.places) for e in episodes))
        replied = min(questions, sum(len(e.replies) for e in episodes))
        bar.update(task, completed=placed + replied)
        if placed + replied == situations + questions:
            break
    return episodes


def _frequent(bank: Bank, bar: Progress) -> dict[str, str]:
    from loc3r_ros.evaluation.frequency import learn_frequent, training_seeds

    seeds = training_seeds()
    return learn_frequent(bank, bar.track(seeds, len(seeds), description='training rooms'))
