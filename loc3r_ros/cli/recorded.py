# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What `loc3r run` and `loc3r chat` share: a recording, and how it is tracked, mapped and seen."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from loc3r_ros.hub import shipped
from loc3r_ros.vlm.open import PRECISIONS, open_engine

if TYPE_CHECKING:
    from loc3r_ros.bag.outcome import Outcome
    from loc3r_ros.bag.recording import Recording
    from loc3r_ros.bag.runner import Interview, Run
    from loc3r_ros.bag.witness import Witness
    from loc3r_ros.cut3r.encoder import PoseEncoder

logger = logging.getLogger(__name__)


def add_topics(group: argparse._ActionsContainer) -> None:
    """The topics of a camera; of a parser, or of a group in it."""
    group.add_argument('--image', metavar='TOPIC', help='colour images, raw or compressed')
    group.add_argument('--depth', metavar='TOPIC', help='depth images')
    group.add_argument('--camera-info', metavar='TOPIC', help='intrinsics of the colour images')
    group.add_argument('--depth-info', metavar='TOPIC', help='intrinsics of the depth images')


def add_options(parser: argparse.ArgumentParser) -> None:
    """All that decides the numbers of a run, and who answers."""
    parser.add_argument('bag', type=Path, help='rosbag2 folder, or a single .mcap or .db3 file')
    topics = parser.add_argument_group('topics (found by type and name where not given)')
    add_topics(topics)
    topics.add_argument(
        '--intrinsics', metavar='FX,FY,CX,CY', type=_four, help='in place of camera_info, pixels'
    )
    topics.add_argument('--slop', metavar='S', type=float, help='pairing of colour and depth, s')
    topics.add_argument('--base-frame', default='base_link', help='default: base_link')
    model = parser.add_argument_group(
        "encoder (where there is no depth; default: the package's CUT3R-tiny, where it has one)"
    )
    model.add_argument(
        '--weights',
        metavar='FILE',
        type=Path,
        help='CUT3R weights (loc3r weights --help), which also help where there is depth; none: '
        "not even the package's",
    )
    model.add_argument('--update-rule', choices=('cut3r', 'ttt3r'), default='cut3r')
    model.add_argument('--device', default='cpu', help='cpu, cuda, ... (default: cpu)')
    model.add_argument(
        '--engines',
        metavar='FOLDER',
        type=Path,
        help='exported packages and the engines built of them (loc3r engine --help)',
    )
    model.add_argument(
        '--backend',
        choices=('auto', 'torch', 'compiled', 'onnxruntime', 'tensorrt'),
        default='auto',
        help='auto: with --engines, a TensorRT engine that passes its self-test, else the fastest '
        'that does; without, torch. compiled: torch.compile, anew at every start (default: auto)',
    )
    vlm = parser.add_argument_group(
        "language model (default: the package's Loc3R-tiny, where it has one; without one, what "
        'geometry knows is answered)'
    )
    vlm.add_argument('--vlm', metavar='FOLDER', type=Path, help='its weights; none: no model')
    vlm.add_argument('--vlm-device', default='auto', help='default: auto, a GPU if any')
    vlm.add_argument('--vlm-precision', choices=PRECISIONS, default='auto')
    vlm.add_argument(
        '--vlm-allow',
        metavar='PATTERN',
        action='append',
        default=[],
        help='keys that its weights may lack, as *_head.*; may be given again',
    )
    maps = parser.add_argument_group('map')
    maps.add_argument('--resolution', type=float, default=0.05, help='m per cell (default: 0.05)')
    maps.add_argument('--max-range', type=float, default=4.0, help='m (default: 4)')
    again = parser.add_mutually_exclusive_group()
    again.add_argument('--resume', action='store_true', help='go on with an interrupted run')
    again.add_argument('--overwrite', action='store_true', help='replace an earlier run')


def open_recording(args: argparse.Namespace) -> Recording:
    """The recording that the options name; a context manager."""
    from loc3r_ros.bag.recording import Recording

    return Recording(
        args.bag,
        image=args.image,
        depth=args.depth,
        camera_info=args.camera_info,
        depth_info=args.depth_info,
        intrinsics=args.intrinsics,
        slop_s=args.slop,
    )


