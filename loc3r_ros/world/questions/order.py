# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""In which order things first came into view."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np

from loc3r_ros.world.questions.question import Question, choice, deck
from loc3r_ros.world.questions.visit import Visit

SOONER = 1.0
"""Things come into view more than this apart, s."""

_DRAWS = 200


def appearance_order(visit: Visit, rng: np.random.Generator, count: int) -> list[Question]:
    """Order of four categories by the first sight of any instance.

    A thing shows first as a few pixels and only then clearly; what counts as its first sight is a
    matter of taste. So whatever one takes for it between the two, the order must be the same.
    """
    spans = {name: visit.appearance(name) for name in visit.named}
    names = sorted(spans)
    places = deck(rng, range(4))
    questions: list[Question] = []
    for _ in range(_DRAWS if len(names) >= 4 else 0):
        if len(questions) == count:
            break
        four = sorted((str(name) for name in rng.permutation(names)[:4]), key=lambda n: spans[n])
        gaps = [spans[later][0] - spans[sooner][1] for sooner, later in pairwise(four)]
        if min(gaps) > SOONER:
            text = f'In which order do these first appear in the video: {", ".join(sorted(four))}?'
            right, *others = (', '.join(order) for order in permutations(four))
            wrong = [others[k] for k in rng.permutation(len(others))[:3]]
            questions.append(choice('obj_appearance_order', text, right, wrong, next(places)))
    return questions
