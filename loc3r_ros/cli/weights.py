# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r weights`: look into CUT3R weights, and make safetensors of the published checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'weights',
        help='convert and inspect CUT3R weights',
        description=__doc__,
        epilog='Example: loc3r weights convert cut3r_512_dpt_4_64.pth cut3r_512.safetensors',
    )
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    convert = actions.add_parser(
        'convert',
        help='write a checkpoint (.pth) as safetensors; nothing in it is executed',
        epilog='Example: loc3r weights convert cut3r_224_linear_4.pth cut3r_224.safetensors',
    )
    convert.add_argument('source', type=Path, metavar='IN', help='.pth as published')
    convert.add_argument('target', type=Path, metavar='OUT', help='.safetensors to write')
    convert.set_defaults(execute=_convert)
    inspect = actions.add_parser(
        'inspect',
        help='print dimensions and number of parameters as JSON',
        epilog='Example: loc3r weights inspect cut3r_224.safetensors',
    )
    inspect.add_argument('source', type=Path, metavar='FILE', help='.pth or .safetensors')
    inspect.set_defaults(execute=_inspect)


def _convert(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    from loc3r_ros.cut3r.checkpoint import LICENCE_NOTE, build, read_checkpoint, write_checkpoint
    from loc3r_ros.errors import InputError

    if args.target.exists() and args.target.samefile(args.source):
        raise InputError(f'{args.target} is the input itself; give another name')
    checkpoint = read_checkpoint(args.source)
    build(checkpoint)
    total = sum(tensor.nbytes for tensor in checkpoint.tensors.values())
    columns = '{task.description}', BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(args.target.name, total=total)
        write_checkpoint(checkpoint, args.target, lambda done: bar.advance(task, done))
    print(f'{args.target}: {len(checkpoint.tensors)} tensors, {total / 1e9:.2f} GB')
    print(LICENCE_NOTE)
    return 0


def _inspect(args: argparse.Namespace) -> int:
    import json
    from dataclasses import asdict

    from loc3r_ros.cut3r.checkpoint import build, read_checkpoint
    from loc3r_ros.cut3r.fingerprint import fingerprint

    checkpoint = read_checkpoint(args.source)
    model = build(checkpoint)
    report = {
        'config': asdict(checkpoint.config),
        'tensors': len(checkpoint.tensors),
        'parameters': sum(p.numel() for p in model.parameters()),
        'fingerprint': fingerprint(model),
    }
    print(json.dumps(report, indent=2))
    return 0