def open_witness(args: argparse.Namespace) -> Witness:
    """Who answers, with the language model that the options name, or that of the package."""
    from loc3r_ros.bag.witness import Witness

    return Witness(
        partial(
            open_engine,
            shipped.chosen(args.vlm, shipped.language_model()),
            device=args.vlm_device,
            precision=args.vlm_precision,
            allow=args.vlm_allow,
        )
    )


def make_run(
    args: argparse.Namespace,
    recording: Recording,
    out: Path,
    *,
    witness: Witness | None,
    ground_truth: str | None = None,
    interview: Interview = lambda _answering: (),
) -> Run:
    """The run that the options describe; it writes nothing before it is executed."""
    from loc3r_ros.bag.runner import Run, RunConfig
    from loc3r_ros.mapping import BevConfig
    from loc3r_ros.pipeline import Pipeline

    bev = BevConfig(resolution=args.resolution, max_range=args.max_range)
    speaks = witness is not None and not args.vlm and shipped.language_model() is not None
    encoder = _open_encoder(args, recording.topics.depth is not None)
    return Run(
        recording,
        args.bag.resolve().name,
        out,
        RunConfig(args.base_frame, ground_truth, bev, args.resume, args.overwrite),
        lambda mount: Pipeline(encoder=encoder, T_base_camera=mount, bev=bev),
        weights=_name(args.weights) if encoder else shipped.NONE,
        witness=witness,
        interview=interview,
        notes=_announce(args, encoder, speaks),
    )


def _open_encoder(args: argparse.Namespace, has_depth: bool) -> PoseEncoder | None:
    """The encoder, if any.

    That of the package tracks where there is no depth. Where there is, it would add nothing: depth
    gives better poses, which the package's language model reads.
    """
    path = shipped.chosen(args.weights, None if has_depth else shipped.encoder())
    if path is None:
        return None
    from loc3r_ros.cut3r.encoder import PoseEncoder

    return PoseEncoder.load(
        path,
        update_rule=args.update_rule,
        device=args.device,
        backend=args.backend,
        engines=args.engines,
    )


def _announce(
    args: argparse.Namespace, encoder: PoseEncoder | None, speaks: bool
) -> tuple[str, ...]:
    """Say, once, which of the package's weights are at work; the same for the report."""
    roles = []
    if encoder is not None and not args.weights:
        roles.append(f'{shipped.ENCODER_NAME} gives poses')
    if speaks:
        roles.append(f'{shipped.LANGUAGE_NAME} answers')
    if not roles:
        return ()
    if not args.weights and (not args.vlm or str(args.vlm) == shipped.NONE):
        shipped.use_one_thread()
    note = shipped.note(*roles)
    logger.info(note)
    return (note,)


def _say_grades(outcome: Outcome) -> None:
    """What was right; the answers themselves were written as they came."""
    from loc3r_ros.answers.grading import tally, told_tally

    for k, grade in enumerate(outcome.grades, 1):
        if grade is not None:
            off = f', {grade.off}' if grade.is_place else ''
            print(f'{k}. {"right" if grade.is_right else "wrong"}{off}; true: {grade.truth}')
    print(f'quiz: {told_tally(tally(outcome.grades))}')


def _name(weights: Path | None) -> str:
    return weights.name if weights else shipped.ENCODER_NAME


class ProgressBar:
    """The progress of a run on stderr; `stop` gives the terminal to somebody else."""

    def __init__(self) -> None:
        self.stop: Callable[[], None] = lambda: None

    def execute(self, run: Run) -> Outcome:
        """Run to the end, or to where it cannot go on."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        # A service manager stops a process with SIGTERM: then, too, the results are written.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        columns = (TextColumn('{task.description:>12}'), BarColumn(), MofNCompleteColumn())
        with ExitStack() as shown:
            bar = Progress(*columns, Remaining(), console=Console(stderr=True))
            shown.enter_context(bar)
            self.stop = shown.close
            task = bar.add_task('opening', total=run.recording.len_hint or None)

            def report(done: int, total: int, state: str) -> None:
                bar.update(task, completed=done, total=max(done, total), description=state)

            return run.execute(report)


def conclude(outcome: Outcome, out: Path) -> int:
    """Say in a line how a run went, and where its report is; returns the exit status."""
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
    if 'quiz' in summary:
        _say_grades(outcome)
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
