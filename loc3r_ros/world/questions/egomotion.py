# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How far the camera has moved between two frames, and which way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array
from loc3r_ros.world.questions.bearings import bearing, sector
from loc3r_ros.world.questions.question import Question, choice, deal, deck, spread
from loc3r_ros.world.questions.surroundings import QUARTERS
from loc3r_ros.world.questions.views import Views

GAP_MIN, GAP_MAX = 5 / 32, 30 / 32
"""Frames between the two whose distance is asked for, as shares of all (published: 5..30 of 32)."""

NEAR, FAR = 0.2, 10.0
"""Distances that are asked for, m."""

MOVED = 1.0
"""The camera moves at least this far along the direction that is asked for, m."""

MARGIN = np.radians(10.0)
"""It moves no nearer than this to where two directions meet. The published rule has no margin."""

STRAIGHT = 0.7
"""Its way is no longer than the straight line over this: who goes to and fro has no direction."""

LEVEL = 0.5
"""Least cosine of the camera's tilt: else its 'forward' is up or down."""

DIRECTIONS = ('Forward', 'Left', 'Backward', 'Right')


def displacement(views: Views, rng: np.random.Generator, count: int) -> list[Question]:
    """Metres in a straight line between the camera's places in two frames, to 0.1 m.

    The text says 'in a straight line'; the published one lets one think of the way in between.
    """
    first, last = _pairs(views)
    step = (last - first) / len(views.shown)
    moved = np.linalg.norm(views.places[last] - views.places[first], axis=1)
    fit = (step >= GAP_MIN) & (step <= GAP_MAX) & (moved >= NEAR) & (moved <= FAR)
    first, last, moved = first[fit], last[fit], moved[fit]
    questions = []
    for k in spread(rng, moved, count):
        text = (
            f'How far in a straight line, in metres, is the camera in {views.name(last[k])}'
            f' from where it was in frame {first[k] + 1}?'
        )
        questions.append(Question('camera_displacement', text, (), f'{moved[k]:.1f}'))
    return questions


def movement_direction(views: Views, rng: np.random.Generator, count: int) -> list[Question]:
    """Which of four ways the camera moves over the floor, as seen from the first of two frames.

    The four come up evenly. These are the first kind of the published questions, with four options;
    two more kinds have three and two, and all are scored as one.
    """
    first, last = _pairs(views)
    way = ways(views.T_map_optical, first, last)
    piles = {k: np.flatnonzero(way == k).tolist() for k in range(len(DIRECTIONS))}
    places = deck(rng, range(len(DIRECTIONS)))
    questions = []
    for k, pair in deal(rng, piles, count):
        text = (
            f'In which direction does the camera mainly move from frame {first[pair] + 1} to'
            f' {views.name(last[pair])}, relative to how it faces in frame {first[pair] + 1}?'
        )
        wrong = [str(name) for name in rng.permutation(np.delete(DIRECTIONS, k))]
        task = 'camera_movement_direction'
        questions.append(choice(task, text, DIRECTIONS[k], wrong, next(places)))
    return questions


def ways(T_map_optical: Array, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """(P,) index into DIRECTIONS of the camera's way from frame to frame; -1 where it is in doubt.

    Args:
        T_map_optical: (N, 4, 4) of all frames.
        first, last: (P,) frames.
    """
    at, ahead = T_map_optical[:, :2, 3], T_map_optical[:, :2, 2]
    line = np.linalg.norm(at[last] - at[first], axis=1)
    gone = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(at, axis=0), axis=1))])
    angle = bearing(at[first], np.arctan2(ahead[:, 1], ahead[:, 0])[first], at[last])
    along = line * np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle)))
    clear = (along > MOVED) & (line >= STRAIGHT * (gone[last] - gone[first]))
    clear &= np.linalg.norm(ahead, axis=1)[first] >= LEVEL
    return np.where(clear, sector(angle, QUARTERS, MARGIN), -1)


def _pairs(views: Views) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, last = np.triu_indices(len(views.shown), 1)
    return first, last
