# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A tower that has learnt nothing looks where it is to look, and is as loud as what it reads."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from loc3r_ros.training.grounding import caught
from loc3r_ros.training.tower_begin import REACH, begin
from loc3r_ros.vlm.config import TINY
from loc3r_ros.vlm.model.loc3r import Loc3rVlm, build


@pytest.fixture(scope='module')
def model() -> Loc3rVlm:
    torch.manual_seed(0)
    model = build(TINY)
    begin(model)
    return model


def images(count: int) -> Tensor:
    """Blobs: images of rooms have little of high frequencies, noise has as much as of low ones."""
    coarse = torch.rand(count, 3, 12, 12) * 2 - 1
    return functional.interpolate(coarse, (128, 128), mode='bicubic').clamp(-1, 1)


@pytest.mark.parametrize('layer', range(4))
def test_heads_look_beside_each_patch(model: Loc3rVlm, layer: int) -> None:
    side, heads = TINY.patches, TINY.vision.heads
    attention = model.vision.encoder.layers[layer].self_attn
    with torch.no_grad(), caught([attention.q_proj, attention.k_proj]) as given:
        model.encode_images(images(2))
    query, key = (part[0].unflatten(-1, (heads, -1)).transpose(1, 2) for part in given)
    share = (query @ key.transpose(2, 3) / query.shape[-1] ** 0.5).softmax(-1)
    places = torch.arange(side * side)
    x, y, far = places % side, places // side, REACH[layer]
    for head, (across, down) in enumerate(((far, 0), (-far, 0), (0, far), (0, -far))):
        there = (x + across >= 0) & (x + across < side) & (y + down >= 0) & (y + down < side)
        sought = places + across + side * down
        found = share[:, head, places[there], sought[there]].mean()
        assert float(found) > 10 / side**2, (head, float(found))
    # Nobody told the others where to look.
    assert float(share[:, 4:].amax(-1).mean()) < 0.3


def test_it_is_as_loud_as_what_it_reads(model: Loc3rVlm) -> None:
    with torch.no_grad():
        seen = model.patch_states(model.encode_images(images(4)))
    assert 0.1 < float(seen.std()) < 3
    torch.manual_seed(0)
    still = build(TINY)
    with torch.no_grad():
        seen = still.patch_states(still.encode_images(images(4)))
    assert float(seen.std()) < 0.01
