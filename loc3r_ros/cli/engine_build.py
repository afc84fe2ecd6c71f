# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r engine build` and `loc3r engine check`: engines of TensorRT, built here, tested here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loc3r_ros.runtime.package import Package
    from loc3r_ros.runtime.tensorrt.presets import Preset


def add_actions(actions: Any) -> None:
    """Add both to the actions of `loc3r engine`."""
    build = actions.add_parser(
        'build',
        help='build TensorRT engines of exported packages for this machine, and self-test them',
        description='Engines lie beside their packages, each with a .json that says what it is. '
        'What is there and fits is not built again. Exit code 1 if a self-test fails.',
        epilog='Example: loc3r engine build models/cut3r --preset orin_nano',
    )
    _add_path(build)
    build.add_argument(
        '--preset',
        metavar='NAME',
        help='orin_nano, orin_nx, orin_agx, thor, desktop, or a .yaml of your own '
        '(default: by the name of the board)',
    )
    build.add_argument('--anew', action='store_true', help='build even what is there and fits')
    build.set_defaults(execute=_build)
    check = actions.add_parser(
        'check',
        help='self-test the engines of exported packages; --json to attach to an issue',
        description='Every TensorRT engine takes the self-test; where none passes, so does ONNX '
        'Runtime. Exit code 0 when every package has one that passes, 1 otherwise.',
        epilog='Example: loc3r engine check models/cut3r --json > report.json',
    )
    _add_path(check)
    check.add_argument('--json', action='store_true', help='print JSON instead of lines')
    check.set_defaults(execute=_check)


def _add_path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'path', type=Path, metavar='PATH', help='a folder of exported packages, or the .json of one'
    )


def _build(args: argparse.Namespace) -> int:
    from loc3r_ros.errors import EngineError
    from loc3r_ros.runtime.tensorrt.build import build
    from loc3r_ros.runtime.tensorrt.check import try_engine
    from loc3r_ros.runtime.tensorrt.machine import board, this_machine
    from loc3r_ros.runtime.tensorrt.presets import for_board, read

    preset = read(args.preset) if args.preset else for_board(board())
    print(f'{this_machine()}; preset {preset.name}: {preset.title}', flush=True)
    failed = False
    for package in _accepted(_packages(args.path), preset):
        print(f'{package.name}:', flush=True)
        engine = build(package, preset.settings, _say, anew=args.anew)
        try:
            test = try_engine(package, engine)
        except EngineError as error:
            raise EngineError(f'built, but not usable: {error}; --anew builds it again') from error
        engine.tested(test)
        _say(str(test))
        failed |= not test.passed
    return int(failed)


def _check(args: argparse.Namespace) -> int:
    from loc3r_ros.runtime.tensorrt.check import passed, report

    told = report(_packages(args.path))
    print(json.dumps(told, indent=2) if args.json else '\n'.join(_lines(told)))
    return int(not passed(told))


def _lines(report: dict[str, Any]) -> list[str]:
    machine = report['machine']
    lines = [machine.get('error') or f'{machine["gpu"]}, TensorRT {machine["tensorrt"]}']
    for package in report['packages']:
        lines.append(f'{package["name"]} ({package["precision"]}, {package["attention"]}):')
        for engine in package['engines']:
            if engine['passed']:
                test = engine['self_test']
                worst = max(test['errors'].values())
                verdict = f'passed, error {worst:.1e}, {test["latency_ms"]:.1f} ms a step'
            else:
                verdict = f'refused: {engine["reason"]}'
            lines.append(f'  {engine["engine"]}: {verdict}')
    return lines


def _packages(path: Path) -> list[Package]:
    from loc3r_ros.errors import InputError
    from loc3r_ros.runtime.package import Package, packages

    if path.suffix == '.json':
        return [Package.read(path)]
    if found := packages(path):
        return found
    raise InputError(f'{path}: no exported package in it; make one with loc3r engine export')


def _accepted(packages: list[Package], preset: Preset) -> list[Package]:
    from loc3r_ros.errors import InputError
    from loc3r_ros.runtime.tensorrt.bindings import load, release

    version = release(load())
    if found := [package for package in packages if preset.accepts(package, version)]:
        return found
    there = ', '.join(f'{p.name} ({p.precision}, {p.attention})' for p in packages)
    raise InputError(
        f'preset {preset.name} builds {" or ".join(preset.precision)} with attention '
        f'{preset.attention_for(version)} on TensorRT {version[0]}.{version[1]}; there is {there}; '
        'export what it builds'
    )


def _say(line: str) -> None:
    print(f'  {line}', flush=True)
