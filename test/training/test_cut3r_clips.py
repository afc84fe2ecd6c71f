# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What CUT3R is shown, and that what it is told of it is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from wall_footage import CAMERA, DISTANCE, Wall

from loc3r_ros.cut3r.config import tiny
from loc3r_ros.cut3r.preprocess import plan_for
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import exp_so3, invert, pose
from loc3r_ros.training import cut3r_reels
from loc3r_ros.training.cut3r_clips import (
    ClipExamples,
    Stage,
    cut_clip,
    depth_of,
    gentle_walk,
    points_of,
    walk,
)
from loc3r_ros.training.cut3r_reels import Reels, make_reel
from loc3r_ros.world.splits import TRAIN, VALIDATION

CONFIG = tiny('linear')
EXAMPLES = ClipExamples(Wall(), CONFIG, (Stage(10, 4), Stage(20, 8), Stage(30, 32)), frames=16)


def test_an_example_follows_from_its_number_alone() -> None:
    first, again, other = EXAMPLES.at(3, 1), EXAMPLES.at(3, 1), EXAMPLES.at(3, 2)
    assert all(torch.equal(first[name].nan_to_num(), again[name].nan_to_num()) for name in first)
    assert not torch.equal(first['image'], other['image'])


@pytest.mark.parametrize(
    ('step', 'clips', 'frames'), [(0, 4, 4), (9, 4, 4), (10, 2, 8), (25, 1, 32), (99, 1, 32)]
)
def test_clips_grow_and_the_work_of_a_step_stays(step: int, clips: int, frames: int) -> None:
    batch = EXAMPLES.at(step, 0)
    assert batch['image'].shape == (clips, frames, 3, 64, 64)
    assert batch['depth'].shape == (clips, frames // 2, 64, 64)
    assert EXAMPLES.collate([batch, batch])['image'].shape[0] == 2 * clips


def test_training_and_held_out_rooms_differ() -> None:
    asked: list[int] = []

    class Listening(Wall):
        def footage(self, seed: int, number: int):
            asked.append(seed)
            return super().footage(seed, number)

    examples = ClipExamples(Listening(), CONFIG, (Stage(10, 4),), frames=16, rooms=50)
    examples.at(0, 0)
    assert all(TRAIN.start <= seed < TRAIN.start + 50 for seed in asked)
    asked.clear()
    examples.held_out(3)
    assert len(asked) == 4 and all(seed in VALIDATION for seed in asked)


@pytest.mark.parametrize('seed', range(6))
def test_points_and_poses_agree_with_what_is_seen(seed: int) -> None:
    """Seen from wherever, a place on the wall has one colour: mirrored and relit, too."""
    clip = cut_clip(Wall().footage(1, 0), CONFIG, np.random.default_rng(seed), np.arange(3, 11), 8)
    T = clip['T_first_camera'][0].double()
    points = points_of(clip['depth'], clip['camera'])[0].double()
    world = torch.einsum('fij,fhwj->fhwi', T[:, :3, :3], points) + T[:, None, None, :3, 3]
    known = world.isfinite().all(-1)
    assert 0.9 < known.double().mean() < 1
    # The wall is one plane in the first camera's frame.
    flat = world[known] - world[known].mean(0)
    assert torch.linalg.svdvals(flat)[-1] / len(flat) ** 0.5 < 2e-3
    # Colour grows with one coordinate, whatever the light.
    red = clip['image'][0, :, 0].double()[known]
    along = flat @ torch.linalg.lstsq(flat, (red - red.mean())[:, None]).solution[:, 0]
    assert abs(np.corrcoef(along, red)[0, 1]) > 0.995


def test_points_project_to_the_pixels_of_the_network() -> None:
    footage = Wall().footage(1, 0)
    plan = plan_for(footage.rgb[0], CONFIG)
    camera = plan.camera(CAMERA)
    depth = torch.from_numpy(depth_of(footage, plan, [5]))[None]
    lens = torch.tensor([[camera.fx, camera.fy, camera.cx, camera.cy]])
    points = points_of(depth, lens)[0, 0].double().numpy()
    pixels = camera.project(points).reshape(64, 64, 2)
    v, u = np.mgrid[:64, :64]
    known = np.isfinite(points[..., 2])
    assert np.abs(pixels - np.stack([u, v], -1))[known].max() < 1e-3
    on_wall = points @ footage.T_map_optical[5, :3, :3].T + footage.T_map_optical[5, :3, 3]
    # The depth is that of the nearest pixel before the image was resampled.
    assert np.abs(on_wall[known][:, 2] - DISTANCE).max() < 0.02


def test_a_clip_goes_on_and_rests() -> None:
    rng = np.random.default_rng(0)
    walks = np.stack([walk(rng, 128, 40) for _ in range(50)])
    assert walks.min() >= 0 and walks.max() < 128
    moves = np.diff(walks, axis=1)
    assert set(np.unique(moves)) == {0, 1, 2, 3}
    assert 0.05 < (moves == 0).mean() < 0.2
    # A reel that is shorter than the clip ends early.
    short = walk(rng, 30, 40)
    assert len(short) == 40 and short.max() < 30 and (np.diff(short) >= 0).all()


def test_a_gentle_clip_turns_no_further_than_it_may() -> None:
    angles = np.cumsum(np.linspace(0.0, 0.12, 60))
    T = np.stack([pose(exp_so3((0.0, a, 0.0)), np.zeros(3)) for a in angles])

    def furthest(shown) -> float:
        return float(np.abs(np.diff(angles[shown])).max())

    rng = np.random.default_rng(0)
    walks = [gentle_walk(rng, T, 3, 0.1) for _ in range(50)]
    assert max(map(furthest, walks)) < 0.1 + 1e-6
    assert furthest(gentle_walk(rng, T, 3, np.pi)) > 0
    # Nothing is that gentle; what is closest to it is taken.
    least = [furthest(gentle_walk(rng, T[30:], 8, 0.01)) for _ in range(20)]
    assert np.median(least) < np.median([furthest(walk(rng, 30, 8) + 30) for _ in range(200)])


def test_the_first_camera_is_the_world() -> None:
    batch = EXAMPLES.at(0, 0)
    assert torch.allclose(batch['T_first_camera'][:, 0], torch.eye(4).expand(4, 4, 4), atol=1e-6)


def test_a_reel_is_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut3r_reels, 'FRAMES', 3)
    made = make_reel(TRAIN.start, 0)
    reels = Reels(tmp_path)
    for _ in range(2):
        read = reels.footage(TRAIN.start, 0)
        assert np.array_equal(read.rgb, made.rgb) and read.camera == made.camera
        assert np.array_equal(read.T_map_optical, made.T_map_optical)
        assert np.nanmax(np.abs(read.depth - made.depth) / made.depth) < 1e-3
    assert len(list(tmp_path.iterdir())) == 1
    moved = invert(made.T_map_optical[0]) @ made.T_map_optical[2]
    assert 0 < np.linalg.norm(moved[:3]) < 4
    (tmp_path / f'{TRAIN.start}_0.npz').write_bytes(b'no reel')
    with pytest.raises(InputError, match='damaged reel'):
        reels.footage(TRAIN.start, 0)
