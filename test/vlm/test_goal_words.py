# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which sentences name a place to go to, and which only speak of going."""

import pytest

from loc3r_ros.vlm.goal_words import goal_of


@pytest.mark.parametrize(
    ('question', 'goal'),
    [
        ('go to the red chair', 'the red chair'),
        ('Go to the Red Chair.', 'the Red Chair'),
        ('  drive to 1.5, -2.0 ', '1.5, -2.0'),
        ('navigate to the kitchen!', 'the kitchen'),
        ('Could you please move over to the sofa, please?', 'the sofa'),
        ('can you take me to the door?', 'the door'),
        ('bring me to my desk', 'my desk'),
        ('please come to the table', 'the table'),
        ('Robot, go back to the charger', 'the charger'),
        ('hey robot, drive towards the window', 'the window'),
        ("I'd like you to go to the fridge", 'the fridge'),
        ('I want you to drive next to the sink', 'the sink'),
        ('go to the chair that is next to the table', 'the chair that is next to the table'),
        ('now go up to the shelf', 'the shelf'),
        ('go to x=1 y=2', 'x=1 y=2'),
    ],
)
def test_a_goal_is_named_in_the_askers_words(question, goal):
    assert goal_of(question) == goal


@pytest.mark.parametrize(
    'question',
    [
        'where is the red chair?',
        'how do I go to the kitchen?',
        'why did you go to the kitchen?',
        'go to',
        'go to  please ?',
        'go away',
        'come here',
        'gopher to the kitchen',
        'what would you move to the table?',
        'is the way to the door free?',
        '',
    ],
)
def test_other_sentences_name_none(question):
    assert goal_of(question) is None


def test_a_long_question_takes_no_long_time():
    assert goal_of('please ' * 400) is None
    assert goal_of('go to ' + 'a ' * 1000 + '!') == ('a ' * 1000).strip()
