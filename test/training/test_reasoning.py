# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Facts that are said before an answer: they lead to it, or nothing is said."""

from __future__ import annotations

import pytest

from loc3r_ros.training.reasoning import reason
from loc3r_ros.training.standpoint import Standpoint
from loc3r_ros.world.questions.question import Question

PLACES = {
    'sofa': (3.0, 0.0),
    'lamp': (0.0, 2.0),
    'coffee table': (-1.0, 0.2),
    'table': (0.5, -4.0),
    'bed': (2.0, -2.0),
}
NAMES = [*PLACES, 'chair']
HERE = Standpoint((0.0, 0.0), 0.0)


def said(task: str, text: str, right: str, asker: Standpoint | None = None) -> str:
    return reason(Question(task, text, (), right), right, NAMES, PLACES, asker)


def nearest(*names: str) -> str:
    return (
        f'Measured between closest points, which of these is nearest to the sofa:'
        f' {", ".join(names)}? Of several of a kind the nearest counts.'
    )


def nearest_of(right: str, *names: str) -> str:
    options = tuple(f'{letter}. {name}' for letter, name in zip('ABCD', names, strict=True))
    question = Question('object_rel_distance', nearest(*names), options, 'A')
    return reason(question, right, NAMES, PLACES, None)


def test_the_nearest_is_that_whose_distance_is_least() -> None:
    four = ('bed', 'coffee table', 'lamp', 'table')
    assert nearest_of('bed', *four) == 'bed 2.2, coffee table 4.0, lamp 3.6, table 4.7'
    # By their middles another is nearer than by their closest points: that would mislead.
    assert nearest_of('lamp', *four) == ''


def test_who_does_not_know_all_of_them_says_nothing() -> None:
    assert nearest_of('bed', 'bed', 'chair', 'lamp', 'table') == ''


def test_a_direction_is_said_of_its_thing() -> None:
    text = 'I stand by the bed and face the chair. In which direction is the lamp: left, right?'
    assert said('object_rel_direction_easy', text, 'left') == 'lamp left'


def test_turns_are_said_where_they_are_taken() -> None:
    text = (
        'A robot stands by the bed and faces the lamp. To reach the sofa it must: 1. [blank];'
        ' 2. go straight to the table; 3. [blank]; 4. go straight to the sofa.'
    )
    turns = said('route_planning', text, 'turn left, turn back')
    assert turns == 'table turn left, sofa turn back'


def test_an_order_is_said_before_its_letter() -> None:
    assert said('obj_appearance_order', 'In which order?', 'bed, lamp') == 'bed, lamp'


@pytest.mark.parametrize(
    ('text', 'right', 'facts'),
    [
        ('What is on my left, the lamp or the sofa?', 'lamp', 'lamp left, sofa in front'),
        ('Is the coffee table behind me?', 'yes', 'coffee table behind'),
        ('Which is nearer to me, the sofa or the lamp?', 'lamp', 'sofa 3.0, lamp 2.0'),
        ('Which is nearer to me, the sofa or the lamp?', 'sofa', ''),
        ('Which way is the shorter turn to face the bed, left or right?', 'right', 'bed right'),
        ('Is the chair behind me?', 'yes', ''),
        ('Can I walk two metres backwards?', 'yes', ''),
    ],
)
def test_who_asks_is_told_of_what_is_around(text: str, right: str, facts: str) -> None:
    assert said('situated_', text, right, HERE) == facts


def test_of_nobody_nothing_is_said() -> None:
    assert said('object_size_estimation', 'How long is the sofa?', '200') == ''
    assert reason(Question('situated_is', 'Is it?', (), 'yes'), 'yes', [], {}, HERE) == ''
