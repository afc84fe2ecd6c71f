# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r run`: a recording in; trajectory, map, rosbag2 and report out."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'run',
        help='track and map a recording, without ROS',
        description='Read a rosbag2 and write its trajectory, map, ROS messages and a report.',
        epilog='Example: loc3r run my_bag -o out --ground-truth /ground_truth/pose',
    )
    parser.add_argument('bag', type=Path, help='rosbag2 folder, or a single .mcap or .db3 file')
    parser.add_argument('-o', '--out', type=Path, required=True, help='folder of the results')
    topics = parser.add_argument_group('topics (found by type and name where not given)')
    topics.add_argument('--image', metavar='TOPIC', help='colour images, raw or compressed')
    topics.add_argument('--depth', metavar='TOPIC', help='depth images')
    topics.add_argument('--camera-info', metavar='TOPIC', help='intrinsics of the colour images')
    topics.add_argument('--depth-info', metavar='TOPIC', help='intrinsics of the depth images')
    topics.add_argument(
        '--intrinsics', metavar='FX,FY,CX,CY', type=_four, help='in place of camera_info, pixels'
    )
    topics.add_argument('--slop', metavar='S', type=float, help='pairing of colour and depth, s')
    topics.add_argument('--base-frame', default='base_link', help='default: base_link')
    topics.add_argument('--ground-truth', metavar='TOPIC', help='true poses: adds ATE and RPE')
    model = parser.add_argument_group('encoder (needed where there is no depth)')
    model.add_argument('--weights', type=Path, help='CUT3R weights (loc3r weights --help)')
    model.add_argument('--update-rule', choices=('cut3r', 'ttt3r'), default='cut3r')
    model.add_argument('--device', default='cpu', help='cpu, cuda, ... (default: cpu)')
    maps = parser.add_argument_group('map')
    maps.add_argument('--resolution', type=float, default=0.05, help='m per cell (default: 0.05)')
    maps.add_argument('--max-range', type=float, default=4.0, help='m (default: 4)')
    again = parser.add_mutually_exclusive_group()
    again.add_argument('--resume', action='store_true', help='go on with an interrupted run')
    again.add_argument('--overwrite', action='store_true', help='replace an earlier run')
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Run, with a progress bar; says where the report is."""
    from loc3r_ros.bag.recording import Recording
    from loc3r_ros.bag.runner import Run, RunConfig
    from loc3r_ros.mapping import BevConfig
    from loc3r_ros.pipeline import Pipeline

    # A service manager stops a process with SIGTERM: then, too, the results so far are written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bev = BevConfig(resolution=args.resolution, max_range=args.max_range)
    encoder = _load_encoder(args)
    with Recording(
        args.bag,
        image=args.image,
        depth=args.depth,
        camera_info=args.camera_info,
        depth_info=args.depth_info,
        intrinsics=args.intrinsics,
        slop_s=args.slop,
    ) as recording:
        run = Run(
            recording,
            args.bag.resolve().name,
            args.out,
            RunConfig(args.base_frame, args.ground_truth, bev, args.resume, args.overwrite),
            lambda mount: Pipeline(encoder=encoder, T_base_camera=mount, bev=bev),
            weights='none' if args.weights is None else args.weights.name,
        )
        outcome = _with_progress_bar(run)
    return _conclude(outcome, args.out)


def _load_encoder(args: argparse.Namespace) -> Any:
    if args.weights is None:
        return None
    from loc3r_ros.cut3r.encoder import PoseEncoder

    return PoseEncoder.load(args.weights, update_rule=args.update_rule, device=args.device)


def _with_progress_bar(run: Any) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn('{task.description:>12}'), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task('opening', total=run.recording.len_hint or None)

        def report(done: int, total: int, state: str) -> None:
            bar.update(task, completed=done, total=max(done, total), description=state)

        return run.execute(report)


def _conclude(outcome: Any, out: Path) -> int:
    summary = outcome.summary()
    for problem in outcome.problems:
        print(f'note: {problem}', file=sys.stderr)
    tracking = summary['latency_ms'].get('tracking', {})
    words = [
        f'{summary["tracked"]} of {summary["frames"]} frames tracked',
        f'{summary["path_length_m"]:.2f} m',
        f'{summary["keyframes"]} keyframes',
    ]
    if 'p50' in tracking:
        words.append(f'tracking {tracking["p50"]:.0f} ms a frame')
    if 'ate_rmse_m' in summary:
        words.append(f'ATE {summary["ate_rmse_m"]:.3f} m')
    print(', '.join(words))
    if (out / 'report.html').exists():
        print(f'report: {(out / "report.html").resolve().as_uri()}')
    if outcome.failure is not None:
        print(f'loc3r: error: {outcome.failure}', file=sys.stderr)
        return 130 if outcome.failure.startswith('interrupted') else 2
    return 0


def _four(text: str) -> tuple[float, float, float, float]:
    try:
        fx, fy, cx, cy = (float(v) for v in text.split(','))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'{text!r} is not four numbers FX,FY,CX,CY') from error
    return fx, fy, cx, cy
