# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which of four things is nearest to another."""

from __future__ import annotations

import numpy as np

from loc3r_ros.world.questions.question import Question, choice, deck
from loc3r_ros.world.questions.visit import Visit

NEAR = 0.15
"""The closest thing is no nearer than this, m, and no two differ by less."""

NEAR_LARGE, LARGE = 0.30, 40.0
"""The same in rooms of more than LARGE m^2 (the published code computes but never uses it)."""

_DRAWS = 200


def relative_distance(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Which of four categories is nearest to a thing, by the nearest of each."""
    area = float(visit.scene.size[0] * visit.scene.size[1])
    margin = NEAR_LARGE if area > LARGE else NEAR
    places = deck(rng, range(4))
    questions: list[Question] = []
    for _ in range(_DRAWS if len(visit.named) > 4 and visit.unique else 0):
        if len(questions) == count:
            break
        primary = visit.unique[rng.integers(len(visit.unique))]
        others = [name for name in visit.named if name != primary.category]
        names = [str(name) for name in rng.permutation(others)[:4]]
        away = {n: min(visit.gap(primary, i) for i in visit.named[n]) for n in names}
        right, *wrong = sorted(names, key=lambda name: away[name])
        ordered = sorted(away.values())
        if ordered[0] >= NEAR and np.diff(ordered).min() >= margin:
            text = (
                f'Measured between closest points, which of these is nearest to the'
                f' {primary.category}: {", ".join(sorted(names))}?'
                ' Of several of a kind the nearest counts.'
            )
            wrong = [str(name) for name in rng.permutation(wrong)]
            questions.append(choice('object_rel_distance', text, right, wrong, next(places)))
    return questions
