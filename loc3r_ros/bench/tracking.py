# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The tracker against OpenCV's RGB-D odometry: time a frame, error, memory.

Both get the same frames, in turn, in one run. OpenCV's (`cv2.Odometry`, dense RGB and depth:
Steinbruecker et al., 2011) goes from frame to frame; ours has keyframes and closes loops. The
frames come from a procedural room, or from a recording with a topic of true poses.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import psutil

from loc3r_ros.bag.evaluation import trajectory_errors
from loc3r_ros.bag.trajectory import StampedPoses
from loc3r_ros.bench.frames import TruthFrame, recorded_frames, room_frames
from loc3r_ros.cli.bench import parser_for
from loc3r_ros.geometry import Array
from loc3r_ros.tracking import Tracker
from loc3r_ros.types import Frame


def add_parser(subjects: Any) -> None:
    parser = parser_for(subjects, 'tracking', __doc__, 'loc3r bench tracking --json')
    parser.add_argument('--bag', help='take the frames of this recording')
    parser.add_argument(
        '--ground-truth',
        metavar='TOPIC',
        default='/ground_truth/pose',
        help='true camera poses in the recording (default: %(default)s)',
    )
    parser.add_argument('--frames', type=int, default=150, help='at most so many (default: 150)')
    parser.add_argument('--seed', type=int, default=7, help='which room (default: 7)')
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    if args.bag:
        frames = recorded_frames(args.bag, args.ground_truth, args.frames)
    else:
        frames = room_frames(args.seed, args.frames)
    report = compare(frames)
    print(json.dumps(report, indent=2) if args.json else _table(report))
    return 0


def compare(frames: list[TruthFrame]) -> dict[str, Any]:
    """Run both over the frames, interleaved frame by frame.

    Returns:
        For each: `latency_ms` p50 and p95, `ate_rmse_m`, `rotation_error_mean_deg`; the ratios of
        OpenCV's to ours; and the memory of the process before and after.
    """
    runs: dict[str, Callable[[Frame], Array]] = {'loc3r': _ours()}
    if hasattr(cv2, 'Odometry'):
        runs['opencv odometry'] = _opencv()
    poses: dict[str, list[Array]] = {name: [] for name in runs}
    times: dict[str, list[float]] = {name: [] for name in runs}
    before = _resident_mib()
    for item in frames:
        for name, step in runs.items():
            start = perf_counter()
            T = step(item.frame)
            times[name].append((perf_counter() - start) * 1e3)
            poses[name].append(T)
    stamps = np.array([round(item.frame.stamp * 1e9) for item in frames])
    truth = StampedPoses(stamps, np.array([item.T_map_camera for item in frames]))
    report: dict[str, Any] = {
        'frames': len(frames),
        'size': list(frames[0].frame.rgb.shape[1::-1]),
        'memory_mib': {'before': before, 'after': _resident_mib()},
    }
    for name in runs:
        ms = times[name][1:]
        latency = {'p50': float(np.percentile(ms, 50)), 'p95': float(np.percentile(ms, 95))}
        errors = trajectory_errors(stamps, np.array(poses[name]), truth)
        report[name] = {'latency_ms': latency, **errors.figures}
    if len(runs) > 1:
        ours, peer = report['loc3r'], report['opencv odometry']
        report['opencv over loc3r'] = {
            'latency_p50': peer['latency_ms']['p50'] / ours['latency_ms']['p50'],
            'ate_rmse': peer['ate_rmse_m'] / ours['ate_rmse_m'],
        }
    else:
        report['note'] = 'this OpenCV has no cv2.Odometry (5.0 has): nothing to compare with'
    return report


def _ours() -> Callable[[Frame], Array]:
    tracker = Tracker()
    return lambda frame: tracker.step(frame).T_map_camera


def _opencv() -> Callable[[Frame], Array]:
    """Frame-to-frame odometry with OpenCV's default settings."""
    odometry: Any = None
    last: Any = None
    T = np.eye(4)

    def step(frame: Frame) -> Array:
        nonlocal odometry, last, T
        assert frame.camera is not None
        assert frame.depth is not None
        if odometry is None:
            settings = cv2.OdometrySettings()
            settings.setCameraMatrix(frame.camera.matrix.astype(np.float32))
            odometry = cv2.Odometry(
                cv2.OdometryType_RGB_DEPTH, settings, cv2.OdometryAlgoType_COMMON
            )
        now = cv2.OdometryFrame(np.nan_to_num(frame.depth), frame.rgb)
        if last is not None:
            odometry.prepareFrames(now, last)
            ok, T_last_now = odometry.compute(now, last)
            if ok and np.isfinite(T_last_now).all():
                T = T @ T_last_now
        last = now
        return T.copy()

    return step


def _resident_mib() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


def _table(report: dict[str, Any]) -> str:
    width, height = report['size']
    lines = [f'{report["frames"]} frames of {width}x{height}', '']
    lines.append(f'{"":18} {"p50 ms":>8} {"p95 ms":>8} {"ATE m":>8} {"rot deg":>8}')
    for name in ('loc3r', 'opencv odometry'):
        if name in report:
            row = report[name]
            ms = row['latency_ms']
            lines.append(
                f'{name:18} {ms["p50"]:8.1f} {ms["p95"]:8.1f} {row["ate_rmse_m"]:8.3f} '
                f'{row["rotation_error_mean_deg"]:8.2f}'
            )
    if 'opencv over loc3r' in report:
        ratio = report['opencv over loc3r']
        lines.append(f'{"ratio":18} {ratio["latency_p50"]:8.2f} {"":8} {ratio["ate_rmse"]:8.2f}')
    memory = report['memory_mib']
    lines += ['', f'memory {memory["before"]:.0f} -> {memory["after"]:.0f} MiB']
    return '\n'.join([*lines, *([report['note']] if 'note' in report else [])])
