# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The weights in the package, where a checkout has them: small, whole, and not guessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loc3r_ros
from loc3r_ros.evaluation.examine import examine
from loc3r_ros.evaluation.subject import Robot
from loc3r_ros.training.bank import Bank
from loc3r_ros.vlm.spatial_vlm import SpatialVlm

TINY = Path(loc3r_ros.__file__).parent / 'tiny'

pytestmark = pytest.mark.skipif(
    not (TINY / 'vlm' / 'model.safetensors').is_file(), reason='no weights in this checkout'
)


def test_they_are_few_megabytes_with_a_card_of_their_own() -> None:
    assert sum(file.stat().st_size for file in TINY.rglob('*.safetensors')) <= 24e6
    card = (TINY / 'MODEL_CARD.md').read_text()
    for told in ('Apache-2.0', 'Procedural rooms only', 'commit', 'loc3r train', 'Acc@0.5 m'):
        assert told in card


def test_they_find_places_better_than_who_stays_in_the_middle(tmp_path: Path) -> None:
    vlm = SpatialVlm.load(TINY / 'vlm', device='cpu')
    assert vlm.reads_poses, 'poses come from depth'
    (episode,) = examine(Robot(None, vlm), Bank(tmp_path), [0], ['localization'])
    true = np.array([place.true for place in episode.places])
    told = np.array([place.told for place in episode.places])
    missed = np.hypot(*(told - true)[:, :2].T)
    from_middle = np.hypot(*(true - true.mean(0))[:, :2].T)
    assert len(true) >= 20
    assert np.median(missed) < np.median(from_middle)
