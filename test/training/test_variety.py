# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Videos that are varied are still of one world: what they show lies where it is said to."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
from made_up import examples, video

from loc3r_ros.training.bank import SHOWN
from loc3r_ros.training.naming import varied
from loc3r_ros.training.variety import frames_of, tinted


def test_frames_are_drawn_from_even_parts() -> None:
    rng = np.random.default_rng(0)
    assert frames_of(64, 8).tolist() == list(range(0, 64, 8))
    drawn = np.stack([frames_of(64, 8, rng) for _ in range(50)])
    assert (drawn // 8 == np.arange(8)).all() and (drawn % SHOWN == 0).all()
    assert all(len(set(column)) == 8 // SHOWN for column in drawn.T.tolist())
    assert frames_of(64, SHOWN, rng).tolist() == list(range(0, 64, SHOWN))
    assert frames_of(61, 8, rng).max() <= 60


def test_a_tint_changes_colours_and_nothing_else() -> None:
    footage = video().footage
    seen = tinted(footage, np.random.default_rng(0))
    assert seen.rgb.dtype == np.uint8 and (seen.rgb != footage.rgb).mean() > 0.5
    assert seen.depth is footage.depth and seen.T_map_optical is footage.T_map_optical


def test_training_varies_and_checks_do_not(tmp_path: Path) -> None:
    shown = examples(tmp_path, questions=0, situations=0, pointings=2, strides=(4,))
    looks = [shown.at(step, 0) for step in range(8)]
    assert len({look['pixels'].numpy().tobytes() for look in looks}) == 8
    assert np.array_equal(shown.held_out(0)['pixels'], shown.held_out(0)['pixels'])


def test_stills_in_a_mirror_keep_their_names() -> None:
    """A picture of columns, each patch of the colour of its name."""
    pixels = torch.zeros(1, 3, 12, 14)
    names = torch.arange(3).repeat(3, 1).flatten()[None, :, None].repeat(1, 1, 2)
    for column in range(3):
        pixels[..., 4 * column : 4 * column + 4] = 0.1 * column
    across = torch.tensor([-1.0, 0.0, 1.0]).repeat(3)[None, :, None]
    points = torch.cat([across, torch.zeros(1, 9, 1), torch.ones(1, 9, 1)], -1)
    example = {'pixels': pixels.half(), 'names': names, 'points': points}
    seen = [varied(example, np.random.default_rng(k), 3, 12) for k in range(8)]
    middles = [s['pixels'][0, 0, 0, 1:12:4].argsort().tolist() for s in seen]
    assert [0, 1, 2] in middles and [2, 1, 0] in middles
    for s, middle in zip(seen, middles, strict=True):
        assert s['names'][0, :3, 0].argsort().tolist() == middle
        assert torch.equal(s['points'], points)  # columns change places, and what is left is right
    assert len({float(s['pixels'].sum()) for s in seen}) == 8 and not pixels[..., 12:].any()
