# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The ray caster against geometry worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import exp_so3, invert, pose, transform
from loc3r_ros.world.renderer import Renderer
from loc3r_ros.world.robot import camera_of, optical_poses
from loc3r_ros.world.room import generate_room
from loc3r_ros.world.scene import Item, Light, Material, Scene, Shape, Solid
from loc3r_ros.world.tour import Tour

CAMERA = PinholeCamera(70, 50, 60.0, 62.0, 34.2, 25.1)
GREY = Material(np.full((4, 4, 3), 128, np.uint8))


def scene_of(*solids: Solid) -> Scene:
    items = tuple(
        Item('thing', k + 1, solid.size, np.eye(4), (solid,)) for k, solid in enumerate(solids)
    )
    light = Light((0.0, 0.0, 2.0), (1.0, 1.0, 1.0), 2.0, 0.05)
    return Scene(0, np.array([6.0, 6.0, 3.0]), items, (light,), (0.3, 0.3, 0.3))


def solid(shape: Shape, size, T=None, material: Material = GREY) -> Solid:
    return Solid(shape, np.array(size, float), np.eye(4) if T is None else T, material)


def look(scene: Scene, T=None, camera: PinholeCamera = CAMERA):
    view = Renderer(scene).render(camera, np.eye(4) if T is None else T)
    return view.rgb[0].numpy(), view.depth[0].numpy(), view.instance[0].numpy()


def expected_depth(shape: Shape, size, T_world_solid, T_world_camera, camera) -> np.ndarray:
    """Depth by a dense march in float64 with bisection: no formula shared with the caster."""
    rays = np.concatenate([camera.rays, np.ones((camera.height, camera.width, 1))], -1)
    T = invert(T_world_solid) @ T_world_camera
    half = np.array(size) / 2

    def inside(z):
        p = transform(T, rays[..., None, :].astype(np.float64) * z[..., None]) / half
        if shape is Shape.BOX:
            return np.abs(p).max(-1) <= 1
        if shape is Shape.SPHERE:
            return np.linalg.norm(p, axis=-1) <= 1
        return (np.hypot(p[..., 0], p[..., 1]) <= 1) & (np.abs(p[..., 2]) <= 1)

    steps = np.linspace(0.01, 6.0, 1200)
    hits = inside(np.broadcast_to(steps, (*rays.shape[:2], len(steps))))
    first = hits.argmax(-1)
    low, high = steps[np.maximum(first - 1, 0)], steps[first]
    for _ in range(30):
        middle = (low + high) / 2
        hit = inside(middle[..., None])[..., 0]
        low, high = np.where(hit, low, middle), np.where(hit, middle, high)
    return np.where(hits.any(-1), high, np.nan)


@pytest.mark.parametrize('shape', list(Shape))
@pytest.mark.parametrize('seed', range(3))
def test_depth_of_a_turned_solid(shape, seed):
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.5, 1.6, 3)
    T_solid = pose(exp_so3(rng.normal(size=3)), [*rng.uniform(-0.3, 0.3, 2), rng.uniform(2.5, 4.0)])
    T_camera = pose(exp_so3(0.1 * rng.normal(size=3)), rng.uniform(-0.2, 0.2, 3))
    _, depth, instance = look(scene_of(solid(shape, size, T_solid)), T_camera)
    truth = expected_depth(shape, size, T_solid, T_camera, CAMERA)
    np.testing.assert_array_equal(instance == 1, np.isfinite(depth))
    # A march cannot see what is thinner than its step: grazing rays at the rim may differ.
    rim = np.isfinite(depth) != np.isfinite(truth)
    assert rim.sum() <= 0.02 * np.isfinite(truth).sum()
    both = np.isfinite(depth) & np.isfinite(truth)
    assert both.sum() > 100
    error = np.abs(depth - truth)[both]
    assert np.percentile(error, 99) < 2e-5


