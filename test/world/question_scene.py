# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A small made-up room for questions: boxes at places that are easy to reckon with."""

from __future__ import annotations

from functools import cache

import numpy as np

from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.room import generate_room
from loc3r_ros.world.scene import Item, Material, Scene, Shape, Solid

PLAIN = Material(np.full((1, 1, 3), 128, np.uint8))


def block(category, instance, at, size=(0.4, 0.4, 0.4), yaw=0.0):
    """An item of one box, its underside centred at `at`."""
    size = np.array(size, np.float64)
    at = (*at, 0.0)[:3]
    solid = Solid(Shape.BOX, size, pose(np.eye(3), (0.0, 0.0, size[2] / 2)), PLAIN)
    return Item(category, instance, size, pose(exp_so3((0.0, 0.0, yaw)), at), (solid,))


def room(*things, size=(6.0, 5.0, 2.5), rooms=()):
    """A scene of (category, at, size, yaw) things; the last two may be left out."""
    items = [block(thing[0], k + 1, *thing[1:]) for k, thing in enumerate(things)]
    return Scene(0, np.array(size), tuple(items), (), (0.2, 0.2, 0.2), rooms)


@cache
def furnished(seed):
    """A furnished room, made once for all tests."""
    return generate_room(seed)


def visit_all(scene, *, first=None):
    """Every item clearly in view from its first second on (0 for all when not given), 20 frames."""
    first = first or [0] * len(scene.items)
    times = np.arange(20.0)
    pixels = np.where(times[:, None] >= first, 100, 0)
    nothing = 10_000 - pixels.sum(1, keepdims=True)
    return Visit(scene, times, np.concatenate([nothing, pixels], 1))
