# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Build presets: `engines/*.yaml`, one for each kind of machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loc3r_ros.errors import InputError
from loc3r_ros.runtime.package import PRECISIONS, Package

ATTENTION = ('auto', 'decomposed', 'operator')
_ATTENTION_OPERATOR = (10, 15)
"""From this TensorRT on, its ONNX parser knows `Attention` and the layers around it."""


@dataclass(frozen=True)
class Settings:
    """How an engine is built; part of its key. The precision is the graph's own affair.

    Attributes:
        workspace_mb: memory that a tactic may use beside weights and activations, MiB.
        optimization_level: 0 to 5: how long TensorRT searches for tactics.
        tf32: let float32 products drop to TF32, which TensorRT does by default.
    """

    workspace_mb: int
    optimization_level: int
    tf32: bool


@dataclass(frozen=True)
class Preset:
    """One file of `engines/`.

    Attributes:
        name: of the file.
        title: the machine, in words.
        boards: what the name of a board contains that it is for; empty for any other machine.
        sizes: the networks to export for it, in words, best first.
        precision: of the packages that it builds.
        attention: which of the two exports it builds; `auto` by the version of TensorRT.
        settings: how it builds.
    """

    name: str
    title: str
    boards: tuple[str, ...]
    sizes: tuple[str, ...]
    precision: tuple[str, ...]
    attention: str
    settings: Settings

    def accepts(self, package: Package, release: tuple[int, int]) -> bool:
        """Whether to build a package with this TensorRT."""
        wanted = self.attention_for(release)
        return package.precision in self.precision and package.attention == wanted

    def attention_for(self, release: tuple[int, int]) -> str:
        """Which of the two exports to build with this TensorRT."""
        if self.attention != 'auto':
            return self.attention
        return 'operator' if release >= _ATTENTION_OPERATOR else 'decomposed'


def read(name: str) -> Preset:
    """A preset by its name, or by the path of its file.

    Raises:
        InputError: there is no such file, or it is not a preset.
    """
    path = Path(name)
    if path.suffix != '.yaml':
        known = {preset.stem: preset for preset in _files()}
        if name not in known:
            raise InputError(f'preset {name}: not one of {", ".join(known)}, nor a .yaml file')
        path = known[name]
    return _parse(path)


def for_board(board: str) -> Preset:
    """The preset for a board by its name, '' for a machine without one.

    Raises:
        InputError: no preset fits.
    """
    presets = [_parse(path) for path in _files()]
    fitting = [p for p in presets if any(part in board for part in p.boards)]
    fitting = fitting or [p for p in presets if not p.boards]
    if not fitting:
        raise InputError(f'no build presets in {", ".join(map(str, _folders()))}; give --preset')
    return fitting[0]


def _folders() -> Iterator[Path]:
    """A source tree's own, and what colcon or pip installed."""
    yield Path(__file__).resolve().parents[3] / 'engines'
    installed = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    for prefix in (*filter(None, installed), sys.prefix):
        yield Path(prefix, 'share', 'loc3r_ros', 'engines')


def _files() -> list[Path]:
    for folder in _folders():
        if found := sorted(folder.glob('*.yaml')):
            return found
    return []


def _parse(path: Path) -> Preset:
    from ruamel.yaml import YAML, YAMLError

    try:
        about: dict[str, Any] = YAML(typ='safe').load(path)
        preset = Preset(
            name=path.stem,
            title=str(about.pop('title')),
            boards=tuple(about.pop('boards')),
            sizes=tuple(about.pop('sizes')),
            precision=tuple(about.pop('precision')),
            attention=about.pop('attention'),
            settings=Settings(**about),
        )
    except (OSError, YAMLError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f'{path}: not a build preset: {error}') from error
    if reason := _fault(preset):
        raise InputError(f'{path}: {reason}')
    return preset


def _fault(preset: Preset) -> str:
    settings = preset.settings
    if preset.attention not in ATTENTION:
        return f'attention {preset.attention}: not one of {", ".join(ATTENTION)}'
    if not set(preset.precision) <= set(PRECISIONS) or not preset.precision:
        return f'precision {list(preset.precision)}: not of {", ".join(PRECISIONS)}'
    if type(settings.workspace_mb) is not int or settings.workspace_mb < 1:
        return f'workspace_mb {settings.workspace_mb}: a positive whole number of MiB'
    if settings.optimization_level not in range(6):
        return f'optimization_level {settings.optimization_level}: 0 to 5'
    if type(settings.tf32) is not bool:
        return f'tf32 {settings.tf32}: true or false'
    return ''
