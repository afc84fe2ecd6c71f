# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A folder of weights, recognised and planned before anything of it is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from torch import Tensor

from loc3r_ros.cut3r.fingerprint import digest_of
from loc3r_ros.errors import CheckpointError
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.weights.llava import LLAVA, TOWER, plan_llava, tower_name
from loc3r_ros.vlm.weights.plan import OURS, Plan, plan_ours
from loc3r_ros.vlm.weights.report import LoadReport, listed
from loc3r_ros.vlm.weights.roles import ROLES
from loc3r_ros.vlm.weights.shards import AGAIN, Stored, read_headers, read_json, read_tensors

OWN_PARTS = tuple(f'{role}.*' for role in ROLES)
"""What to allow for a LLaVA-Video that lacks Loc3R's parts: it answers, and cannot localize."""


@dataclass(frozen=True)
class WeightsFolder:
    """What a folder holds, by its headers.

    Attributes:
        path: the folder.
        plan: which tensor is which.
        stored: where tensors lie, by the model's own keys.
        missing, misshapen: the model's keys without a tensor, and complaints about shapes.
    """

    path: Path
    plan: Plan
    stored: dict[str, Stored]
    missing: tuple[str, ...]
    misshapen: tuple[str, ...]

    def check(self, allow: Sequence[str]) -> None:
        """Refuse what does not fit.

        Args:
            allow: fnmatch patterns of keys that may be missing (the model's) or unexpected (the
                files').

        Raises:
            CheckpointError: something else is missing or unexpected, or a shape is wrong.
        """
        missing = [key for key in self.missing if not _allowed(key, allow)]
        unexpected = [key for key in self.plan.unexpected if not _allowed(key, allow)]
        complaints = [f'wrong shape {listed(self.misshapen)}'] if self.misshapen else []
        complaints += [f'missing {listed(missing)}'] if missing else []
        complaints += [f'unexpected {listed(unexpected)}'] if unexpected else []
        if complaints:
            raise CheckpointError(
                f'{self.path}: these {self.plan.layout} weights do not fit the model: '
                f'{"; ".join(complaints)}. {_remedy(missing, self.misshapen)}'
            )

    def report(self, precision: str) -> LoadReport:
        """The balance, with the fingerprint: samples of each tensor are read for it."""
        config = json.dumps(self.plan.config.to_json())
        return LoadReport(
            folder=self.path,
            layout=self.plan.layout,
            matched={key: stored.key for key, stored in self.stored.items()},
            missing=self.missing,
            unexpected=self.plan.unexpected,
            unused=self.plan.unused,
            precision=precision,
            training=self.plan.training,
            fingerprint=digest_of(config, self._sorted()),
        )

    def _sorted(self) -> Iterator[tuple[str, Tensor]]:
        for key in sorted(self.stored):
            yield from read_tensors({key: self.stored[key]})


def look(path: Path | str) -> WeightsFolder:
    """Recognise a folder of weights; a file in it is taken for it.

    Raises:
        CheckpointError: no weights, damaged ones, or of a kind that is not known; what is missing
            or left over is not an error yet, see `WeightsFolder.check`.
    """
    folder = Path(path).expanduser()
    folder = folder.parent if folder.is_file() else folder
    stored = read_headers(folder)
    values = _config(folder)
    try:
        if values.get('model_type') == LLAVA:
            stored, tower = _with_tower(folder, values, stored)
            plan = plan_llava(values, _shapes(stored), tower)
        else:
            plan = plan_ours(values, _shapes(stored))
    except CheckpointError as error:
        raise CheckpointError(f'{folder}: {str(error).removeprefix(f"{folder}: ")}') from error
    return _compare(folder, plan, stored)


def _compare(folder: Path, plan: Plan, stored: dict[str, Stored]) -> WeightsFolder:
    wanted = {
        key: tuple(value.shape)
        for key, value in build(plan.config, 'meta').state_dict().items()
        if not (plan.config.text.tie_embeddings and key == 'lm_head.weight')
    }
    found = {key: stored[theirs] for key, theirs in plan.sources.items() if key in wanted}
    left = [theirs for key, theirs in plan.sources.items() if key not in wanted]
    misshapen = [
        f'{key} {list(found[key].shape)} where {list(wanted[key])} is expected'
        for key in sorted(found)
        if found[key].shape != wanted[key]
    ]
    whole = replace(plan, unexpected=tuple(sorted([*plan.unexpected, *left])))
    missing = tuple(sorted(wanted.keys() - found.keys()))
    return WeightsFolder(folder, whole, found, missing, tuple(misshapen))


def _config(folder: Path) -> dict[str, Any]:
    if not (folder / 'config.json').is_file():
        raise CheckpointError(
            f'{folder}: has no config.json, which tells the dimensions of the model; {AGAIN}'
        )
    values = read_json(folder / 'config.json')
    if values.get('model_type') not in (LLAVA, OURS):
        raise CheckpointError(
            f'{folder}: config.json is of model type {values.get("model_type")!r}; {LLAVA!r} '
            f'(LLaVA-Video, Loc3R-VLM) and {OURS!r} (our own) can be read. LLaVA models converted '
            'for transformers have other names: take the original ones'
        )
    return values


def _with_tower(
    folder: Path, values: dict[str, Any], stored: dict[str, Stored]
) -> tuple[dict[str, Stored], dict[str, Any] | None]:
    """Tensors with those of an image tower that lies beside, and that tower's config.json."""
    name = tower_name(values)
    places = [folder / name, folder.parent / name, folder.parent / 'siglip'] if name else []
    beside = next((place for place in places if (place / 'config.json').is_file()), None)
    tower = read_json(beside / 'config.json') if beside else None
    if any(key.startswith(TOWER) for key in stored):
        return stored, tower
    if beside is None:
        raise CheckpointError(
            f'{folder}: holds no image tower, and {name or "config.json names none, so none"} is '
            f'not beside it; get it: loc3r weights fetch siglip -o {folder / (name or "siglip")}'
        )
    found = {TOWER + key: value for key, value in read_headers(beside).items()}
    return stored | found, tower


def _shapes(stored: dict[str, Stored]) -> dict[str, tuple[int, ...]]:
    return {key: value.shape for key, value in stored.items()}


def _allowed(key: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def _remedy(missing: Sequence[str], misshapen: Sequence[str]) -> str:
    if misshapen:
        if all(_allowed(complaint, OWN_PARTS) for complaint in misshapen):
            return (
                "Loc3R's own parts have other widths than vlm/model/assumptions.py takes them for"
            )
        return f'Is config.json that of these weights? If so, {AGAIN}'
    if missing and all(_allowed(key, OWN_PARTS) for key in missing):
        return (
            "These are Loc3R's own parts: use weights that have them (loc3r weights fetch "
            'loc3r-vlm), or allow them by name (--vlm-allow "camera_projector.*" --vlm-allow '
            '"*_head.*") to get answers without localization'
        )
    return (
        f'Either {AGAIN}, or allow these by name (--vlm-allow) if you know that they do not matter'
    )
