# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r train`: the small model of the package, stage by stage, or its ablations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loc3r_ros.errors import InputError

if TYPE_CHECKING:
    from loc3r_ros.training.tiny import Plan

STAGES = ('encoder', 'words', 'names', 'language')
ABLATIONS = 'ablations'


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'train',
        help='train the small model on procedural rooms',
        description='Train CUT3R, then the image tower, then Loc3R-VLM, on procedural rooms that '
        'are made as they are needed. A run that is stopped, by --minutes or by Ctrl-C, goes on '
        'when the same command is given again. Curves lie beside each checkpoint.',
        epilog='Example: loc3r train runs/tiny --minutes 9. On several GPUs: torchrun '
        '--nproc-per-node 8 -m loc3r_ros train runs/tiny',
    )
    parser.add_argument('out', type=Path, metavar='OUT', help='folder of the runs')
    parser.add_argument(
        '--stages',
        nargs='+',
        choices=(*STAGES, ABLATIONS),
        help='which, in turn (default: encoder words names language; with --base: language); '
        'ablations: the last with parts of the method left out, for `loc3r eval ablations`',
    )
    parser.add_argument(
        '--plan',
        choices=('auto', 'cpu', 'gpu', 'full'),
        default='auto',
        help='how much (default: auto, by the device); full: as Loc3R-VLM, with --base',
    )
    parser.add_argument('--minutes', type=float, help='stop then, to go on another time')
    parser.add_argument('--device', default='auto', help='cpu, cuda (default: auto)')
    parser.add_argument('--workers', type=int, default=1, help='processes that make rooms')
    parser.add_argument('--bank', type=Path, help='folder of footage (default: OUT/bank)')
    parser.add_argument('--seed', type=int, default=0, help='of weights and examples (default: 0)')
    parser.add_argument('--steps', type=int, help='of each stage, in place of the plan')
    full = parser.add_argument_group('another size, as --stages language --plan full')
    full.add_argument('--base', type=Path, metavar='FOLDER', help='model to begin from')
    full.add_argument('--encoder', type=Path, metavar='FILE', help='CUT3R weights of its tokens')
    full.add_argument(
        '--lora', type=int, default=0, metavar='RANK', help='adapters (default: whole)'
    )
    full.add_argument('--at-once', type=int, default=0, metavar='N', help='videos in memory')
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the stages until the time is up."""
    try:
        from loc3r_ros.training.freed import keep_freed_memory
        from loc3r_ros.training.run import Means
        from loc3r_ros.training.tiny import Start, Workshop
    except ModuleNotFoundError as error:
        raise InputError(f'no module {error.name}: pip install loc3r_ros[train]') from error
    import time

    if (args.base is None) != (args.encoder is None):
        raise InputError('--base and --encoder belong together: a model, and CUT3R for its tokens')
    if args.plan == 'full' and args.base is None:
        raise InputError('--plan full goes on from a model: name it with --base, and its --encoder')
    keep_freed_memory()
    plan = _plan(args)
    start = {'start': Start(args.base, args.encoder, args.lora)} if args.base else {}
    shop = Workshop(args.out, args.bank or args.out / 'bank')
    began = time.monotonic()
    for stage in args.stages or (('language',) if args.base else STAGES):
        left = None if args.minutes is None else args.minutes - (time.monotonic() - began) / 60
        means = Means(device=args.device, workers=args.workers, minutes=left, at_once=args.at_once)
        options = start if stage == 'language' else {}
        if not getattr(shop, stage)(plan, means, **options):
            print(f'{args.out}: stopped in stage {stage}; the same command goes on')
            return 0
        print(f'{args.out}/{stage}: done')
    return 0


def _plan(args: argparse.Namespace) -> Plan:
    from dataclasses import replace

    import torch

    from loc3r_ros.training.tiny import PLANS

    on_gpu = args.device != 'cpu' and torch.cuda.is_available()
    plan = PLANS[args.plan if args.plan != 'auto' else ('gpu' if on_gpu else 'cpu')]
    changed: dict[str, Any] = {'seed': args.seed}
    if args.steps is not None:
        if args.steps < 1:
            raise InputError(f'--steps {args.steps}: give at least one')
        changed['steps'] = args.steps
    stages = {name: replace(getattr(plan, name), **changed) for name in (*STAGES, 'ablated')}
    return replace(plan, **stages)
