# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Small networks, and the golden vectors where the development data is at hand."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch
from cut3r_networks import random_model

from loc3r_ros.cut3r import Cut3r, tiny


@pytest.fixture(scope='session', autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small gain nothing from threads, which on a busy machine only wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='session')
def linear() -> Cut3r:
    return random_model(tiny('linear'))


@pytest.fixture(scope='session')
def golden_dir(shared_dir: Path) -> Path:
    return shared_dir / 'golden' / 'cut3r'


@pytest.fixture(scope='session')
def rule(golden_dir: Path) -> ModuleType:
    """The rule that makes the golden weights and images."""
    spec = importlib.util.spec_from_file_location('golden_rule', golden_dir / 'rule.py')
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.self_check()
    return module


@pytest.fixture(scope='session')
def golden_model(golden_dir: Path, rule: ModuleType) -> Callable[[str, str], Cut3r]:
    """The model of a golden case, by its name and variant (`fp32` or `pub`)."""

    @cache
    def weights(name: str) -> dict[str, torch.Tensor]:
        shapes = json.loads((golden_dir / 'keys' / f'{name}.json').read_text())
        return {key: torch.from_numpy(rule.tensor(key, shape)) for key, shape in shapes.items()}

    @cache
    def build(name: str, variant: str) -> Cut3r:
        config = tiny('dpt' if 'dpt' in name else 'linear')
        with torch.device('meta'):
            model = Cut3r(replace(config, half_rounding=variant == 'pub'))
        model.load_state_dict(weights(name), assign=True)
        return model.eval()

    return build
