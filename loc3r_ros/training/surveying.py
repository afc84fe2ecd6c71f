# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The simplest questions: where some things are for somebody who stands at others.

Most questions of rooms come down to it. A benchmark asks for one direction in a long question; here
several are told after one another, each right behind the name of its thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot

import numpy as np
from numpy.random import Generator

from loc3r_ros.training.grounding import Place
from loc3r_ros.world.questions.bearings import bearing, sector
from loc3r_ros.world.questions.directions import LEVELS
from loc3r_ros.world.questions.situated import WHERE
from loc3r_ros.world.questions.surroundings import QUARTERS

MOST = 3
"""Things that are asked for at once."""

NEAR_M = 0.5
"""Nearer things lie to several sides at once."""

SHARP = np.radians(8.0)
"""What is nearer than this to a border between directions is not asked for."""

_DIRECTIONS = ((dict(enumerate(WHERE)), QUARTERS), LEVELS['hard'])
"""Their names by sector, and the borders of these; a survey asks for one of them, or distances."""


def survey(
    rng: Generator, places: Mapping[str, Place], said: str, position: Place, yaw: float | None
) -> tuple[str, str]:
    """A question for things that were not mentioned, and its answer; both empty without any.

    Distances are those of the middles of what is seen of the things, metres; directions are the
    quarters or the quadrants that VSI-Bench and situated questions ask for.

    Args:
        rng: decides.
        places: (x, y) of things by name, m.
        said: what mentions some of them.
        position: (x, y) of whoever asks, m.
        yaw: where they look, rad; None: only distances are asked for.
    """
    others = sorted(name for name in places if name not in said)
    others = [others[k] for k in rng.permutation(len(others))]
    if yaw is None or (kind := int(rng.integers(len(_DIRECTIONS) + 1))) == len(_DIRECTIONS):
        told = {name: f'{_away(position, places[name]):.1f}' for name in others}
        return _put('How far from me in metres', '', told)
    names, borders = _DIRECTIONS[kind]
    told = {}
    for name in others:
        if _away(position, places[name]) >= NEAR_M:
            side = int(sector(bearing(position, yaw, places[name]), borders, SHARP))
            told |= {name: names[side]} if side >= 0 else {}
    return _put('Where', f': {", ".join(sorted(names.values()))}', told)


def _put(asked: str, choices: str, told: Mapping[str, str]) -> tuple[str, str]:
    chosen = dict(list(told.items())[:MOST])
    if not chosen:
        return '', ''
    *first, last = (f'the {name}' for name in chosen)
    listed = f'{", ".join(first)} and {last}' if first else last
    be = 'are' if first else 'is'
    answer = ', '.join(f'{name} {where}' for name, where in chosen.items())
    return f'{asked} {be} {listed}{choices}?', answer


def _away(position: Place, place: Place) -> float:
    return hypot(place[0] - position[0], place[1] - position[1])
