# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""An exported network on disk, and what it must compute; read without PyTorch.

NAME.onnx                 the graph
NAME.onnx.data            its weights, where they lie outside the graph
NAME.golden.safetensors   the initial state; inputs of recurrent steps and their float32 outputs
NAME.json                 what it is, in clear, and the SHA-256 of the files above
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from loc3r_ros.errors import EngineError, InputError
from loc3r_ros.runtime.golden import Golden
from loc3r_ros.runtime.session import Signature, StateSpec, TensorSpec

FORMAT = 'loc3r_package_1'
PRECISIONS = ('fp32', 'fp16')


@dataclass(frozen=True)
class Package:
    """What `NAME.json` says.

    Attributes:
        folder: where the files lie.
        name: NAME.
        weights: fingerprint of the weights and dimensions (`PoseEncoder.fingerprint`).
        precision: of the products, `fp32` or `fp16`; the state is float32 in both.
        opset: of ONNX.
        attention: `decomposed` (TensorRT 10.3 to 10.13) or `operator` (10.15 and later).
        signature: names, shapes and dtypes.
        files: SHA-256 of each file, by its name.
        network: what the network is and which of its rules are in the graph; for its own room.
        exporter: versions of what wrote it.
    """

    folder: Path
    name: str
    weights: str
    precision: str
    opset: int
    attention: str
    signature: Signature
    files: dict[str, str]
    network: dict[str, Any] = field(default_factory=dict)
    exporter: dict[str, str] = field(default_factory=dict)

    @property
    def onnx(self) -> Path:
        """The graph."""
        return self.folder / f'{self.name}.onnx'

    @cached_property
    def golden(self) -> Golden:
        """What the network must compute.

        Raises:
            InputError: the file is missing or damaged.
        """
        return Golden.read(golden_path(self.folder, self.name))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the hashes of all files: what an engine built from them is keyed by."""
        return hashlib.sha256(json.dumps(self.files, sort_keys=True).encode()).hexdigest()

    def verify(self) -> None:
        """Hash every file; some seconds for a network of full size.

        Raises:
            EngineError: a file is missing or is not the one that was exported.
        """
        for name, expected in self.files.items():
            path = self.folder / name
            if not path.is_file():
                raise EngineError(f'{path} is missing; export the package again')
            if sha256(path) != expected:
                raise EngineError(f'{path} is not the file that was exported; export it again')

    def write(self) -> None:
        """Write `NAME.json`, after all the other files."""
        about = asdict(self) | {'format': FORMAT}
        del about['folder']
        path = self.folder / f'{self.name}.json'
        partial = path.with_suffix('.partial')
        partial.write_text(json.dumps(about, indent=2) + '\n')
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Package:
        """Read `NAME.json`.

        Raises:
            InputError: missing, or not what `write` writes.
        """
        try:
            about = json.loads(path.read_text())
            if about.pop('format') != FORMAT:
                raise ValueError(f'its format is not {FORMAT}')
            about['signature'] = _signature(about['signature'])
            return cls(folder=path.parent, **about)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f'{path}: not the description of an engine package: {error}'
            ) from error


def packages(folder: Path) -> list[Package]:
    """The packages in a folder, by name; other JSON files are passed over."""
    found = []
    for path in sorted(folder.glob('*.json')):
        try:
            found.append(Package.read(path))
        except InputError:
            continue
    return found


def golden_path(folder: Path, name: str) -> Path:
    """Where the golden steps of a package lie."""
    return folder / f'{name}.golden.safetensors'


def sha256(path: Path) -> str:
    """Of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _signature(about: dict[str, Any]) -> Signature:
    return Signature(
        _specs(TensorSpec, about['inputs']),
        _specs(TensorSpec, about['outputs']),
        _specs(StateSpec, about['state']),
    )


def _specs(kind: type[Any], rows: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(kind(**{**row, 'shape': tuple(row['shape'])}) for row in rows)
