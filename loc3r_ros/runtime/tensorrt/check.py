# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The self-test of engines: after a build, and of all that lie in a folder, as a report.

As when an encoder is opened, ONNX Runtime is asked where no engine of TensorRT passes.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loc3r_ros import __version__
from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.onnx_session import OnnxSession
from loc3r_ros.runtime.package import Package
from loc3r_ros.runtime.selftest import SelfTest, self_test
from loc3r_ros.runtime.tensorrt.cache import EngineFile, engines
from loc3r_ros.runtime.tensorrt.machine import board, this_machine
from loc3r_ros.runtime.tensorrt.session import TensorRtSession

FORMAT = 'loc3r_engine_report_1'


def try_engine(package: Package, engine: EngineFile) -> SelfTest:
    """Run the golden steps of a package on its engine.

    Raises:
        EngineError: the engine cannot be loaded.
    """
    return self_test(TensorRtSession(package, engine), package.golden, package.precision)


def report(packages: Sequence[Package]) -> dict[str, Any]:
    """What there is and what each engine gives on this machine, for people and for an issue.

    Nothing is raised for an engine or for a machine: what is wrong stands in the report.
    """
    try:
        machine = asdict(this_machine())
    except EngineError as error:
        machine = {'error': str(error)}
    return {
        'format': FORMAT,
        'loc3r_ros': __version__,
        'python': platform.python_version(),
        'board': board(),
        'machine': machine,
        'packages': [_package(package) for package in packages],
    }


def passed(report: dict[str, Any]) -> bool:
    """Whether every package has an engine that serves."""
    packages = report['packages']
    return all(any(e['passed'] for e in package['engines']) for package in packages)


def _package(package: Package) -> dict[str, Any]:
    about = ('name', 'weights', 'precision', 'opset', 'attention', 'exporter')
    found = [_engine(package, path) for path in engines(package)]
    if not any(row['passed'] for row in found):
        found.append(_onnxruntime(package))
    return {key: getattr(package, key) for key in about} | {'engines': found}


def _engine(package: Package, path: Path) -> dict[str, Any]:
    row: dict[str, Any] = {'engine': path.name, 'passed': False}
    try:
        engine = EngineFile.read(path)
        row |= {'machine': asdict(engine.recipe.machine), 'built': engine.built}
        row['settings'] = asdict(engine.recipe.settings)
        if reason := engine.mismatch(package, this_machine()):
            return row | {'reason': reason}
        return row | _verdict(try_engine(package, engine))
    except EngineError as error:
        return row | {'reason': str(error)}


def _onnxruntime(package: Package) -> dict[str, Any]:
    try:
        test = self_test(OnnxSession(package), package.golden, package.precision)
    except EngineError as error:
        return {'engine': 'onnxruntime', 'passed': False, 'reason': str(error)}
    return {'engine': test.session} | _verdict(test)


def _verdict(test: SelfTest) -> dict[str, Any]:
    return {'passed': test.passed, 'reason': test.reason, 'self_test': asdict(test)}
