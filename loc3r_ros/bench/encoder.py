# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R in full against camera-only mode: time, FLOPs, memory.

Weights are random, which changes no cost. Both modes run in turn on the same model and frames, so
that what else the machine does hits both alike; read the ratios, not the milliseconds. On a busy
machine only the processor time says anything, and with one thread (OMP_NUM_THREADS=1) says most.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from loc3r_ros.cli.bench import parser_for

if TYPE_CHECKING:
    from torch import Tensor

    from loc3r_ros.cut3r import Cut3r, Cut3rConfig, Stream

MODES = ('camera_only', 'full')
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
    parser.add_argument('--frames', type=int, default=3, help='timed frames a mode (default: 3)')
    parser.add_argument(
        '--memory-frames', type=int, default=500, help='frames of the memory run (default: 500)'
    )
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    import torch

    report: dict[str, Any] = {
        'torch': torch.__version__,
        'threads': torch.get_num_threads(),
        # First, while the process is small and a leak would show.
        'memory': _memory(args.memory_frames),
        'sizes': {size: _measure(size, args.frames) for size in args.size},
    }
    print(json.dumps(report, indent=2) if args.json else _table(report))
    return 0


def _config(size: str) -> Cut3rConfig:
    from loc3r_ros.cut3r import FULL_DPT_512, FULL_LINEAR_224, tiny

    return {'224': FULL_LINEAR_224, '512': FULL_DPT_512, 'tiny': tiny('linear')}[size]


def random_model(config: Cut3rConfig) -> Cut3r:
    """A network with small random weights, made faster than PyTorch's own initialisation."""
    import torch

    from loc3r_ros.cut3r import Cut3r

    with torch.device('meta'):
        model = Cut3r(config)
    model.to_empty(device='cpu')
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.02)
    return model


def _measure(size: str, frames: int) -> dict[str, Any]:
    """Times, peak memory and FLOPs of both modes, frame by frame in turn."""
    import numpy as np

    from loc3r_ros.cut3r import PoseEncoder
    from loc3r_ros.cut3r.preprocess import plan_for
    from loc3r_ros.types import Frame

    model = random_model(_config(size))
    encoders = {mode: PoseEncoder(model, camera_only=mode == 'camera_only') for mode in MODES}
    wall: dict[str, list[float]] = {mode: [] for mode in MODES}
    busy: dict[str, list[float]] = {mode: [] for mode in MODES}
    peak = dict.fromkeys(MODES, 0)
    random = np.random.default_rng(0)
    for index in range(1 + frames):
        frame = Frame(float(index), random.integers(0, 256, (480, 640, 3), dtype=np.uint8))
        for mode in MODES if index % 2 else MODES[::-1]:
            with PeakMemory() as memory:
                start = time.perf_counter(), time.process_time()
                encoders[mode].observe(frame)
                wall[mode].append(1e3 * (time.perf_counter() - start[0]))
                busy[mode].append(1e3 * (time.process_time() - start[1]))
            peak[mode] = max(peak[mode], memory.peak)
    plan = plan_for(frame.rgb, model.config)
    size_in = plan.height, plan.width
    flops = {mode: frame_flops(model.config, size_in, mode == 'camera_only') for mode in MODES}
    published = flops['full'] + dummy_flops(model.config, size_in)
    modes = {mode: _row(wall[mode][1:], busy[mode][1:], flops[mode], peak[mode]) for mode in MODES}
    return {
        'input': f'{plan.width}x{plan.height}',
        **modes,
        'time_saved': _saved(modes, 'ms_p50'),
        'cpu_time_saved': _saved(modes, 'cpu_ms_p50'),
        'flops_saved': _saved(modes, 'gflop'),
        'flops_saved_against_published': round(1 - flops['camera_only'] / published, 3),
    }


def _row(wall: list[float], busy: list[float], flops: int, peak: int) -> dict[str, float]:
    import numpy as np

    return {
        'ms_p50': round(float(np.percentile(wall, 50)), 1),
        'ms_p95': round(float(np.percentile(wall, 95)), 1),
        'cpu_ms_p50': round(float(np.percentile(busy, 50)), 1),
        'gflop': round(flops / 1e9, 3),
        'peak_rss_mb': round(peak / _MB),
    }


def _saved(modes: dict[str, dict[str, float]], what: str) -> float:
    return round(1 - modes['camera_only'][what] / modes['full'][what], 3)


def count_flops(
    config: Cut3rConfig, size: tuple[int, int], work: Callable[[Cut3r, Tensor, Stream], object]
) -> int:
    """FLOPs, 2 a multiply-add, of some work; counted on shapes, without data.

    Args:
        config: dimensions of the network.
        size: height and width of the network input, pixels.
        work: what to count, given the network, an image and the state.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from loc3r_ros.cut3r import Cut3r

    with torch.device('meta'), torch.no_grad():
        model, image = Cut3r(config), torch.empty(1, 3, *size)
        stream = model.initial()
        # The counter knows fused attention on some devices only; the plain products on all.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            work(model, image, stream)
    return int(counter.get_total_flops())


def frame_flops(config: Cut3rConfig, size: tuple[int, int], camera_only: bool) -> int:
    """FLOPs of a frame after the first."""
    return count_flops(
        config,
        size,
        lambda model, image, stream: model.step(
            image, stream, first=False, camera_only=camera_only
        ),
    )


def dummy_flops(config: Cut3rConfig, size: tuple[int, int]) -> int:
    """FLOPs of the ray-map encoder, which the published code runs on zeros beside every image."""
    return count_flops(
        config, size, lambda model, image, _: model.encode_rays(image.new_empty(1, *size, 6))
    )


def _memory(frames: int) -> dict[str, Any]:
    """Resident memory of a long stream through a tiny network."""
    import numpy as np
    import psutil

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
    lines = [
        f'{"size":<6}{"mode":<13}{"ms p50":>9}{"ms p95":>9}{"CPU ms":>9}{"GFLOP":>9}{"peak MB":>9}'
    ]
    for size, result in report['sizes'].items():
        for mode in MODES:
            row = result[mode]
            lines.append(
                f'{size:<6}{mode:<13}{row["ms_p50"]:>9}{row["ms_p95"]:>9}'
                f'{row["cpu_ms_p50"]:>9}{row["gflop"]:>9}{row["peak_rss_mb"]:>9}'
            )
        lines.append(
            f'      camera-only saves {result["time_saved"]:.1%} of the time and '
            f'{result["flops_saved"]:.1%} of the FLOPs at {result["input"]}'
        )
    memory = report['memory']
    lines.append(
        f'memory: {memory["rss_mb_at_10_percent"]} MB after a tenth of {memory["frames"]} frames, '
        f'{memory["rss_mb_at_end"]} MB at the end ({memory["growth_percent"]:+} %)'
    )
    return '\n'.join(lines)
