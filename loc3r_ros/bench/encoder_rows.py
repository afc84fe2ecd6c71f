# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The measurements of `loc3r bench encoder`: one row a backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from loc3r_ros.bench.ceilings import Ceilings
from loc3r_ros.bench.encoder import PeakMemory
from loc3r_ros.bench.encoder_flops import dummy_flops, frame_flops
from loc3r_ros.bench.naive_cut3r import naive
from loc3r_ros.cut3r import Cut3r, Cut3rConfig
from loc3r_ros.cut3r.golden import moving_pictures
from loc3r_ros.cut3r.graph import Step
from loc3r_ros.cut3r.packed import can_pack
from loc3r_ros.cut3r.preprocess import resize_crop
from loc3r_ros.cut3r.torch_step import PLAIN, Form, form_of, torch_session
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import EngineError, Loc3rError
from loc3r_ros.runtime.selftest import relative_error
from loc3r_ros.runtime.session import Arrays, Session
from loc3r_ros.runtime.torch_session import TorchSession

_CAMERA = (640, 480)
_MB = 2**20


def random_model(config: Cut3rConfig) -> Cut3r:
    """A network with random weights, made faster than PyTorch's own initialisation.

    They are of the size that trained ones have, so that values and their rounding are, too.
    """
    with torch.device('meta'):
        model = Cut3r(config)
    model.to_empty(device='cpu')
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.fill_(float(name.endswith('weight')))
            else:
                parameter.normal_(0, parameter[0].numel() ** -0.5, generator=generator)
    return model.eval()


def measure(
    config: Cut3rConfig,
    backends: Sequence[str],
    device: torch.device,
    frames: int,
    peak: Ceilings,
) -> dict[str, Any]:
    """Times, memory and errors of each backend, frame by frame in turn; and FLOPs."""
    plan = resize_crop(*_CAMERA, config.image_size, config.square_crop)
    size = plan.height, plan.width
    model = random_model(config).to(device)
    rows: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        maker = _Maker(model, size, device, Path(folder))
        running: dict[str, _Running] = {}
        for name in backends:
            try:
                running[name] = _Running(maker.make(name), name)
            except Loc3rError as error:
                rows[name] = {'refused': str(error)}
        _run(running, moving_pictures(*size, 1 + frames))
    flops = {heads: frame_flops(config, size, not heads) for heads in (False, True)}
    reference = running.get('torch') or next(iter(running.values()))
    for name, one in running.items():
        rows[name] = one.row(flops[one.has_heads], peak, reference)
        if 'naive' in running:
            rows[name]['times_naive'] = round(running['naive'].median() / one.median(), 2)
    published = flops[True] + dummy_flops(config, size)
    return {
        'input': f'{plan.width}x{plan.height}',
        'backends': rows,
        'flops_saved': round(1 - flops[False] / flops[True], 3),
        'flops_saved_against_published': round(1 - flops[False] / published, 3),
    }


class _Maker:
    """Makes the session of a backend by its name."""

    def __init__(
        self, model: Cut3r, size: tuple[int, int], device: torch.device, folder: Path
    ) -> None:
        self._model, self._device, self._folder = model, device, folder
        self._camera, self._full = Variant(*size), Variant(*size, heads=True)

    def make(self, name: str) -> Session:
        makers: dict[str, Callable[[], Session]] = {
            'naive': lambda: self._eager(naive(self._model), self._full),
            'torch heads': lambda: self._eager(self._model, self._full),
            'torch': lambda: self._torch(PLAIN),
            'torch packed': lambda: self._torch(Form('fp32', torch.float32, pack=True)),
            'torch bf16': lambda: self._torch(form_of(torch.bfloat16, self._device)),
            'compiled': lambda: self._torch(Form('fp32', torch.float32, compiled=True)),
            'onnx': self._onnx,
        }
        return makers[name]()

    def _eager(self, model: Cut3r, variant: Variant) -> Session:
        step = Step(model, variant)
        return TorchSession(
            step, step.signature, step.initial(), device=self._device, name='torch', eager=True
        )

    def _torch(self, form: Form) -> Session:
        if form.pack and (self._device.type != 'cpu' or not can_pack()):
            raise EngineError('products are packed by oneDNN, for a CPU; it is not here')
        return torch_session(self._model, self._camera, self._device, form)

    def _onnx(self) -> Session:
        try:
            from loc3r_ros.cut3r.export import Target, export_package
            from loc3r_ros.runtime.onnx_session import OnnxSession
        except ModuleNotFoundError as error:
            raise EngineError(f'{error.name} is not installed') from error
        # Golden steps at least as many as they are made of; the bench has its own reference.
        package = export_package(self._model, self._folder, self._camera, Target(20), steps=12)
        return OnnxSession(package, self._device.type, torch.get_num_threads())


class _Running:
    """A session at work, with what its steps took."""

    def __init__(self, session: Session, name: str) -> None:
        self.session = session
        self.name = name
        self.wall: list[float] = []
        self.busy: list[float] = []
        self.peak = 0
        self.last: Arrays = {}
        self.has_heads = any(spec.name == 'conf' for spec in session.signature.outputs)

    def step(self, inputs: Arrays) -> None:
        with PeakMemory() as memory:
            start = time.perf_counter(), time.process_time()
            self.last = self.session.run(inputs)
            self.wall.append(1e3 * (time.perf_counter() - start[0]))
            self.busy.append(1e3 * (time.process_time() - start[1]))
        self.peak = max(self.peak, memory.peak)

    def median(self) -> float:
        """Of all steps but the first, ms."""
        return float(np.median(self.wall[1:]))

    def row(self, flops: int, peak: Ceilings, reference: _Running) -> dict[str, float]:
        dtype = 'bfloat16' if 'bf16' in self.name else 'float32'
        rate = flops / 1e6 / self.median()
        state, target = self.session.state(), reference.session.state()
        return {
            'ms_p50': round(self.median(), 1),
            'ms_p95': round(float(np.percentile(self.wall[1:], 95)), 1),
            'cpu_ms_p50': round(float(np.median(self.busy[1:])), 1),
            'frames_per_s': round(1e3 / self.median(), 2),
            'gflop': round(flops / 1e9, 3),
            'gflop_per_s': round(rate, 1),
            'percent_of_peak': round(100 * rate / peak['gflop_per_s'][dtype], 1),
            'peak_rss_mb': round(self.peak / _MB),
            'token_error': relative_error(
                self.last['camera_token'], reference.last['camera_token']
            ),
            'state_error': max(relative_error(state[name], target[name]) for name in target),
        }


def _run(running: dict[str, _Running], pictures: np.ndarray) -> None:
    for index, picture in enumerate(pictures):
        flags = {'first_frame': index == 0, 'update': True, 'reset': False}
        inputs = {'image': picture} | {k: np.array([v]) for k, v in flags.items()}
        order = list(running.values())
        for one in order if index % 2 else order[::-1]:
            one.step(inputs)
