# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Cleaning, exact and refined match of short answers, worked out by hand."""

from __future__ import annotations

import pytest

from loc3r_ros.evaluation.situated_answers import (
    clean_answer,
    exact_match,
    question_kind,
    refined_match,
)


@pytest.mark.parametrize(
    ('text', 'cleaned'),
    [
        ('  Brown   Table ', 'brown table'),
        ('Yes.', 'yes'),
        ("I don't know!", "i don't know"),
        ('black, white', 'black, white'),
        ('l-shaped: yes', 'l-shaped: yes'),
        ('3', 'three'),
        ('0', 'zero'),
        ('20 chairs', 'twenty chairs'),
        ('21', '21'),
        ('23', 'twenty-three'),
        ('None', 'zero'),
        ('letf', 'left'),
        ('let', 'left'),
        ('rigth of tehre', 'right of there'),
        ('behine chai', 'behind chair'),
        ('tv', 'TV'),
        ("3 o'   clock", "three o'clock"),
        ('10 oclock', "ten o'clock"),
        ('mat2', 'mat'),
        ('the table', 'table'),
        ('an old desk on the floor', 'old desk on floor'),
        ('a', 'a'),
        ('backwards', 'backward'),
        ('caf\u00e9', 'caf'),
        ('', ''),
    ],
)
def test_cleaning(text: str, cleaned: str) -> None:
    assert clean_answer(text) == cleaned


def test_exact_match_takes_any_of_the_truths() -> None:
    assert exact_match('The 2 chairs.', ['two chairs'])
    assert exact_match('desk', ['table', 'Desk'])
    assert not exact_match('wooden desk', ['desk'])


def test_refined_match_is_containment_either_way() -> None:
    assert refined_match('wooden desk', ['desk'])
    assert refined_match('desk', ['wooden desk'])
    assert refined_match('trashcan', ['trash can'])
    assert refined_match('to the left of me', ['right', 'left'])
    assert not refined_match('chair', ['desk'])


@pytest.mark.parametrize('nothing', ['', '   ', '...', '?'])
def test_an_empty_text_never_matches(nothing: str) -> None:
    assert not refined_match(nothing, ['desk'])
    assert not refined_match('desk', [nothing])
    assert not exact_match(nothing, ['desk', nothing])
    assert not refined_match(nothing, [nothing])


@pytest.mark.parametrize(
    ('question', 'kind'),
    [
        ('What is behind me?', 'what'),
        ('  is the door open?', 'is'),
        ('How many chairs?', 'how'),
        ('Can I reach the sink?', 'can'),
        ('Which way is the exit?', 'which'),
        ('Are there windows?', 'others'),
        ('If I turn left, what do I see?', 'others'),
    ],
)
def test_kind_of_question(question: str, kind: str) -> None:
    assert question_kind(question) == kind
