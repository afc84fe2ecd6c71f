# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How far things are from the camera in a frame, and which of some is nearest."""

from __future__ import annotations

import numpy as np

from loc3r_ros.world.questions.question import Question, balance, choice, deck, spread
from loc3r_ros.world.questions.views import Views

NEAR, FAR = 0.2, 10.0
"""Distances that are asked for, m."""

AWAY, APART = 0.5, 0.15
"""Of things that are compared, each is AWAY from the camera and no two differ by less, m."""

OPTIONS = {1: 4, 2: 3, 3: 2}
"""How many things are compared in each version of the question."""

_DRAWS = 400


def camera_distance(views: Views, rng: np.random.Generator, count: int) -> list[Question]:
    """Metres from the camera to the closest point of a thing that is seen, to 0.1 m."""
    away = views.distances
    frames, things = np.nonzero(views.shown & (away >= NEAR) & (away <= FAR))
    away = away[frames, things]
    questions = []
    for k in spread(rng, away, count):
        text = (
            f'How far, in metres, is the camera from the closest point of the'
            f' {views.things[things[k]].category} in {views.name(frames[k])}?'
        )
        questions.append(Question('camera_obj_abs_dist', text, (), f'{away[k]:.1f}'))
    return questions


def nearest_to_camera(
    views: Views, rng: np.random.Generator, count: int, version: int
) -> list[Question]:
    """Which of some things in a frame is nearest to the camera; each comes up right and wrong.

    The published options hold the nearest thing of the whole frame, so that what often lies near is
    nearly always right.
    """
    cards = _draw(views, rng, OPTIONS[version])
    places = deck(rng, range(OPTIONS[version]))
    questions = []
    for k in balance(rng, [names for _, names in cards], count):
        frame, (right, *wrong) = cards[k]
        text = (
            f'Measured to closest points, which of these is nearest to the camera in'
            f' {views.name(frame)}: {", ".join(sorted([right, *wrong]))}?'
        )
        wrong = [str(name) for name in rng.permutation(wrong)]
        task = f'camera_obj_rel_dist_v{version}'
        questions.append(choice(task, text, right, wrong, next(places)))
    return questions


def _draw(
    views: Views, rng: np.random.Generator, options: int
) -> list[tuple[int, tuple[str, ...]]]:
    """Frames, and names of things in each, from the nearest to the farthest."""
    away = views.distances
    fit = views.shown & (away >= AWAY)
    frames = np.flatnonzero(fit.sum(1) >= options)
    found: dict[tuple[int, tuple[str, ...]], None] = {}
    for _ in range(_DRAWS if len(frames) else 0):
        frame = int(frames[rng.integers(len(frames))])
        some = rng.permutation(np.flatnonzero(fit[frame]))[:options]
        some = some[np.argsort(away[frame, some])]
        if np.diff(away[frame, some]).min() >= APART:
            found[frame, tuple(views.things[k].category for k in some)] = None
    return list(found)
