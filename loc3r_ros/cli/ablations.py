# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r eval ablations`: what each part of the method is good for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parser(subjects: Any) -> None:
    parser = subjects.add_parser(
        'ablations',
        help='what each part of the method is good for',
        description='Ask every run of `loc3r train --stages ablations` about the same held-out '
        'scenes, and write by how much each variant falls behind the whole, with intervals.',
        epilog='Example: loc3r eval ablations runs/tiny -o ablations --seeds 0:24',
    )
    parser.add_argument('runs', type=Path, metavar='RUNS', help='folder of the runs')
    parser.add_argument('--seeds', default='0:24', help='scenes: A:B or A,B,C (default: 0:24)')
    parser.add_argument(
        '--plan', choices=('cpu', 'gpu'), default='cpu', help='that they were trained by'
    )
    parser.add_argument('--steps', type=int, help='as given to `loc3r train`')
    parser.add_argument('--device', default='cpu', help='where the models run (default: cpu)')
    parser.add_argument('-o', '--out', type=Path, default=Path('ablations'), help='results')
    parser.add_argument('--json', action='store_true', help='print JSON instead of Markdown')
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Ask, write the tables and print them."""
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    from loc3r_ros.cli.eval import seeds_of
    from loc3r_ros.evaluation.trained import ablation_report
    from loc3r_ros.training.tiny import PLANS, Workshop

    plan = PLANS[args.plan]
    if args.steps is not None:
        plan = replace(plan, ablated=replace(plan.ablated, steps=args.steps))
    columns = (*Progress.get_default_columns()[:1], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        line = bar.add_task('rooms', total=None)
        report = ablation_report(
            Workshop(args.runs, args.runs / 'bank'),
            plan,
            list(seeds_of(args.seeds)),
            args.out,
            args.device,
            lambda run, scene: bar.update(line, advance=1, description=run),
        )
    report.write(args.out)
    sys.stdout.write(report.to_json() if args.json else report.markdown())
    return 0
