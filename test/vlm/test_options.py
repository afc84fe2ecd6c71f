# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Options are found as benchmarks write them, and the letter of what was said."""

from __future__ import annotations

import pytest

from loc3r_ros.vlm.options import Choice

TURNS = {'A': 'turn left, turn back', 'B': 'turn right, turn back', 'C': 'turn back, turn right'}
ORDERS = {
    'A': 'bed, lamp, sofa, table',
    'B': 'sofa, bed, lamp, table',
    'C': 'table, sofa, lamp, bed',
}


@pytest.mark.parametrize(
    'question',
    [
        'Where is it? Options: A. left, B. back-left, C. coffee table.',
        'Where is it?\nOptions:\nA. left\nB. back-left\nC. coffee table\nAnswer with the letter.',
        'Where is it? Choices: A) left; B) back-left; C) coffee table',
    ],
)
def test_options_are_found(question: str) -> None:
    choice = Choice.of(question)
    assert choice and choice.question == 'Where is it?'
    assert choice.options == {'A': 'left', 'B': 'back-left', 'C': 'coffee table'}


def test_options_may_have_parts() -> None:
    listed = ', '.join(f'{letter}. {turns}' for letter, turns in TURNS.items())
    choice = Choice.of(f'Which turns fill the blanks? Options: {listed}.')
    assert choice and choice.options == TURNS


@pytest.mark.parametrize(
    'question',
    [
        'What options: are there?',
        'Is the sofa A. left or B. right?',
        'Where? Options: A. left.',
        'Options: A. left, B. right.',
        'What is in front of me, the clock or the wardrobe?',
    ],
)
def test_other_questions_have_none(question: str) -> None:
    assert Choice.of(question) is None


@pytest.mark.parametrize(
    ('options', 'said', 'letter'),
    [
        (TURNS, 'turn right, turn back', 'B'),
        (TURNS, 'C', 'C'),
        (TURNS, 'Turn back, turn right.', 'C'),
        (TURNS, 'turn left, turn right', 'A'),
        (ORDERS, 'sofa, bed, lamp, table', 'B'),
        (ORDERS, 'sofa, bed, table, lamp', 'B'),
        ({'A': 'left', 'B': 'back', 'C': 'right'}, 'right', 'C'),
        ({'A': 'table', 'B': 'coffee table'}, 'coffee table', 'B'),
        ({'A': 'bed', 'B': 'sofa'}, '', ''),
    ],
)
def test_the_letter_is_that_of_what_was_said(options: dict, said: str, letter: str) -> None:
    assert Choice('', options).letter(said) == letter
