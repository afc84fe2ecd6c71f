# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r weights`: fetch published weights, look into them, make safetensors of CUT3R's."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loc3r_ros.hub.registry import Published


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'weights',
        help='list, fetch, inspect and convert weights',
        description=__doc__,
        epilog='Example: loc3r weights fetch loc3r-vlm',
    )
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    known = actions.add_parser('list', help='print which weights are known, and their licences')
    known.set_defaults(execute=_list)
    fetch = actions.add_parser(
        'fetch',
        help='download weights: resumed where cut off, hashes checked',
        epilog='Example: loc3r weights fetch loc3r-vlm -o models/loc3r-vlm. Weights keep the '
        'licence of their publisher, which is printed first.',
    )
    fetch.add_argument('name', metavar='NAME', help='one of `loc3r weights list`')
    fetch.add_argument('-o', '--output', type=Path, metavar='FOLDER', help='default: ./NAME')
    fetch.set_defaults(execute=_fetch)
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
        help="a file of CUT3R's: its dimensions as JSON; a folder: what would be loaded from it",
        epilog='Example: loc3r weights inspect loc3r-vlm',
    )
    inspect.add_argument(
        'source', type=Path, metavar='PATH', help='.pth, .safetensors, or folder of a loc3r-vlm'
    )
    inspect.add_argument(
        '--vlm-allow',
        metavar='PATTERN',
        action='append',
        default=[],
        help='keys that a folder may lack, as *_head.*; may be given again',
    )
    inspect.set_defaults(execute=_inspect)


def _list(args: argparse.Namespace) -> int:
    from loc3r_ros.hub.registry import PUBLISHED

    print('\n'.join(_line(weights) for weights in PUBLISHED))
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from loc3r_ros.hub.download import download, list_files
    from loc3r_ros.hub.registry import published

    for http in ('httpx', 'httpx2'):
        logging.getLogger(http).setLevel('WARNING')  # they tell of every request
    weights = published(args.name)
    folder = args.output or Path(weights.name)
    print(_line(weights), flush=True)
    listing = list_files(weights, folder)
    print(
        f'{len(listing.files)} files, {listing.size / 1e9:.2f} GB, to {folder}; licence as '
        f'listed now: {listing.licence}',
        flush=True,
    )
    download(weights, listing, folder, say=print)
    if weights.name != 'siglip':
        print(f'Look into it: loc3r weights inspect {folder}')
        print(f'Use it:       loc3r chat BAG --vlm {folder}')
    return 0


def _line(weights: Published) -> str:
    return (
        f'{weights.name:15} {weights.what}; licence {weights.licence}; '
        f'about {weights.gigabytes:.1f} GB; {weights.where}'
    )


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
    if not args.source.is_dir():
        return _inspect_cut3r(args.source)
    from loc3r_ros.vlm.weights.folder import look

    folder = look(args.source)
    print(folder.report('not loaded'))
    folder.check(args.vlm_allow)
    return 0


def _inspect_cut3r(source: Path) -> int:
    import json
    from dataclasses import asdict

    from loc3r_ros.cut3r.checkpoint import build, read_checkpoint
    from loc3r_ros.cut3r.fingerprint import fingerprint

    checkpoint = read_checkpoint(source)
    model = build(checkpoint)
    report = {
        'config': asdict(checkpoint.config),
        'tensors': len(checkpoint.tensors),
        'parameters': sum(p.numel() for p in model.parameters()),
        'fingerprint': fingerprint(model),
    }
    print(json.dumps(report, indent=2))
    return 0
