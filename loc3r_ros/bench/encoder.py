# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R by every backend at hand, beside the straightforward float32 module, in one run.

Weights are random, which changes no cost. All take the same frames in turn, each with its own
state, so that what else the machine does hits all alike; read the ratios, not the milliseconds. The
error is that of the camera token and of the state after the last frame, relative to eager float32.
Peaks of the device are those of a large product and a large copy in the same run.
"""

from __future__ import annotations

import argparse
import json
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

from loc3r_ros.cli.bench import parser_for

if TYPE_CHECKING:
    from loc3r_ros.cut3r import Cut3rConfig

BACKENDS = ('naive', 'torch heads', 'torch', 'torch packed', 'torch bf16', 'compiled', 'onnx')
_MB = 2**20


def add_parser(subjects: Any) -> None:
    parser = parser_for(subjects, 'encoder', __doc__, 'loc3r bench encoder --size 224 --json')
    parser.add_argument(
        '--size',
        nargs='+',
        choices=('tiny', '224', '512'),
        default=['224', '512'],
        help='networks to measure (default: both published sizes)',
    )
    parser.add_argument(
        '--backend',
        nargs='+',
        metavar='NAME',
        choices=BACKENDS,
        default=['naive', 'torch heads', 'torch', 'torch bf16'],
        help=f'of {", ".join(BACKENDS)}; compiled and onnx take minutes to make of full sizes',
    )
    parser.add_argument('--device', default='auto', help='of torch (default: a GPU if any)')
    parser.add_argument('--threads', type=int, help='of the CPU')
    parser.add_argument('--frames', type=int, default=3, help='timed frames each (default: 3)')
    parser.add_argument(
        '--memory-frames', type=int, default=500, help='frames of the memory run (default: 500)'
    )
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    import torch

    from loc3r_ros.bench.ceilings import ceilings
    from loc3r_ros.bench.encoder_rows import measure

    if args.threads:
        torch.set_num_threads(args.threads)
    device = args.device
    if device == 'auto':
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    report: dict[str, Any] = {
        'torch': torch.__version__,
        'threads': torch.get_num_threads(),
        'device': device,
        # First, while the process is small and a leak would show.
        'memory': _memory(args.memory_frames),
        'peak': ceilings(torch.device(device)),
    }
    report['sizes'] = {
        size: measure(
            _config(size), args.backend, torch.device(device), args.frames, report['peak']
        )
        for size in args.size
    }
    print(json.dumps(report, indent=2) if args.json else _table(report))
    return 0


def _config(size: str) -> Cut3rConfig:
    from loc3r_ros.cut3r import FULL_DPT_512, FULL_LINEAR_224, tiny

    return {'224': FULL_LINEAR_224, '512': FULL_DPT_512, 'tiny': tiny('linear')}[size]


def _memory(frames: int) -> dict[str, Any]:
    """Resident memory of a long stream through a tiny network."""
    import numpy as np
    import psutil

    from loc3r_ros.bench.encoder_rows import random_model
    from loc3r_ros.cut3r import PoseEncoder
    from loc3r_ros.types import Frame

    encoder = PoseEncoder(random_model(_config('tiny')))
    random, process = np.random.default_rng(0), psutil.Process()
    rss = []
    for index in range(frames):
        encoder.observe(Frame(float(index), random.integers(0, 256, (64, 64, 3), dtype=np.uint8)))
        rss.append(process.memory_info().rss)
    settled = rss[min(frames - 1, frames // 10)]
    return {
        'frames': frames,
        'rss_mb_at_10_percent': round(settled / _MB, 1),
        'rss_mb_at_end': round(rss[-1] / _MB, 1),
        'growth_percent': round(100 * (rss[-1] / settled - 1), 3),
    }


class PeakMemory:
    """Largest resident memory of the process inside a `with` block, bytes, sampled at 100 Hz."""

    def __enter__(self) -> PeakMemory:
        import psutil

        self._process = psutil.Process()
        self.peak = self._process.memory_info().rss
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def _sample(self) -> None:
        while not self._done.wait(0.01):
            self.peak = max(self.peak, self._process.memory_info().rss)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()


def _table(report: dict[str, Any]) -> str:
    peak = report['peak']
    products = ', '.join(f'{v:g} in {k}' for k, v in peak['gflop_per_s'].items())
    lines = [
        f'{report["device"]}, {report["threads"]} threads; peak: {products} GFLOP/s, copy '
        f'{peak["copy_gb_per_s"]:g} GB/s',
        f'{"size":<6}{"backend":<14}{"ms p50":>9}{"ms p95":>9}{"CPU ms":>9}{"GFLOP":>9}'
        f'{"% peak":>8}{"x naive":>9}{"error":>10}',
    ]
    for size, result in report['sizes'].items():
        for name, row in result['backends'].items():
            if 'refused' in row:
                lines.append(f'{size:<6}{name:<14}  {row["refused"]}')
                continue
            lines.append(
                f'{size:<6}{name:<14}{row["ms_p50"]:>9}{row["ms_p95"]:>9}{row["cpu_ms_p50"]:>9}'
                f'{row["gflop"]:>9}{row["percent_of_peak"]:>8}{row.get("times_naive", "-"):>9}'
                f'{row["token_error"]:>10.1e}'
            )
        lines.append(
            f'      camera-only saves {result["flops_saved"]:.1%} of the FLOPs at {result["input"]}'
        )
    memory = report['memory']
    lines.append(
        f'memory: {memory["rss_mb_at_10_percent"]} MB after a tenth of {memory["frames"]} frames, '
        f'{memory["rss_mb_at_end"]} MB at the end ({memory["growth_percent"]:+} %)'
    )
    return '\n'.join(lines)
