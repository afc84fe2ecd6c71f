# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Names and shapes of the parameters."""

from __future__ import annotations

import json

import pytest
import torch

from loc3r_ros.cut3r import FULL_DPT_512, FULL_LINEAR_224, Cut3r, tiny

MODELS = {
    'full_linear_224': (FULL_LINEAR_224, 1056, 748_443_655),
    'full_dpt_512': (FULL_DPT_512, 1248, 793_307_858),
    'tiny_linear': (tiny('linear'), 420, 5_526_439),
    'tiny_dpt': (tiny('dpt'), 612, 61_949_426),
}


@pytest.fixture(scope='module', params=MODELS)
def network(request) -> tuple[str, Cut3r]:
    with torch.device('meta'):
        return request.param, Cut3r(MODELS[request.param][0])


def test_counts(network):
    name, model = network
    _, entries, parameters = MODELS[name]
    assert len(model.state_dict()) == entries
    assert sum(p.numel() for p in model.parameters()) == parameters


@pytest.mark.shared
def test_key_lists(network, golden_dir):
    name, model = network
    expected = json.loads((golden_dir / 'keys' / f'{name}.json').read_text())
    assert {key: list(value.shape) for key, value in model.state_dict().items()} == expected


def test_what_a_dpt_head_lists_twice_is_one_tensor():
    with torch.device('meta'):
        scratch = Cut3r(tiny('dpt')).downstream_head.dpt_self.scratch
    assert scratch.layer_rn[2].weight is scratch.layer3_rn.weight
