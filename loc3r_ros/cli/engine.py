# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r engine`: CUT3R compiled. Write its ONNX packages, and build engines from them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loc3r_ros.cli import engine_build
from loc3r_ros.errors import InputError


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'engine',
        help='export CUT3R to ONNX, build and check TensorRT engines',
        description=__doc__,
        epilog='Example: loc3r engine export cut3r_224.safetensors -o engines',
    )
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    _add_export(actions)
    engine_build.add_actions(actions)


def _add_export(actions: Any) -> None:
    export = actions.add_parser(
        'export',
        help='write an ONNX package: graph, golden steps, description',
        description='Write one graph of encoder, decoders and memory, with the state in and out; '
        'and the golden steps that every engine built of it is tested with.',
        epilog='Example: loc3r engine export cut3r_512.safetensors -o engines --image 640x480 '
        '--opset 23 --precision fp16',
    )
    export.add_argument('weights', metavar='WEIGHTS', type=Path, help='.pth or .safetensors')
    export.add_argument('-o', '--output', metavar='FOLDER', type=Path, required=True)
    export.add_argument(
        '--opset',
        type=int,
        choices=(18, 20, 23, 24),
        default=20,
        help='18 or 20: attention decomposed, for TensorRT 10.3 to 10.13 (default: 20); 23 or 24: '
        'as an operator, for 10.15 and later',
    )
    export.add_argument('--precision', choices=('fp32', 'fp16'), default='fp32')
    export.add_argument('--heads', action='store_true', help='with points, confidences, colours')
    export.add_argument('--update-rule', choices=('cut3r', 'ttt3r'), default='cut3r')
    export.add_argument(
        '--image',
        metavar='WxH',
        type=_size,
        default=(640, 480),
        help='size of the camera images, which decides that of the graph (default: 640x480)',
    )
    export.set_defaults(execute=_export)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f'{text!r} is not a size, as 640x480')
    return int(width), int(height)


def _export(args: argparse.Namespace) -> int:
    from rich.console import Console

    from loc3r_ros.cut3r.checkpoint import load_checkpoint
    from loc3r_ros.cut3r.graph import Variant
    from loc3r_ros.cut3r.preprocess import resize_crop

    try:
        from loc3r_ros.cut3r.export import Target, export_package
    except ModuleNotFoundError as error:
        raise InputError(
            f"the export needs {error.name}: pip install 'loc3r_ros[engine]'"
        ) from error
    model = load_checkpoint(args.weights)
    config = model.config
    plan = resize_crop(*args.image, config.image_size, config.square_crop)
    variant = Variant(plan.height, plan.width, args.update_rule, args.heads)
    target = Target(args.opset, args.precision)
    with Console(stderr=True).status('') as status:
        package = export_package(model, args.output, variant, target, progress=status.update)
    size = sum((package.folder / name).stat().st_size for name in package.files)
    print(f'{package.onnx}: {size / 1e9:.2f} GB, opset {package.opset}, {package.precision}')
    return 0
