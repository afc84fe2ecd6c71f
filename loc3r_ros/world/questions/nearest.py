# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which of four things is nearest to another."""

from __future__ import annotations

import numpy as np

from loc3r_ros.world.questions.question import Question, balance, choice, deck
from loc3r_ros.world.questions.visit import Visit

NEAR = 0.15
"""The closest thing is no nearer than this, m, and no two differ by less."""

NEAR_LARGE, LARGE = 0.30, 40.0
"""The same on more than LARGE m^2 of floor (the published code computes but never uses it)."""

OPTIONS = 4

_DRAWS = 200


def relative_distance(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Which of four categories is nearest to a thing, by the nearest of each.

    Each comes up right and wrong: else what is long, or what there are many of, would be likelier.
    """
    cards = _draw(visit, rng)
    places = deck(rng, range(OPTIONS))
    questions: list[Question] = []
    for k in balance(rng, [names for _, names in cards], count):
        primary, (right, *others) = cards[k]
        text = (
            f'Measured between closest points, which of these is nearest to the {primary}:'
            f' {", ".join(sorted([right, *others]))}? Of several of a kind the nearest counts.'
        )
        wrong = [str(name) for name in rng.permutation(others)]
        questions.append(choice('object_rel_distance', text, right, wrong, next(places)))
    return questions


def _draw(visit: Visit, rng: np.random.Generator) -> list[tuple[str, tuple[str, ...]]]:
    """Categories of things, and four more categories from the nearest to the farthest."""
    margin = NEAR_LARGE if visit.scene.floor_area > LARGE else NEAR
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    for _ in range(_DRAWS if len(visit.named) > OPTIONS and visit.unique else 0):
        primary = visit.unique[rng.integers(len(visit.unique))]
        others = [name for name in visit.named if name != primary.category]
        names = [others[k] for k in rng.permutation(len(others))[:OPTIONS]]
        away = {n: min(visit.gap(primary, i) for i in visit.named[n]) for n in names}
        names.sort(key=lambda name: away[name])
        gaps = np.diff([away[name] for name in names])
        if away[names[0]] >= NEAR and gaps.min() >= margin:
            found[primary.category, tuple(names)] = None
    return list(found)
