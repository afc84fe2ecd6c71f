# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions of somebody in a situation, of the kinds of SQA3D: what, is, how, can, which, others.

SQA3D (Ma et al., arXiv 2210.07474) tells the kinds apart by their first word. Nothing is asked
about what the situation's words mention, and of each kind every answer comes up evenly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from loc3r_ros.world.floorplan import PASSABLE
from loc3r_ros.world.questions.question import Question, Situation, balance, deal, plural
from loc3r_ros.world.questions.surroundings import WORDS, Surroundings
from loc3r_ros.world.questions.visit import Visit, overhead
from loc3r_ros.world.questions.vsi import task_generator
from loc3r_ros.world.scene import Item

NEARER = 0.4
"""Of two distances that are compared one is shorter by this, m."""

WALK, WALK_NOT = 2.5, 1.5
"""One can walk two metres where WALK are free, and cannot where less than WALK_NOT are, m."""

_PAIRS = 600
"""Questions that name two things are chosen from so many."""

WHERE = ('in front', 'left', 'behind', 'right')
"""Answers to where something is, in the order of WORDS."""


@dataclass(frozen=True)
class Fact:
    """A question about a situation, with its answer.

    Attributes:
        text: the question.
        answer: as it is scored.
        other: the name that is not the answer, where the question names two.
    """

    text: str
    answer: str
    other: str = ''


Said = Iterator[Fact]


def situated_questions(
    visit: Visit, situations: Sequence[Situation], count: int, seed: int = 0
) -> list[Question]:
    """At most `count` questions of each kind, from all of the situations together.

    Few situations may offer none of a kind: 'yes' is not asked for where no 'no' can be.
    The task of each is 'situated_' and the kind.
    """
    around = [Surroundings(visit, situation) for situation in situations]
    questions = []
    for kind, ask in KINDS.items():
        task = f'situated_{kind}'
        said = [(fact, here.situation) for here in around for fact in ask(here)]
        rng = task_generator(visit, task, seed)
        questions += [
            Question(task, fact.text, (), fact.answer, situation)
            for fact, situation in _pick(rng, said, CLOSED.get(kind, ()), count)
        ]
    return questions


def _pick(
    rng: np.random.Generator,
    said: Sequence[tuple[Fact, Situation]],
    answers: Sequence[str],
    count: int,
) -> Iterator[tuple[Fact, Situation]]:
    """Facts whose answers are even; where there are both, three of four name two things."""
    pairs = [card for card in said if card[0].other]
    pairs = [pairs[k] for k in rng.permutation(len(pairs))[:_PAIRS]]
    piles: dict[str, list[tuple[Fact, Situation]]] = {answer: [] for answer in answers}
    for card in said:
        if not card[0].other:
            piles.setdefault(card[0].answer, []).append(card)
    plain = [card for _, card in deal(rng, piles, max(count // 4, count - len(pairs)))]
    yield from plain
    names = [(fact.answer, fact.other) for fact, _ in pairs]
    yield from (pairs[k] for k in balance(rng, names, count - len(plain)))


def what(here: Surroundings) -> Said:
    """What stands nearest on a side, and which of two things lies there."""
    standing = {item: here.quarters(item) for item in here.visit.scene.furniture if _stands(item)}
    known = _known(here)
    for k, words in enumerate(WORDS):
        near = sorted((here.distance(i), i.instance, i) for i, q in standing.items() if k in q)
        if not near:
            continue
        item = near[0][2]
        lead = near[1][0] - near[0][0] if len(near) > 1 else NEARER
        told = item in known and here.reaches(item)
        if told and lead >= NEARER and here.quarter(item) == k:
            text = f'What is the nearest thing standing on the floor {words}?'
            yield Fact(text, item.category)
    for a, b in permutations(_the(here), 2):
        k = here.quarter(a)
        if k >= 0 and k not in here.quarters(b):
            for first, second in permutations((a.category, b.category)):
                text = f'What is {WORDS[k]}, the {first} or the {second}?'
                yield Fact(text, a.category, b.category)


def is_(here: Surroundings) -> Said:
    """Whether a thing lies in a quarter."""
    for item in _the(here):
        for k, words in enumerate(WORDS):
            if (quarter := here.quarter(item)) >= 0:
                yield Fact(f'Is the {item.category} {words}?', 'yes' if quarter == k else 'no')


def how(here: Surroundings) -> Said:
    """How many of a kind lie in one half of the room, each of them clearly."""
    for name, items in here.visit.named.items():
        items = tuple(filter(here.reaches, items))
        if len(items) < 2 or here.mentions(name):
            continue
        for first, words in ((-0.5 * np.pi, WORDS[::2]), (0.0, WORDS[1::2])):
            halves = [here.half(item, first) for item in items]
            if -1 not in halves:
                for k in (0, 1):
                    text = f'How many {plural(name)} are {words[k]}, in that half of the room?'
                    yield Fact(text, str(halves.count(k)))


def can(here: Surroundings) -> Said:
    """Whether the way is free for two metres."""
    ways = ('straight ahead', 'to my left', 'backwards', 'to my right')
    for k, words in enumerate(ways):
        free = here.walk(0.5 * np.pi * k)
        if free >= WALK or free < WALK_NOT:
            answer = 'yes' if free >= WALK else 'no'
            text = f'Can I walk two metres {words} without bumping into anything?'
            yield Fact(text, answer)


def which(here: Surroundings) -> Said:
    """Which of two things is nearer, and which way a turn to a thing is shorter."""
    within_reach = [item for item in _the(here) if not overhead(item)]
    for a, b in permutations(within_reach, 2):
        if here.distance(b) - here.distance(a) >= NEARER:
            for first, second in permutations((a.category, b.category)):
                text = f'Which is nearer to me, the {first} or the {second}?'
                yield Fact(text, a.category, b.category)
    for item in _the(here):
        if (side := here.half(item, 0.0)) >= 0:
            text = f'Which way is the shorter turn to face the {item.category}, left or right?'
            yield Fact(text, ('left', 'right')[side])


def others(here: Surroundings) -> Said:
    """Where a thing is."""
    for item in _the(here):
        if (quarter := here.quarter(item)) >= 0:
            text = f'Where is the {item.category}: in front of me, left, right or behind me?'
            yield Fact(text, WHERE[quarter])


KINDS: dict[str, Callable[[Surroundings], Said]] = {
    'what': what,
    'is': is_,
    'how': how,
    'can': can,
    'which': which,
    'others': others,
}


CLOSED = {'is': ('yes', 'no'), 'can': ('yes', 'no'), 'others': WHERE}
"""Kinds whose answers are always the same few."""


def offered(question: Question) -> tuple[str, ...]:
    """What a situated question names as its possible answers, as who sees nothing would read it.

    Empty where any name or number may be right.
    """
    about, _, kind = question.task.partition('_')
    if about != 'situated':
        return ()
    if kind in CLOSED:
        return CLOSED[kind]
    pair = re.search(r', (?:the )?([^,]+) or (?:the )?([^,]+)\?$', question.text)
    return pair.groups() if pair else ()


def _the(here: Surroundings) -> list[Item]:
    return [item for item in here.visit.unique if not here.mentions(item.category)]


def _stands(item: Item) -> bool:
    """Whether it stands on the floor and is more than a rug."""
    return item.support == 0 and item.T_map_item[2, 3] < 0.05 and item.size[2] > PASSABLE


def _known(here: Surroundings) -> list[Item]:
    """Things of a kind that can be named and that no wording names."""
    named = here.visit.named.items()
    return [item for name, items in named if not here.mentions(name) for item in items]
