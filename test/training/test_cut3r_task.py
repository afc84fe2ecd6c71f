# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R's losses by hand, and that a network learns by them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from wall_footage import Wall

from loc3r_ros.cut3r.checkpoint import load_checkpoint
from loc3r_ros.cut3r.config import SHIPPED, tiny
from loc3r_ros.cut3r.encoder import PoseEncoder
from loc3r_ros.geometry import exp_so3, invert, pose
from loc3r_ros.training.cut3r_begin import CODES, DEPTH, begin
from loc3r_ros.training.cut3r_clips import ClipExamples, Stage
from loc3r_ros.training.cut3r_losses import (
    ALPHA,
    displacements,
    match_loss,
    mean_distance,
    point_loss,
    pose_losses,
    steps,
)
from loc3r_ros.training.cut3r_task import WEIGHTS, Cut3rTask
from loc3r_ros.types import Frame

EXAMPLES = ClipExamples(Wall(), tiny('linear'), (Stage(10, 3),), frames=6, rooms=3)


def task() -> Cut3rTask:
    return Cut3rTask(begin(EXAMPLES.config, 0), EXAMPLES)


def test_point_loss_by_hand() -> None:
    truth = torch.zeros(1, 1, 2, 2, 3)
    points = truth + torch.tensor([0.3, 0.0, 0.4])
    confidence = torch.full((1, 1, 2, 2), 2.0)
    loss = point_loss(points, confidence, truth, torch.tensor([2.0]))
    assert abs(float(loss) - (2 * 0.25 - ALPHA * np.log(2))) < 1e-6


def test_unknown_depth_counts_for_nothing() -> None:
    torch.manual_seed(0)
    truth, points = torch.rand(2, 1, 4, 4, 3), torch.rand(2, 1, 4, 4, 3, requires_grad=True)
    confidence = 1 + torch.rand(2, 1, 4, 4)
    scale = mean_distance(truth)
    cut = truth.clone()
    cut[:, :, 2:] = torch.nan
    loss = point_loss(points, confidence, cut, scale)
    loss.backward()
    above = point_loss(points[:, :, :2], confidence[:, :, :2], truth[:, :, :2], scale)
    assert abs(float(loss.detach() - above.detach())) < 1e-6
    assert points.grad is not None and points.grad.isfinite().all()
    assert (points.grad[:, :, 2:] == 0).all() and (points.grad[:, :, :2] != 0).all()
    nothing = torch.full_like(truth, torch.nan)
    assert float(point_loss(points, confidence, nothing, mean_distance(nothing)).detach()) == 0


def test_pose_losses_by_hand() -> None:
    T = torch.eye(4).expand(1, 2, 4, 4).clone()
    wrong = T.clone()
    wrong[0, 1] = torch.from_numpy(pose(exp_so3([0, 0.6, 0]), [0.3, 0, 0.4])).float()
    place, rotation = pose_losses(wrong, T, torch.tensor([2.0]))
    assert abs(float(place) - 0.25 / 2) < 1e-3
    assert abs(float(rotation) - 2 * np.sin(0.3) / 2 * 2**0.5 / 2**0.5) < 1e-3


def test_a_displacement_is_where_the_patch_was_before() -> None:
    """A wall at 2 m; the camera went 0.2 m to the right, so all of it came from the right."""
    lens = torch.tensor([[64.0, 64.0, 32.0, 32.0]])
    v, u = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing='ij')
    points = torch.stack([(u - 32) / 32, (v - 32) / 32, torch.full_like(u, 2)], -1)[None]
    T = torch.from_numpy(pose(np.eye(3), [0.2, 0, 0])).float()[None]
    moved, inside = displacements(points, lens, T, 16)
    assert torch.allclose(moved[inside], torch.tensor([6.4 / 16, 0.0]), atol=1e-5)
    # The middle of the last column, 56 + 6.4, was still in the image; 10 pixels more are not.
    assert inside.all()
    T[:, 0, 3] = 0.5
    _, inside = displacements(points, lens, T, 16)
    assert inside.view(4, 4)[:, :3].all() and not inside.view(4, 4)[:, 3].any()
    points[:, 8, 8] = torch.nan
    moved, inside = displacements(points, lens, T, 16)
    assert moved.isfinite().all() and not inside[0, 0]
    told = torch.zeros_like(moved)
    assert float(match_loss(told, moved, inside)) == pytest.approx(1.0, abs=1e-4)
    assert float(match_loss(told, moved, inside & False)) == 0


def test_who_stands_still_misses_all_of_the_way() -> None:
    trained, batch = task(), EXAMPLES.at(0, 0)
    with torch.no_grad():
        weight = dict(trained.model.named_parameters())
        weight['downstream_head.pose_head.mlp.fc2.weight'].zero_()
        losses = trained(batch)
    assert float(losses['missed turn']) == pytest.approx(1, abs=1e-4)
    assert float(losses['missed way']) == pytest.approx(1, abs=1e-3)


def test_steps_are_relative_poses() -> None:
    rng = np.random.default_rng(0)
    T = np.stack([pose(exp_so3(rng.normal(size=3)), rng.normal(size=3)) for _ in range(4)])
    found = steps(torch.from_numpy(T)[None])[0].numpy()
    assert np.allclose(found, invert(T[:-1]) @ T[1:])


