# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Flats over seeds: rooms tile the plan, doorways let one through, nothing is inside anything."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import pose
from loc3r_ros.world.apartment import generate_apartment
from loc3r_ros.world.blueprint import PASSAGE_MIN, SIDE_MIN, WALL, draw_plan
from loc3r_ros.world.floorplan import CELL, FloorPlan
from loc3r_ros.world.furniture.shell import OPENING
from loc3r_ros.world.overlap import Boxes, gap
from loc3r_ros.world.renderer import Renderer
from loc3r_ros.world.scene import STRUCTURE, Scene
from loc3r_ros.world.splits import TEST, TRAIN, VALIDATION, scene_of
from loc3r_ros.world.tour import CLEARANCE, Tour

MOUNTED = ('door', 'window', 'picture', 'clock', 'mirror', 'radiator')


@cache
def flat(seed: int, rooms: int | None = None) -> Scene:
    return generate_apartment(seed, rooms)


def test_plans_tile_their_rectangle():
    for seed in range(60):
        count = 1 + seed % 4
        rooms, passages = draw_plan(np.random.default_rng(seed), count)
        low, high = np.array([room.low for room in rooms]), np.array([room.high for room in rooms])
        np.testing.assert_allclose(low.min(0), -high.max(0), atol=1e-12)
        if count > 1:
            assert (high - low).min() >= SIDE_MIN
        assert (high - low).max() <= 12.0
        # Grown by half a wall, the rooms fill the rectangle and do not overlap.
        sides = high.max(0) - low.min(0) + WALL
        assert (high - low + WALL).prod(1).sum() == pytest.approx(sides.prod())
        for a in range(count):
            for b in range(a):
                apart = np.maximum(low[a] - high[b], low[b] - high[a]).max()
                assert apart >= WALL - 1e-9
        group = list(range(count))
        for passage in passages:
            a, b = passage.rooms
            assert passage.width >= PASSAGE_MIN
            group = [group[a] if g == group[b] else g for g in group]
        assert len(set(group)) == 1
        baths = [k for k, room in enumerate(rooms) if room.name == 'bathroom']
        assert all(sum(k in passage.rooms for passage in passages) == 1 for k in baths)


def test_the_seed_alone_decides():
    one, again, other = flat(3), generate_apartment(3), flat(4)
    assert [item.category for item in one.items] == [item.category for item in again.items]
    for a, b in zip(one.items, again.items, strict=True):
        np.testing.assert_array_equal(a.T_map_item, b.T_map_item)
        for solid, same in zip(a.solids, b.solids, strict=True):
            np.testing.assert_array_equal(solid.material.texture, same.material.texture)
            assert solid.material.tint == same.material.tint
    assert one.lights == again.lights
    assert [item.category for item in one.items] != [item.category for item in other.items]


@pytest.mark.parametrize(('seed', 'rooms'), [(0, 1), (1, 2), (2, 3), (3, 4)])
def test_nothing_is_inside_anything(seed, rooms):
    scene = flat(seed, rooms)
    assert len(scene.rooms) == rooms
    assert [item.instance for item in scene.items] == list(range(1, len(scene.items) + 1))
    shell = [item for item in scene.items if item.category in STRUCTURE]
    placed = list(scene.furniture)
    for k, item in enumerate(placed):
        own = Boxes.of(item)
        others = placed[k + 1 :] + ([] if item.category in MOUNTED else shell)
        apart = gap(own, Boxes.join([Boxes.of(other) for other in others])) if others else own.half
        assert apart.min() > -1e-6, item


@pytest.mark.parametrize(('seed', 'rooms'), [(1, 2), (3, 4)])
def test_a_thing_keeps_to_its_room_and_stands_on_its_support(seed, rooms):
    scene = flat(seed, rooms)
    for item in scene.furniture:
        xy = item.corners[:, :2]
        inside = [(xy >= r.low).all() and (xy <= r.high).all() for r in _grown(scene)]
        assert sum(inside) == 1, item
        if item.support:
            below = scene.items[item.support - 1]
            top = below.T_map_item[2, 3] + below.size[2]
            assert item.T_map_item[2, 3] == pytest.approx(top + 1e-3)


