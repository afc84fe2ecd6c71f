# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which of two things in a frame is nearer, further left, or higher up, as the camera sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array
from loc3r_ros.world.questions.question import Question, balance, choice, deck
from loc3r_ros.world.questions.views import Views

APART = 0.15
"""Gap between the two things' boxes along the camera's axis, m."""

AHEAD = 0.1
"""Corners lie at least this far before the camera, m."""

WORDS = {
    'nf': ('Near', 'Far', 'near or far compared with'),
    'lr': ('Left', 'Right', 'to the left or to the right of'),
    'ud': ('Up', 'Down', 'higher up or further down than'),
}
"""For each axis the two answers, as published, and how they are asked for."""


def relative_position(
    views: Views, rng: np.random.Generator, count: int, axis: str
) -> list[Question]:
    """Where one thing is compared with another; both answers come up evenly, as do the letters.

    Of each thing either is asked as often as the scene allows; that lamps hang high and rugs lie
    low nobody can change.
    """
    cards = np.argwhere(BEFORE[axis](views)).tolist()
    names = [(views.things[a].category, views.things[b].category) for _, a, b in cards]
    deals = deck(rng, [(first, place) for first in (0, 1) for place in (0, 1)])
    questions = []
    for k in balance(rng, names, count):
        first, place = next(deals)
        a, b = names[k] if first == 0 else names[k][::-1]
        frame, words = views.name(cards[k][0]), WORDS[axis]
        text = f'In {frame}, seen from the camera, is the {a} {words[2]} the {b}?'
        task = f'obj_obj_relative_pos_{axis}'
        questions.append(choice(task, text, words[first], [words[1 - first]], place))
    return questions


def nearer(views: Views) -> NDArray[np.bool_]:
    """(N, K, K) whether the first thing is nearer, in depth as well as in a straight line.

    The published rule knows only depth, by which a thing at the side is nearer than it looks.
    """
    farthest = np.linalg.norm(views.corners, axis=-1).max(-1)
    straight = farthest[:, :, None] < views.distances[:, None]
    return _beyond(views, 2) & straight


def further_left(views: Views) -> NDArray[np.bool_]:
    """(N, K, K) whether the first thing is further left, in metres as well as in the image.

    The published rule knows only metres: of two things on the right, it calls the far one further
    right even where the image shows it further left.
    """
    bearing = np.arctan2(views.corners[..., 0], views.corners[..., 2])
    image = bearing.max(-1)[:, :, None] < bearing.min(-1)[:, None]
    return _beyond(views, 0) & image


def higher(views: Views) -> NDArray[np.bool_]:
    """(N, K, K) whether the first thing is higher, to the camera as well as over the floor.

    The published rule knows only the camera, which looks down and so sees what is far higher.
    """
    heights = np.array([thing.corners[:, 2] for thing in views.things]).reshape(-1, 8)
    over = heights.min(1)[:, None] > heights.max(1)
    return _beyond(views, 1) & over


def _beyond(views: Views, axis: int) -> NDArray[np.bool_]:
    """(N, K, K) whether all of the second thing lies beyond the first along an optical axis."""
    low, high = views.corners.min(-2), views.corners.max(-2)
    gap: Array = low[:, None, :, axis] - high[:, :, None, axis]
    usable = views.shown & (low[..., 2] >= AHEAD)
    return (gap >= APART) & usable[:, :, None] & usable[:, None]


BEFORE = {'nf': nearer, 'lr': further_left, 'ud': higher}
"""For each axis, which things get the first of its two answers."""