def test_depth_of_a_plane_is_exact():
    wall = solid(Shape.BOX, (10, 10, 0.1), pose(np.eye(3), [0, 0, 3.05]))
    _, depth, instance = look(scene_of(wall))
    np.testing.assert_allclose(depth, 3.0, atol=2e-6)
    assert (instance == 1).all()


def test_depth_of_a_floor():
    """From 0.9 m above a floor, level: depth is 0.9 over the downward slope of the ray."""
    floor = solid(Shape.BOX, (40, 40, 0.1), pose(np.eye(3), [0, 0, -0.05]))
    T = optical_poses(pose(np.eye(3), [0, 0, 0])[None])[0]
    T[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    T[:3, 3] = [0, 0, 0.9]
    _, depth, _ = look(scene_of(floor), T)
    below = CAMERA.rays[..., 1] > 0.1
    np.testing.assert_allclose(depth[below], 0.9 / CAMERA.rays[..., 1][below], rtol=1e-5)
    assert np.isnan(depth[CAMERA.rays[..., 1] < 0]).all()


def test_a_thin_leg_far_away_keeps_its_roundness():
    """A 2 cm rod 5 m away: 1 mm would be a tenth of its radius."""
    T = pose(exp_so3([np.pi / 2, 0, 0]), [0, 0, 5.0])
    fine = PinholeCamera(64, 48, 2000.0 / 8, 2000.0 / 8, 31.5, 23.5)
    _, depth, _ = look(scene_of(solid(Shape.CYLINDER, (0.4, 0.02, 2), T)), camera=fine)
    x = fine.rays[24, :, 0].astype(np.float64)
    # Ellipse with half axes 0.2 across and 0.01 along the ray, centre at z = 5.
    a, b, c = (x / 0.2) ** 2 + (1 / 0.01) ** 2, -2 * 5 / 0.01**2, (5 / 0.01) ** 2 - 1
    with np.errstate(invalid='ignore'):
        truth = (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)
    both = np.isfinite(depth[24]) & np.isfinite(truth)
    assert both.sum() >= 15
    np.testing.assert_allclose(depth[24][both], truth[both], atol=2e-4)


def test_the_nearer_thing_hides_the_farther():
    near = solid(Shape.SPHERE, (0.5, 0.5, 0.5), pose(np.eye(3), [0, 0, 2]))
    far = solid(Shape.BOX, (2, 2, 1), pose(np.eye(3), [0, 0, 4]))
    _, _, instance = look(scene_of(far, near))
    v, u = round(CAMERA.cy), round(CAMERA.cx)
    assert instance[v, u] == 2
    assert instance[v, u + 10] == 1
    assert instance[0, 0] == 0


def test_nothing_seen_is_black_without_depth():
    behind = solid(Shape.BOX, (1, 1, 1), pose(np.eye(3), [0, 0, -3]))
    rgb, depth, instance = look(scene_of(behind))
    assert np.isnan(depth).all()
    assert (instance == 0).all()
    assert (rgb == 0).all()


def test_a_solid_across_the_image_plane_is_seen():
    """A wall beside the camera, half of it behind: its corners do not all project."""
    wall = solid(Shape.BOX, (0.1, 8, 8), pose(np.eye(3), [0.55, 0, 0]))
    _, depth, _ = look(scene_of(wall))
    right = CAMERA.rays[..., 0] > 0.13
    np.testing.assert_allclose(depth[right], 0.5 / CAMERA.rays[..., 0][right], rtol=1e-5)


def test_distorted_rays_are_followed():
    bent = PinholeCamera(64, 48, 50.0, 50.0, 31.5, 23.5, (-0.2, 0.05, 0.001, -0.002, 0.0))
    wall = solid(Shape.BOX, (20, 20, 0.1), pose(exp_so3([0, 0.4, 0]), [0, 0, 3]))
    _, depth, _ = look(scene_of(wall), camera=bent)
    points = bent.backproject(depth).reshape(-1, 3).astype(np.float64)
    local = transform(invert(wall.T_item_solid), points)
    np.testing.assert_allclose(local[:, 2], -0.05, atol=1e-5)


def test_a_picture_is_not_mirrored():
    """Seen from its front, a texture's left is on the left and its top on top."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[:32, :32] = (255, 0, 0)
    image[:32, 32:] = (0, 255, 0)
    image[32:, :32] = (0, 0, 255)
    canvas = solid(Shape.BOX, (0.1, 2, 2), material=Material(image, width=None, emission=5.0))
    T = pose([[0, 0, -1], [1, 0, 0], [0, -1, 0]], [3, 0, 0])  # before its front, looking at it
    rgb, _, _ = look(scene_of(canvas), T)
    v, u = round(CAMERA.cy), round(CAMERA.cx)
    assert rgb[v - 9, u - 9].argmax() == 0
    assert rgb[v - 9, u + 9].argmax() == 1
    assert rgb[v + 9, u - 9].argmax() == 2
    assert rgb[v + 9, u + 9].max() < 30


def test_shade_turns_and_falls_off():
    """A box under the lamp: its top is lit, its side less, and its underside by ambient only."""
    box = solid(Shape.BOX, (1, 1, 1), pose(np.eye(3), [0, 0, 0.9]))
    above = pose([[1, 0, 0], [0, -1, 0], [0, 0, -1]], [0, 0, 2.8])
    below = pose(np.eye(3), [0, 0, 0.02])
    v, u = round(CAMERA.cy), round(CAMERA.cx)
    top = look(scene_of(box), above)[0][v, u, 0]
    under = look(scene_of(box), below)[0][v, u, 0]
    assert top > 1.3 * under > 0


def test_again_and_in_a_batch_it_is_the_same():
    scene = generate_room(2)
    camera = camera_of(100, 70)
    T = optical_poses(Tour(scene).poses([0.0, 7.3, 15.0]))
    renderer = Renderer(scene)
    batch = renderer.render(camera, T)
    for k in range(3):
        one, other = renderer.render(camera, T[k]), Renderer(scene).render(camera, T[k])
        for view in (one, other):
            assert torch.equal(view.depth[0], batch.depth[k])
            assert torch.equal(view.instance[0], batch.instance[k])
            assert (view.rgb[0].int() - batch.rgb[k].int()).abs().max() <= 1


def test_a_room_is_closed_and_depth_agrees_between_views():
    scene = generate_room(0)
    camera = camera_of(160, 120)
    T = optical_poses(Tour(scene).poses([12.0, 12.5]))
    view = Renderer(scene).render(camera, T)
    depth = view.depth.numpy()
    assert np.isfinite(depth).all()
    assert view.instance.min() >= 1
    points = camera.backproject(depth[0]).reshape(-1, 3).astype(np.float64)
    seen = transform(invert(T[1]) @ T[0], points)
    pixels = np.round(camera.project(seen))
    ok = (np.abs(pixels - (79.5, 59.5)) < (79, 59)).all(1) & (seen[:, 2] > 0.3)
    other = depth[1][pixels[ok, 1].astype(int), pixels[ok, 0].astype(int)]
    assert ok.mean() > 0.5
    assert np.median(np.abs(other - seen[ok, 2])) < 0.005


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU here')
def test_cpu_and_gpu_agree():
    scene = generate_room(1)
    camera = camera_of(320, 240)
    T = optical_poses(Tour(scene).poses([1.0, 9.0]))
    here, there = (Renderer(scene, device).render(camera, T) for device in ('cpu', 'cuda'))
    same = here.instance == there.instance.cpu()
    assert same.float().mean() > 0.999
    assert (here.depth - there.depth.cpu())[same].abs().max() < 1e-3
    assert (here.rgb.int() - there.rgb.cpu().int()).abs().float().mean() < 0.5
