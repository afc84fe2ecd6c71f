# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a question is, and how its answers are kept even."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from loc3r_ros.geometry import Array

Card = TypeVar('Card')
Key = TypeVar('Key')

LETTERS = 'ABCD'


@dataclass(frozen=True)
class Situation:
    """Where somebody stands and looks, in words.

    Attributes:
        text: the first of the wordings.
        wordings: descriptions of this pose; each is enough by itself.
        position: (x, y) in `map`, m.
        yaw: facing direction, counter-clockwise from `map`'s x, rad, -pi..pi.
    """

    text: str
    wordings: tuple[str, ...]
    position: tuple[float, float]
    yaw: float


@dataclass(frozen=True)
class Region:
    """A thing that is pointed at in a frame.

    Attributes:
        frame: index of the video's frame, from 0.
        box: left, top, right and bottom of its pixels, the last two exclusive.
        instance: its number in the scene.
    """

    frame: int
    box: tuple[int, int, int, int]
    instance: int


@dataclass(frozen=True)
class Question:
    """A question with its one right answer.

    Attributes:
        task: kind of question, which also says how it is scored.
        text: the question itself, without options and situation.
        options: what to choose from, each with its letter ('A. sofa'); empty for an open question.
        answer: a letter, a number in the unit that the text names, or words.
        situation: who asks, where that matters.
        regions: what the text calls 'Region [0]', 'Region [1]' and so on.
        place: (x, y, z) in `map`, m, of what is asked for, where that is a place to go to.
    """

    task: str
    text: str
    options: tuple[str, ...]
    answer: str
    situation: Situation | None = None
    regions: tuple[Region, ...] = ()
    place: tuple[float, float, float] | None = None


def deck(rng: np.random.Generator, cards: Sequence[Card]) -> Iterator[Card]:
    """Cards for ever, in shuffled rounds: at no time has one come up twice more than another."""
    while True:
        for k in rng.permutation(len(cards)):
            yield cards[k]


def deal(
    rng: np.random.Generator, piles: Mapping[Key, Sequence[Card]], count: int
) -> Iterator[tuple[Key, Card]]:
    """At most `count` cards with their piles' names, evenly from all.

    It ends where the next pile is spent, and deals nothing where one is empty to begin with: else
    what is rare would be rarer among the cards.
    """
    shuffled = {key: [pile[k] for k in rng.permutation(len(pile))] for key, pile in piles.items()}
    names = deck(rng, list(piles))
    for _ in range(count if piles and all(shuffled.values()) else 0):
        key = next(names)
        if not shuffled[key]:
            return
        yield key, shuffled[key].pop()


def spread(rng: np.random.Generator, values: Array, count: int) -> list[int]:
    """At most `count` indices of positive values (n,), none twice, even over their magnitudes.

    Else most would lie about the commonest value, and whoever names it always would score.
    """
    order = rng.permutation(len(values))
    free = np.log(np.asarray(values)[order])
    chosen: list[int] = []
    for aim in rng.uniform(free.min(), free.max(), min(count, len(free))) if len(free) else ():
        k = int(np.abs(free - aim).argmin())
        free[k] = np.inf
        chosen.append(int(order[k]))
    return chosen


def balance(
    rng: np.random.Generator, cards: Sequence[tuple[str, ...]], count: int
) -> Iterator[int]:
    """At most `count` indices of cards, each a right name before one or more wrong ones.

    Every name is drawn as often right as its share among the options says, as near as the cards
    allow: whoever knows only what is usually near, or low, gains nothing.

    Args:
        rng: breaks ties.
        cards: all of the same length.
        count: how many.
    """
    order = rng.permutation(len(cards))
    numbers: dict[str, int] = {}
    ids = np.array([[numbers.setdefault(n, len(numbers)) for n in cards[k]] for k in order])
    credit, uses = np.zeros((2, len(numbers)), int)
    drawn = np.zeros(len(cards), bool)
    for _ in range(min(count, len(cards))):
        cost = ids.shape[1] * credit[ids[:, 0]] - credit[ids].sum(1)
        # Else a few names would take turns; a third keeps it from outweighing the balance.
        cost = 3 * cost + uses[ids].sum(1)
        index = int(np.where(drawn, np.iinfo(int).max, cost).argmin())
        drawn[index] = True
        credit[ids[index, 0]] += ids.shape[1]
        credit[ids[index]] -= 1
        uses[ids[index]] += 1
        yield int(order[index])


def choice(task: str, text: str, right: str, wrong: Sequence[str], place: int) -> Question:
    """A question with lettered options, the right one at `place` among the wrong ones."""
    options = [*wrong[:place], right, *wrong[place:]]
    lettered = tuple(f'{LETTERS[k]}. {option}' for k, option in enumerate(options))
    return Question(task, text, lettered, LETTERS[place])


def plural(name: str) -> str:
    """A category's plural: 'chairs', 'boxes'."""
    return name + ('es' if name.endswith(('s', 'x', 'ch', 'sh')) else 's')
