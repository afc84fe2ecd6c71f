# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The simplest situations are true, and of all kinds."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest

from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.training.loc3r_examples import in_bev, in_map
from loc3r_ros.training.pointing import pointing

PLACES = {'sofa': (1.0, 2.0), 'lamp': (1.2, 2.1), 'coffee table': (-3.0, 0.5), 'bed': (4.0, -2.0)}


def test_they_are_true() -> None:
    rng, kinds = np.random.default_rng(0), Counter[str]()
    for _ in range(300):
        made = pointing(rng, PLACES)
        assert made is not None
        named = re.findall('|'.join(PLACES), made.said)
        assert len(set(named)) == len(named)
        if made.yaw is None:
            kinds['beside'] += 1
            assert named and made.position == PLACES[named[0]]
            continue
        faced = re.search(r'(?:facing|look at|me is) the ([a-z ]+)\.', made.said)
        assert faced is not None
        at = [PLACES[name] for name in named if name != faced[1]]
        kinds['between' if len(at) == 2 else 'next to'] += 1
        assert ('halfway between' in made.said) == (len(at) == 2)
        assert made.position == pytest.approx(tuple(np.mean(at, 0)))
        ahead = np.subtract(PLACES[faced[1]], made.position)
        assert np.hypot(*ahead) >= 0.5
        assert math.atan2(ahead[1], ahead[0]) == pytest.approx(made.yaw)
    assert min(kinds.values()) > 60 and len(kinds) == 3


def test_they_need_things() -> None:
    rng = np.random.default_rng(0)
    assert pointing(rng, {}) is None
    assert all(pointing(rng, {'sofa': (1.0, 2.0)}).yaw is None for _ in range(9))
    near = {'sofa': (1.0, 2.0), 'lamp': (1.1, 2.0)}
    assert all(pointing(rng, near).yaw is None for _ in range(9))


def test_poses_go_to_the_map_and_back() -> None:
    T_map_bev = pose(exp_so3([0, 0, 2.5]), [3.0, -1.0, 0.0])
    position, yaw = in_map((1.0, 2.0), 1.5, T_map_bev)
    at, heading = in_bev(position, yaw, T_map_bev)
    np.testing.assert_allclose([*at, heading], [1.0, 2.0, 1.5])
    assert in_map((1.0, 2.0), None, T_map_bev)[1] is None
