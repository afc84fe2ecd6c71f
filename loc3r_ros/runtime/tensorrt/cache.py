# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Engines on disk, beside the package that they were built from; none is trusted by its name.

NAME.KEY.engine        the engine; KEY is the beginning of the hash of all that decides what it is
NAME.KEY.engine.json   the sidecar: all of that in clear, the SHA-256 of the engine, how it was
                       built, and what its self-test gave. Written last: without it, no engine
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.package import Package
from loc3r_ros.runtime.selftest import SelfTest
from loc3r_ros.runtime.tensorrt.machine import Machine
from loc3r_ros.runtime.tensorrt.presets import Settings

FORMAT = 'loc3r_engine_1'


@dataclass(frozen=True)
class Recipe:
    """All that decides what an engine is.

    Attributes:
        network: the package: hash of all its files, weights, precision, opset, tensors.
        machine: where it is built, and alone runs.
        settings: how it is built.
    """

    network: dict[str, Any]
    machine: Machine
    settings: Settings

    @classmethod
    def of(cls, package: Package, machine: Machine, settings: Settings) -> Recipe:
        return cls(_network(package), machine, settings)

    @property
    def key(self) -> str:
        """SHA-256 of the recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def path(self, package: Package) -> Path:
        """Where the engine lies."""
        return package.folder / f'{package.name}.{self.key[:12]}.engine'


@dataclass(frozen=True)
class EngineFile:
    """An engine and its sidecar.

    Attributes:
        path: of the engine.
        recipe: what it is.
        sha256, nbytes: of the file.
        built: when and how long: `at` (ISO 8601), `seconds`, `onnx_bytes`, and versions.
        self_test: what the self-test after the build gave; None before it.
    """

    path: Path
    recipe: Recipe
    sha256: str
    nbytes: int
    built: dict[str, Any] = field(default_factory=dict)
    self_test: dict[str, Any] | None = None

    @classmethod
    def read(cls, path: Path) -> EngineFile:
        """Read the sidecar of an engine.

        Raises:
            EngineError: there is none, or it is not one.
        """
        try:
            about = json.loads(sidecar(path).read_text())
            if about.pop('format') != FORMAT:
                raise ValueError(f'its format is not {FORMAT}')
            recipe = about.pop('recipe')
            del about['key']
            return cls(
                path,
                Recipe(
                    recipe['network'],
                    Machine(**recipe['machine']),
                    Settings(**recipe['settings']),
                ),
                **about,
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise EngineError(
                f'{path.name}: no usable sidecar beside it ({error!r}); build the engine again'
            ) from error

    def write(self) -> None:
        """Write the sidecar, whole or not at all."""
        about = {'format': FORMAT, 'key': self.recipe.key} | asdict(self)
        del about['path']
        path = sidecar(self.path)
        partial = path.with_suffix('.partial')
        partial.write_text(json.dumps(about, indent=2) + '\n')
        partial.replace(path)

    def tested(self, test: SelfTest) -> EngineFile:
        """Write down what a self-test gave, for the next load to know."""
        now = datetime.now(timezone.utc).isoformat(timespec='seconds')
        engine = replace(self, self_test={'at': now} | asdict(test))
        engine.write()
        return engine

    def refusal(self, package: Package, machine: Machine) -> str:
        """Why it must not serve this package on this machine; empty if nothing is known."""
        if reason := self.mismatch(package, machine):
            return reason
        if self.self_test and not self.self_test['passed']:
            return f'it failed its self-test when it was built: {self.self_test["reason"]}'
        return ''

    def mismatch(self, package: Package, machine: Machine) -> str:
        """Of what else it is than of this package and this machine; empty if of both."""
        mine, theirs = self.recipe.network, _network(package)
        if mine['weights'] != theirs['weights']:
            return (
                f'it was built from other weights: fingerprint {mine["weights"]}, '
                f'the package has {theirs["weights"]}'
            )
        if mine != theirs:
            return 'it was built from another export of these weights'
        return self.recipe.machine.difference(machine)

    def load(self) -> bytes:
        """The engine itself.

        Raises:
            EngineError: it is not the file that was built.
        """
        try:
            plan = self.path.read_bytes()
        except OSError as error:
            raise EngineError(f'{self.path.name}: cannot be read: {error.strerror}') from error
        if len(plan) != self.nbytes:
            raise EngineError(
                f'{self.path.name}: corrupted: {len(plan)} of {self.nbytes} bytes; build it again'
            )
        if hashlib.sha256(plan).hexdigest() != self.sha256:
            raise EngineError(f'{self.path.name}: corrupted: another hash; build it again')
        return plan


def sidecar(engine: Path) -> Path:
    """Where the sidecar of an engine lies."""
    return engine.with_name(f'{engine.name}.json')


def engines(package: Package) -> list[Path]:
    """Engines that were built from packages of this name and folder, latest first."""
    found = package.folder.glob(f'{package.name}.*.engine')
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def find(package: Package, machine: Machine) -> EngineFile:
    """The latest engine of a package that nothing is known against.

    Raises:
        EngineError: there is none; for each engine that there is, the reason.
    """
    refusals = []
    for path in engines(package):
        try:
            engine = EngineFile.read(path)
        except EngineError as error:
            refusals.append(str(error))
            continue
        reason = engine.refusal(package, machine)
        if not reason:
            return engine
        refusals.append(f'{path.name}: {reason}')
    remedy = f'loc3r engine build {package.folder}'
    if not refusals:
        raise EngineError(f'no engine of {package.name} in {package.folder}; {remedy}')
    raise EngineError(f'no engine of {package.name} fits: {"; ".join(refusals)}; {remedy}')


def _network(package: Package) -> dict[str, Any]:
    """What of a package decides the engine; as JSON gives it back, to be compared."""
    about: dict[str, Any] = {
        'digest': package.digest,
        'weights': package.weights,
        'precision': package.precision,
        'opset': package.opset,
        'attention': package.attention,
        'tensors': asdict(package.signature),
        'exporter': package.exporter,
    }
    copied: dict[str, Any] = json.loads(json.dumps(about))
    return copied