def _grown(scene: Scene):
    """Rooms, grown by the rounding of what stands at their walls."""
    return [
        type(room)(
            room.name,
            (room.low[0] - 1e-6, room.low[1] - 1e-6),
            (room.high[0] + 1e-6, room.high[1] + 1e-6),
        )
        for room in scene.rooms
    ]


def test_twenty_scenes_of_training_come_without_failure():
    """Each has rooms that a robot can reach, and enough to talk about."""
    kinds: set[str] = set()
    counts = []
    for seed in TRAIN[:20]:
        scene = scene_of(seed)
        plan = FloorPlan(scene)
        reached = plan.centres[plan.region(CLEARANCE + 0.05)]
        for room in scene.rooms:
            inside = ((reached > room.low) & (reached < room.high)).all(1)
            assert inside.sum() * CELL**2 >= 1.5
        found = {item.category for item in scene.furniture}
        assert len(found) >= 8
        kinds |= found
        counts.append(len(scene.rooms))
        if len(scene.rooms) == 1:
            assert scene.size[:2].min() >= 4.0
    assert len(kinds) >= 30
    assert 6 <= counts.count(1) <= 14
    assert max(counts) == 4


def test_the_splits_share_no_seed():
    for one, other in ((TRAIN, VALIDATION), (VALIDATION, TEST), (TRAIN, TEST)):
        assert len(one) >= 100_000
        assert one.stop <= other.start or other.stop <= one.start


def test_the_robot_drives_through_every_room():
    scene = flat(3, 4)
    tour = Tour(scene)
    xy = tour.poses(np.arange(0.0, tour.duration, 0.1))[:, :2, 3]
    for room in scene.rooms:
        assert ((xy > room.low) & (xy < room.high)).all(1).any()
    assert FloorPlan(scene).clearance(xy).min() >= CLEARANCE


def test_a_doorway_is_open_and_the_wall_beside_it_is_not():
    """Looking through a doorway one sees the next room's far wall at its known distance."""
    scene = flat(1, 2)
    (passage,) = scene.passages
    near, far = (scene.rooms[k] for k in passage.rooms)
    bare = Scene(
        scene.seed, scene.size, tuple(i for i in scene.items if i.category in STRUCTURE),
        scene.lights, scene.ambient, scene.rooms, scene.passages,
    )  # fmt: skip
    axis = passage.axis
    forward = np.zeros(3)
    forward[axis] = 1.0
    right = np.cross(forward, [0.0, 0.0, 1.0])
    at = np.array([*passage.centre, 1.5])
    at[axis] = near.high[axis] - 1.0
    R = np.column_stack([right, [0.0, 0.0, -1.0], forward])
    camera = PinholeCamera(101, 101, 60.0, 60.0, 50.0, 50.0)
    depth = Renderer(bare).render(camera, pose(R, at)).depth[0].numpy()
    assert depth[50, 50] == pytest.approx(far.high[axis] - at[axis], abs=1e-4)
    # The frame covers 0.07 m of wall; beyond it the wall is 1 m away.
    beside = round(60.0 * (passage.width / 2 + 0.12))
    for column in (50 - beside, 50 + beside):
        assert depth[50, column] == pytest.approx(1.0, abs=1e-4)
    above = round(60.0 * (OPENING + 0.12 - 1.5))
    assert depth[50 - above, 50] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ('seed', 'rooms', 'message'), [(-1, None, '0 or greater'), (0, 5, '1 to 4')]
)
def test_bad_numbers_are_refused(seed, rooms, message):
    with pytest.raises(InputError, match=message):
        generate_apartment(seed, rooms)
