# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which tensor of a folder becomes which of the model's: from names and shapes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.vlm.config import VlmConfig
from loc3r_ros.vlm.weights.roles import Shapes

OURS = 'loc3r_vlm'
"""`model_type` in the config.json of our own layout."""

_ABOUT = ('model_type', 'training')
"""What config.json says beside the dimensions: whose it is, and how it was trained, in words."""


@dataclass(frozen=True)
class Plan:
    """How to read one folder.

    Attributes:
        layout: its name, for the report.
        config: dimensions of the model.
        sources: the key in the files by the model's own.
        unexpected: keys in the files that nothing here knows.
        unused: reasons by key in the files, for those that are known and not needed.
        training: how the weights were trained, in words; empty where nobody says so.
    """

    layout: str
    config: VlmConfig
    sources: dict[str, str]
    unexpected: tuple[str, ...] = ()
    unused: Mapping[str, str] = field(default_factory=dict)
    training: str = ''


def plan_ours(values: Mapping[str, Any], shapes: Shapes) -> Plan:
    """Read our own layout, in which all names are the model's.

    Args:
        values: of config.json.
        shapes: by key, of the files.

    Raises:
        CheckpointError: config.json is not one of ours.
    """
    dimensions = {name: value for name, value in values.items() if name not in _ABOUT}
    try:
        config = VlmConfig.from_json(dimensions)
    except InputError as error:
        raise CheckpointError(f'config.json: {error}') from error
    training = str(values.get('training') or '')
    return Plan('loc3r_ros', config, {key: key for key in shapes}, training=training)
