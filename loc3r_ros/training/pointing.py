# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The simplest situations: somebody stands where one thing is, or between two, and faces another.

Any two or three things make one, so no model learns them by heart; and what it learns of them is
most of what real situations ask: to find what is named, and to take a place and a heading from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import atan2, hypot

from numpy.random import Generator

from loc3r_ros.training.grounding import Place
from loc3r_ros.vlm.goal_words import beside

APART_M = 0.5
"""Nearer things give no heading."""

_WORDINGS = (
    'I am standing {where} and facing the {ahead}.',
    'I look at the {ahead}. I am {where}.',
    'In front of me is the {ahead}. I stand {where}.',
)


@dataclass(frozen=True)
class Pointing:
    """What is said, and by whom.

    Attributes:
        said: in words.
        position: (x, y), m.
        yaw: rad; None: nothing is faced.
    """

    said: str
    position: Place
    yaw: float | None = None


def pointing(rng: Generator, places: Mapping[str, Place]) -> Pointing | None:
    """One of them, evenly of three kinds as far as there are things for it; None without any.

    Args:
        rng: decides.
        places: of things, in a frame whose x is heading 0.
    """
    names = sorted(places)
    if not names:
        return None
    chosen = [names[k] for k in rng.permutation(len(names))[: 1 + rng.integers(3)]]
    *at, ahead = chosen
    if not at:
        return Pointing(beside(ahead), places[ahead])
    x, y = (sum(places[name][axis] for name in at) / len(at) for axis in (0, 1))
    dx, dy = places[ahead][0] - x, places[ahead][1] - y
    if hypot(dx, dy) < APART_M:
        return Pointing(beside(ahead), places[ahead])
    where = f'next to the {at[0]}'
    if len(at) > 1:
        where = f'halfway between the {at[0]} and the {at[1]}'
    wording = _WORDINGS[rng.integers(len(_WORDINGS))]
    return Pointing(wording.format(where=where, ahead=ahead), (x, y), atan2(dy, dx))
