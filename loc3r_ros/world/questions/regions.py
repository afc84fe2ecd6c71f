# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions about things that are pointed at: boxes in frames of the video, not names.

The kinds are those of SR-3D (Cheng et al., arXiv 2509.13317), whose benchmark is not released: a
thing's height, its width, how far two are apart; which of two is taller, wider, bigger; which of
four is so most; and, for somebody in a situation, which is nearest or lies on a side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from loc3r_ros.world.questions.marks import Marks
from loc3r_ros.world.questions.measures import DISTANCE_MIN
from loc3r_ros.world.questions.question import (
    LETTERS,
    Question,
    Situation,
    choice,
    deck,
    spread,
)
from loc3r_ros.world.questions.surroundings import WORDS, Surroundings
from loc3r_ros.world.questions.visit import Visit, overhead
from loc3r_ros.world.scene import Item

MORE = 1.25
"""Of two sizes one is larger by this factor."""

NEARER = 0.4
"""Of distances that are compared the least is shorter by this, m."""

SIZE_MIN = 0.1
"""What is thinner is not asked for its size, m: a rug's height."""

OPTIONS = 4

_DRAWS = 200


def height(item: Item) -> float:
    """Metres from its underside to its top."""
    return float(item.size[2])


def width(item: Item) -> float:
    """Metres along the longer of its horizontal sides.

    For many views the published width is the largest dimension, so that of a lamp is its height.
    """
    return float(item.size[:2].max())


def bulk(item: Item) -> float:
    """Mean side of its bounding box, m: the cube root of its volume."""
    return float(item.size.prod() ** (1.0 / 3.0))


SIZES: dict[str, tuple[Callable[[Item], float], str, str, str]] = {
    'region_tall_short': (height, 'taller', 'shorter', 'tallest'),
    'region_thin_wide': (width, 'wider', 'narrower', 'widest'),
    'region_big_small': (bulk, 'bigger', 'smaller', 'biggest'),
}
"""For each way to compare: what is measured, and the words for more, less and most."""

MEASURES: dict[str, tuple[Callable[[Item], float], str]] = {
    'region_height': (
        height,
        'How tall is Region [0] in metres, from its foot to its top?',
    ),
    'region_width': (width, 'How wide is Region [0] in metres, along its longer horizontal side?'),
}


def region_questions(
    visit: Visit, situations: Sequence[Situation], rng: np.random.Generator, count: int
) -> list[Question]:
    """At most `count` questions of each kind.

    Raises:
        InputError: the visit has no boxes.
    """
    marks = Marks(visit, rng)
    if len(marks.items) < OPTIONS:
        return []
    questions = []
    for task in MEASURES:
        questions += measured(marks, count, task)
    questions += apart(marks, count)
    for task in SIZES:
        questions += compared(marks, count, task)
    return [*questions, *largest(marks, count), *situated(marks, situations, count)]


def measured(marks: Marks, count: int, task: str) -> list[Question]:
    """A size of one thing in metres, to 0.01 m; SIZE_MIN or more."""
    measure, text = MEASURES[task]
    items = [item for item in marks.items if measure(item) >= SIZE_MIN]
    sizes = np.array([measure(item) for item in items])
    return [
        marks.ask(Question(task, text, (), f'{sizes[k]:.2f}'), [items[k]])
        for k in spread(marks.rng, sizes, count)
    ]


def apart(marks: Marks, count: int) -> list[Question]:
    """Metres between the closest points of two things, to 0.1 m."""
    pairs = [*combinations(marks.items, 2)]
    pairs = [pairs[k] for k in marks.rng.permutation(len(pairs))[: 4 * count]]
    pairs = [pair for pair in pairs if marks.visit.gap(*pair) >= DISTANCE_MIN]
    gaps = np.array([marks.visit.gap(*pair) for pair in pairs])
    text = 'How far are the two apart in metres, measured between their closest points?'
    return [
        marks.ask(Question('region_distance', text, (), f'{gaps[k]:.1f}'), pairs[k])
        for k in spread(marks.rng, gaps, count)
    ]


def compared(marks: Marks, count: int, task: str) -> list[Question]:
    """Which of two things is more so; both answers and both letters come up evenly."""
    measure, more, less, _ = SIZES[task]
    deals = deck(marks.rng, [(first, place) for first in (0, 1) for place in (0, 1)])
    questions: list[Question] = []
    for _ in range(_DRAWS):
        if len(questions) == count:
            break
        large, small = sorted(marks.draw(2), key=measure, reverse=True)
        if measure(large) >= MORE * measure(small):
            first, place = next(deals)
            text = f'Is Region [0] {more} or {less} than Region [1]?'
            right, wrong = ((more, less), (less, more))[first]
            question = choice(task, text, right.capitalize(), [wrong.capitalize()], place)
            questions.append(marks.ask(question, ((large, small), (small, large))[first]))
    return questions


def largest(marks: Marks, count: int) -> list[Question]:
    """Which of four things is tallest, widest or biggest."""
    kinds = deck(marks.rng, list(SIZES.values()))
    places = deck(marks.rng, range(OPTIONS))
    questions: list[Question] = []
    for _ in range(_DRAWS):
        if len(questions) == count:
            break
        measure, *_, most = next(kinds)
        first, *others = sorted(marks.draw(OPTIONS), key=measure, reverse=True)
        if measure(first) >= MORE * measure(others[0]):
            question = _which('region_simple', f'the {most}', next(places))
            questions.append(_point(marks, question, first, others))
    return questions


def situated(marks: Marks, situations: Sequence[Situation], count: int) -> list[Question]:
    """Which of four things is nearest to somebody, or lies on a side of them."""
    around = deck(marks.rng, [Surroundings(marks.visit, situation) for situation in situations])
    asked = deck(marks.rng, ('nearest to me', *WORDS))
    places = deck(marks.rng, range(OPTIONS))
    questions: list[Question] = []
    for _ in range(_DRAWS if situations else 0):
        if len(questions) == count:
            break
        here, words = next(around), next(asked)
        four = marks.draw(OPTIONS)
        first = _nearest(here, four) if words not in WORDS else _only(here, four, words)
        if first is not None:
            question = replace(
                _which('region_complex', words, next(places)), situation=here.situation
            )
            others = [item for item in four if item is not first]
            questions.append(_point(marks, question, first, others))
    return questions


def _nearest(here: Surroundings, items: Sequence[Item]) -> Item | None:
    """The nearest, where it is so clearly."""
    first, second, *_ = sorted(items, key=here.distance)
    clear = here.distance(second) - here.distance(first) >= NEARER
    return first if clear and not any(map(overhead, items)) else None


def _only(here: Surroundings, items: Sequence[Item], words: str) -> Item | None:
    """The one that lies on a side, where it does so clearly and the others clearly do not."""
    side = WORDS.index(words)
    reaching = [item for item in items if side in here.quarters(item)]
    return reaching[0] if len(reaching) == 1 and here.quarter(reaching[0]) == side else None


def _which(task: str, words: str, place: int) -> Question:
    """Which region is such, with the right one at a place."""
    names = [f'Region [{k}]' for k in range(OPTIONS)]
    wrong = names[:place] + names[place + 1 :]
    return choice(task, f'Which of them is {words}?', names[place], wrong, place)


def _point(marks: Marks, question: Question, right: Item, others: Sequence[Item]) -> Question:
    """Mark the right thing as the region of the right letter, the others around it."""
    place = LETTERS.index(question.answer)
    return marks.ask(question, [*others[:place], right, *others[place:]])
