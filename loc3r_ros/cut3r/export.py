# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R as an ONNX package: one graph of encoder, decoders and memory, its state in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import onnx

import loc3r_ros
from loc3r_ros.cut3r.fingerprint import fingerprint
from loc3r_ros.cut3r.golden import STEPS, golden_steps
from loc3r_ros.cut3r.graph import Step
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.onnx.blocks import ATTENTION_SINCE
from loc3r_ros.cut3r.onnx.step import add_step
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import EngineError, InputError
from loc3r_ros.runtime.onnx_graph import Graph
from loc3r_ros.runtime.package import PRECISIONS, Package, golden_path, sha256

OPSETS = (18, 20, 23, 24)
"""To 20, attention is decomposed, for TensorRT 10.3 to 10.13; from 23, it is one operator."""

_NARROW = {'fp32': 'float32', 'fp16': 'float16'}


class Target(NamedTuple):
    """How a graph is written.

    Attributes:
        opset: one of `OPSETS`.
        precision: one of `PRECISIONS`: of products, but those of the heads.
    """

    opset: int = 20
    precision: str = 'fp32'

    @property
    def attention(self) -> str:
        return 'operator' if self.opset >= ATTENTION_SINCE else 'decomposed'


def name_of(variant: Variant, target: Target) -> str:
    """Name of a package that tells it from every other of the same weights."""
    size = f'{variant.width}x{variant.height}'
    outputs = 'heads' if variant.heads else 'camera'
    return f'cut3r_{size}_{outputs}_{variant.rule}_{target.precision}_opset{target.opset}'


def export_package(
    model: Cut3r,
    folder: Path,
    variant: Variant,
    target: Target,
    *,
    steps: int = STEPS,
    progress: Callable[[str], None] = lambda what: None,
) -> Package:
    """Write a package: graph, golden steps, description.

    Args:
        model: in float32, on the CPU.
        folder: made where it is missing.
        variant: what is fixed in the graph.
        target: how it is written.
        steps: golden steps.
        progress: told what is being done.

    Raises:
        InputError: opset, precision, size or folder cannot be used.
        EngineError: the graph or the golden steps do not hold what they must.
    """
    if target.opset not in OPSETS or target.precision not in PRECISIONS:
        raise InputError(
            f'opset {target.opset}, precision {target.precision!r}: '
            f'use one of {OPSETS} and of {PRECISIONS}'
        )
    step = Step(model.eval(), variant)
    name, weights = name_of(variant, target), fingerprint(model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'cannot write to {folder}: {error.strerror}') from error
    is_narrow = target.precision != 'fp32'
    golden = golden_steps(
        step,
        steps,
        # The linear head turns a point about by the sign of its raw z: rounding decides near zero.
        without={'pts3d_in_self_view'} if is_narrow and model.downstream_head.front else (),
        progress=lambda done: progress(f'float32 reference {done} of {steps}'),
    )
    golden.write(golden_path(folder, name))
    progress('writing the graph')
    graph = Graph(target.opset, _NARROW[target.precision])
    files = graph.save(folder / f'{name}.onnx', step.signature, add_step(graph, step))
    progress('checking the graph')
    _check(files[0])
    package = Package(
        folder,
        name,
        weights,
        target.precision,
        target.opset,
        target.attention,
        step.signature,
        {file.name: sha256(file) for file in (*files, golden_path(folder, name))},
        network=_about(model, variant),
        exporter={'loc3r_ros': loc3r_ros.__version__, 'onnx': version('onnx')},
    )
    package.write()
    return package


def _about(model: Cut3r, variant: Variant) -> dict[str, Any]:
    return {
        'config': asdict(model.config),
        'trained': model.trained,
        **variant._asdict(),
    }


def _check(path: Path) -> None:
    """Types and shapes all through; by the path, since 2 GB cannot be checked in memory."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # the checker's own classes differ from version to version
        raise EngineError(f'{path}: the ONNX checker refuses it: {error}') from error
