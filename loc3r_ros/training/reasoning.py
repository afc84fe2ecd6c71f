# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a small model says to itself before an answer: the facts that it follows from.

Where a thing lies for somebody is known at its name, in the last layers. An answer that needs it
would have to be found in layers that are not there; said first, it can be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import hypot

from loc3r_ros.training.grounding import Place
from loc3r_ros.training.standpoint import Standpoint
from loc3r_ros.world.questions.bearings import bearing, sector
from loc3r_ros.world.questions.question import Question
from loc3r_ros.world.questions.situated import WHERE
from loc3r_ros.world.questions.surroundings import QUARTERS


def reason(
    question: Question,
    right: str,
    names: Sequence[str],
    places: Mapping[str, Place],
    asker: Standpoint | None,
) -> str:
    """The facts, in words; empty where they are unknown, or say something else than the answer.

    Args:
        question: of any kind.
        right: its answer in words, not by a letter.
        names: of all that is seen.
        places: (x, y) of the things that are seen once, by name, m.
        asker: who asks, in the same frame; None: somebody somewhere.
    """
    task, said = question.task, _named(question.text, names)
    if task.startswith('object_rel_direction') and len(said) == 3:
        return f'{said[2]} {right}'
    if task == 'route_planning' and len(said) == 5 and said[2] == said[4]:
        first, second = right.split(', ')
        return f'{said[3]} {first}, {said[4]} {second}'
    if task == 'obj_appearance_order':
        return right
    if not said or not places.keys() >= set(said):
        return ''
    if task == 'object_rel_distance' and len(said) == 1 + len(question.options):
        return _distances(places[said[0]], said[1:], places, right)
    if asker is None:
        return ''
    if 'nearer' in question.text:
        return _distances(asker.position, said, places, right)
    if 'shorter turn' in question.text:
        return f'{said[0]} {right}'
    return _sides(asker, said, places)


def _named(text: str, names: Sequence[str]) -> list[str]:
    """Names in a text, in their order; the longest where several fit."""
    longest = sorted(names, key=len, reverse=True)
    return re.findall(rf'\b(?:{"|".join(map(re.escape, longest))})\b', text) if longest else []


def _distances(
    position: Place, names: Sequence[str], places: Mapping[str, Place], right: str
) -> str:
    """How far each is; empty where another than the right one is nearest."""
    away = {n: hypot(places[n][0] - position[0], places[n][1] - position[1]) for n in names}
    if min(away, key=lambda name: away[name]) != right:
        return ''
    return ', '.join(f'{name} {far:.1f}' for name, far in away.items())


def _sides(asker: Standpoint, names: Sequence[str], places: Mapping[str, Place]) -> str:
    """In which quarter each is."""
    sides = {
        name: WHERE[int(sector(bearing(asker.position, asker.yaw, places[name]), QUARTERS))]
        for name in names
    }
    return ', '.join(f'{name} {side}' for name, side in sides.items())
