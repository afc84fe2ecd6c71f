# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Videos that are varied are still of one world: what they show lies where it is said to."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
from made_up import examples, video

from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, invert, pose, transform
from loc3r_ros.training.bank import SHOWN, some
from loc3r_ros.training.grounding import Named
from loc3r_ros.training.naming import varied
from loc3r_ros.training.variety import frames_of, mirrored, tinted
from loc3r_ros.vlm.situated import bev_in_map


def test_frames_are_drawn_from_even_parts() -> None:
    rng = np.random.default_rng(0)
    assert frames_of(64, 8).tolist() == list(range(0, 64, 8))
    drawn = np.stack([frames_of(64, 8, rng) for _ in range(50)])
    assert (drawn // 8 == np.arange(8)).all() and (drawn % SHOWN == 0).all()
    assert all(len(set(column)) == 8 // SHOWN for column in drawn.T.tolist())
    assert frames_of(64, SHOWN, rng).tolist() == list(range(0, 64, SHOWN))
    assert frames_of(61, 8, rng).max() <= 60


def test_in_a_mirror_things_lie_across() -> None:
    footage = video().footage
    T = pose(exp_so3([0, 0, 0.4]), [1.0, 0.5, 1.2]) @ T_BODY_OPTICAL
    instance = np.zeros((8, 30, 40), np.int32)
    instance[:, :, :20] = 1
    footage = some(footage, np.arange(8))
    footage.instance[:] = instance
    footage.T_map_optical[:] = T
    seen = mirrored(footage)
    names = ('', 'sofa')
    before, after = (
        Named(f, names, bev_in_map(f.T_map_optical[0])).places['sofa'] for f in (footage, seen)
    )
    # In the frame of the camera's own heading left is right, but for the pixels that are sampled.
    np.testing.assert_allclose(after, [before[0], -before[1]], atol=0.3)
    assert before[1] > 0.3
    np.testing.assert_allclose(np.linalg.det(seen.T_map_optical), 1.0)
    there = transform(invert(T), np.array([3.0, 1.0, 0.7]))
    across = transform(invert(seen.T_map_optical[0]), np.array([3.0, -1.0, 0.7]))
    np.testing.assert_allclose(
        seen.camera.cx + seen.camera.fx * across[0] / across[2],
        39 - (footage.camera.cx + footage.camera.fx * there[0] / there[2]),
    )
    assert np.array_equal(seen.rgb[..., ::-1, :], footage.rgb)


def test_a_tint_changes_colours_and_nothing_else() -> None:
    footage = video().footage
    seen = tinted(footage, np.random.default_rng(0))
    assert seen.rgb.dtype == np.uint8 and (seen.rgb != footage.rgb).mean() > 0.5
    assert seen.depth is footage.depth and seen.T_map_optical is footage.T_map_optical


def test_training_varies_and_checks_do_not(tmp_path: Path) -> None:
    shown = examples(tmp_path, questions=0, situations=0, pointings=2, strides=(4,))
    looks = [shown.at(step, 0) for step in range(8)]
    assert len({look['pixels'].numpy().tobytes() for look in looks}) == 8
    turned = {tuple(look['places'][:, :, 1].mean(1).sign().tolist()) for look in looks}
    assert len(turned) > 1  # some of them mirrored
    assert np.array_equal(shown.held_out(0)['pixels'], shown.held_out(0)['pixels'])
    spoken = examples(tmp_path, situations=1, strides=(4,))
    turned = {
        tuple(spoken.at(step, 0)['places'][:, :, 1].mean(1).sign().tolist()) for step in range(8)
    }
    assert len(turned) == 1  # `on my left` must stay there


def test_stills_in_a_mirror_keep_their_names() -> None:
    """A picture of columns, each patch of the colour of its name."""
    pixels = torch.zeros(1, 3, 12, 14)
    names = torch.arange(3).repeat(3, 1).flatten()[None, :, None].repeat(1, 1, 2)
    for column in range(3):
        pixels[..., 4 * column : 4 * column + 4] = 0.1 * column
    example = {'pixels': pixels.half(), 'names': names, 'log_depth': names[..., 0].float()}
    seen = [varied(example, np.random.default_rng(k), 3, 12) for k in range(8)]
    middles = [s['pixels'][0, 0, 0, 1:12:4].argsort().tolist() for s in seen]
    assert [0, 1, 2] in middles and [2, 1, 0] in middles
    for s, middle in zip(seen, middles, strict=True):
        assert s['names'][0, :3, 0].argsort().tolist() == middle
        assert torch.equal(s['names'][..., 0].float(), s['log_depth'])
    assert len({float(s['pixels'].sum()) for s in seen}) == 8 and not pixels[..., 12:].any()