def test_a_new_network_stands_still_before_a_wall() -> None:
    encoder = PoseEncoder(begin(SHIPPED, 0))
    footage = Wall().footage(0, 0)
    for i in range(3):
        seen = encoder.observe(Frame(0.1 * i, footage.rgb[i], footage.camera))
        assert np.abs(seen.T_world_camera - np.eye(4)).max() < 0.5
        assert abs(np.median(seen.points_camera[..., 2]) - DEPTH) < 1


def test_a_new_network_has_a_notion_of_how_the_image_moved() -> None:
    """Before any training, the camera token tells to which side what was seen has gone."""
    model, rng = begin(SHIPPED, 0), np.random.default_rng(0)
    told, shifts = [], rng.integers(-10, 11, (40, 2))
    for dx, dy in shifts:
        texture = cv2.GaussianBlur(rng.random((160, 160, 3), np.float32), (0, 0), 8)
        texture = 0.5 * (texture - texture.mean()) / texture.std()
        stream = model.initial()
        for first, (x, y) in ((True, (16, 16)), (False, (16 + dx, 16 + dy))):
            image = texture[y : y + 128, x : x + 128].transpose(2, 0, 1)[None].copy()
            with torch.inference_mode():
                output = model.step(torch.from_numpy(image), stream, first=first, camera_only=True)
            stream = output.stream
        told.append(output.camera_token[0, -CODES:].numpy())
    along = np.corrcoef(np.array(told)[:, :2].T, shifts.T)[:2, 2:]
    assert (along.diagonal() > 0.3).all()
    assert (np.abs([along[0, 1], along[1, 0]]) < 0.3).all()


def test_a_new_network_keeps_each_place_apart() -> None:
    """Another image leads to another state there where it differs, more than elsewhere."""
    model = begin(SHIPPED, 0)
    image = torch.zeros(1, 3, 128, 128)
    other = image.clone()
    other[..., 64:80, 32:48] = 1.0
    with torch.inference_mode():
        # Before its own blocks mix them, the patches differ at one place.
        features = [model.patch_embed(x) for x in (image, other)]
        first, second = (
            model.advance(x, (8, 8), model.initial(), first=True, camera_only=True).state[0]
            for x in features
        )
    changed = (second - first).norm(dim=-1).view(8, 8)
    assert changed.argmax() == 4 * 8 + 2
    assert changed[4, 2] > 3 * changed.median()


def test_training_sees_what_the_encoder_sees() -> None:
    """Told its own poses and points, a network has nothing to learn of them."""
    trained = task().eval()
    batch = EXAMPLES.at(0, 0)
    encoder = PoseEncoder(trained.model)
    for clip in range(2):
        encoder.reset()
        seen = [
            encoder.observe(Frame(0.0, image.permute(1, 2, 0).contiguous().numpy(), None))
            for image in batch['image'][clip]
        ]
        told = batch['dense'][clip]
        depth = np.stack([seen[i].points_camera[..., 2] for i in told.tolist()])
        batch['depth'][clip] = torch.from_numpy(depth)
        T = torch.from_numpy(np.stack([s.T_world_camera for s in seen]))
        batch['T_first_camera'][clip] = T
    with torch.no_grad():
        losses = trained(batch)
    for name in ('place', 'rotation', 'step place', 'step rotation'):
        assert float(losses[name]) < 5e-4, name
    # Depth is told in half precision.
    assert float(losses['AbsRel']) < 1e-3


def test_a_few_steps_make_the_loss_much_smaller() -> None:
    trained = task()
    batch = EXAMPLES.at(0, 0)
    optimizer = torch.optim.AdamW([p for p in trained.parameters() if p.requires_grad], lr=3e-3)
    totals = []
    for _ in range(25):
        losses = trained(batch)
        losses['total'].backward()
        optimizer.step()
        optimizer.zero_grad()
        totals.append({name: float(value.detach()) for name, value in losses.items()})
    first, last = totals[0], totals[-1]
    assert last['total'] < 0.6 * first['total']
    assert last['rotation'] + last['place'] < 0.8 * (first['rotation'] + first['place'])


def test_what_is_trained_is_what_the_losses_depend_on() -> None:
    trained = task()
    trained(EXAMPLES.at(0, 0))['total'].backward()
    parameters = dict(trained.model.named_parameters())
    assert all(p.requires_grad == (p.grad is not None) for p in parameters.values())
    still = {name for name, p in parameters.items() if not p.requires_grad}
    assert 'masked_img_token' in still and 'patch_embed_ray_map.proj.weight' in still
    assert len(still) < len(parameters) / 4


def test_export_is_what_the_encoder_loads(tmp_path: Path) -> None:
    trained = Cut3rTask(begin(SHIPPED, 0), EXAMPLES)
    trained.export(tmp_path, {'licence': 'Apache-2.0', 'recipe': 'none'})
    assert (tmp_path / WEIGHTS).stat().st_size < 9.4e6
    loaded = load_checkpoint(tmp_path / WEIGHTS)
    assert loaded.trained and loaded.config == SHIPPED
    for name, value in trained.model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name
