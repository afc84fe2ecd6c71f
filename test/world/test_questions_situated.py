# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions of somebody in a situation, against what was reckoned by hand."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from question_scene import furnished, room, visit_all

from loc3r_ros.evaluation.baselines import frequent_answers
from loc3r_ros.evaluation.situated_answers import exact_match, question_kind
from loc3r_ros.world.questions.question import Question, Situation
from loc3r_ros.world.questions.situated import (
    KINDS,
    can,
    how,
    is_,
    offered,
    others,
    situated_questions,
    what,
    which,
)
from loc3r_ros.world.questions.situations import situations
from loc3r_ros.world.questions.surroundings import Surroundings

HERE = Situation('I face the door.', ('I face the door.', 'The door is ahead.'), (0.0, 0.0), 0.0)


def here(*things, size=(6.0, 6.0, 2.5), situation=HERE):
    return Surroundings(visit_all(room(*things, size=size)), situation)


def answers(facts):
    return {fact.text: fact.answer for fact in facts}


THINGS = [('sofa', (0, 2)), ('bed', (0, -1.5)), ('box', (-2.5, 0)), ('door', (2.9, 0))]


def test_what_is_on_a_side():
    said = answers(what(here(*THINGS)))
    assert said['What is the nearest thing standing on the floor on my left?'] == 'sofa'
    assert said['What is the nearest thing standing on the floor behind me?'] == 'box'
    assert said['What is on my right, the bed or the sofa?'] == 'bed'
    # The door is what the situation's words name, so asking for it would tell.
    assert not any('in front of me' in text for text in said)


def test_the_nearest_must_lead():
    said = answers(what(here(*THINGS, ('stool', (0.3, 2.3)))))
    assert 'What is the nearest thing standing on the floor on my left?' not in said


def test_is_and_where():
    said = answers(is_(here(*THINGS)))
    assert said['Is the sofa on my left?'] == 'yes'
    assert said['Is the sofa on my right?'] == 'no'
    assert not any('door' in text for text in said)
    turned = Situation('Here.', ('Here.',), (0.0, 0.0), np.pi / 2)
    places = {
        text.split()[3].rstrip(':'): at
        for text, at in answers(others(here(*THINGS, situation=turned))).items()
    }
    assert places == {'sofa': 'in front', 'bed': 'behind', 'box': 'left', 'door': 'right'}


def test_what_lies_on_a_border_is_not_asked():
    assert list(others(here(('sofa', (2, 1.5))))) == []  # 37 degrees of 45
    assert list(others(here(('sofa', (0, 0.9))))) == []  # 0.7 m away


def test_how_many():
    chairs = [('chair', (2, 1)), ('chair', (1, -2)), ('chair', (-2, 1))]
    assert answers(how(here(*chairs))) == {
        'How many chairs are in front of me, in that half of the room?': '2',
        'How many chairs are behind me, in that half of the room?': '1',
        'How many chairs are on my left, in that half of the room?': '2',
        'How many chairs are on my right, in that half of the room?': '1',
    }
    # One straight ahead: left or right cannot be said.
    assert len(answers(how(here(*chairs, ('chair', (2, 0)))))) == 2


def ways(surroundings):
    said = answers(can(surroundings)).items()
    return {text.split(' metres ')[1].split(' without')[0]: answer for text, answer in said}


def test_can_one_walk():
    said = {
        text.split(' metres ')[1].split(' without')[0]: a
        for text, a in answers(can(here(*THINGS))).items()
    }
    # The bed begins 1.3 m to the right; the sofa, at 1.8 m to the left, leaves 1.55 m: in doubt.
    assert said == {'to my right': 'no'}
    said = {
        text.split(' metres ')[1].split(' without')[0]: a
        for text, a in answers(can(here())).items()
    }
    assert set(said.values()) == {'yes'}
    assert len(said) == 4


def test_which():
    said = answers(which(here(*THINGS)))
    assert said['Which is nearer to me, the bed or the sofa?'] == 'bed'
    assert said['Which is nearer to me, the bed or the box?'] == 'bed'
    assert said['Which way is the shorter turn to face the sofa, left or right?'] == 'left'
    assert said['Which way is the shorter turn to face the bed, left or right?'] == 'right'
    # A clock high on the wall is neither near nor far; one can turn to it.
    high = answers(which(here(*THINGS, ('clock', (1.0, -2.9, 1.8)))))
    assert [text for text in high if 'clock' in text] == [
        'Which way is the shorter turn to face the clock, left or right?'
    ]
    # The box is right behind.
    assert not any('face the box' in text for text in said)


@pytest.fixture(scope='module')
def questions():
    found = []
    for seed in range(4):
        visit = visit_all(furnished(seed))
        where = situations(visit, np.random.default_rng(seed), 8)
        found += situated_questions(visit, where, 24)
    return found


def test_each_kind_begins_as_its_name_says(questions):
    counts = Counter(question.task for question in questions)
    assert set(counts) == {f'situated_{kind}' for kind in KINDS}
    assert min(counts.values()) >= 8, counts
    assert all(q.task == f'situated_{question_kind(q.text)}' for q in questions)
    assert all(q.situation is not None for q in questions)


def test_yes_and_no_and_the_sides_are_even(questions):
    for kind in ('is', 'can', 'others'):
        said = Counter(q.answer for q in questions if q.task == f'situated_{kind}')
        assert max(said.values()) - min(said.values()) <= 4, said  # one for each room


def test_of_two_things_named_either_may_be_meant(questions):
    two = [q for q in questions if ' or the ' in q.text]
    first = sum(q.text.split(' or the ')[0].endswith(f' the {q.answer}') for q in two)
    assert len(two) > 100
    # Three standard deviations of a fair coin.
    assert abs(first - len(two) / 2) <= 1.5 * np.sqrt(len(two))


def test_what_is_offered_is_what_may_be_right(questions):
    for kind, numbers in {'is': {2}, 'can': {2}, 'others': {4}, 'which': {2}, 'how': {0}}.items():
        assert {len(offered(q)) for q in questions if q.task == f'situated_{kind}'} == numbers
    assert all(q.answer in offered(q) for q in questions if offered(q))
    assert {offered(q) for q in questions if 'the shorter turn' in q.text} == {('left', 'right')}
    nearest = 'What is the nearest thing standing on the floor on my left?'
    assert not offered(Question('situated_what', nearest, (), 'sofa'))
    size = 'What is the longest dimension (length, width or height) of the sofa in centimetres?'
    assert not offered(Question('object_size_estimation', size, (), '180'))


def test_what_is_often_near_is_as_often_not(questions):
    """Of two things named, the one that is mostly right where it is named: of no use."""
    two = [q for q in questions if ' or the ' in q.text]
    named = [re.findall(r'the ([a-z ]+) or the ([a-z ]+)\?', q.text)[0] for q in two]
    offered = Counter(name for names in named for name in names)
    was_right = Counter(q.answer for q in two)
    best = [max(names, key=lambda name: was_right[name] / offered[name]) for names in named]
    share = np.mean([q.answer == name for q, name in zip(two, best, strict=True)])
    # Learnt from the very questions that it answers, it can only flatter.
    assert share <= 0.62


def test_yes_alone_is_not_asked():
    visit = visit_all(room(size=(6.0, 6.0, 2.5)))
    assert set(answers(can(Surroundings(visit, HERE))).values()) == {'yes'}
    assert situated_questions(visit, [HERE], 9) == []


def test_the_blind_do_not_profit(questions):
    """The best constant answer of each kind, learnt from these very questions."""
    tasks, answers = zip(*((q.task, q.answer) for q in questions), strict=True)
    constant = frequent_answers(tasks, answers)
    most = {'what': 0.2, 'is': 0.6, 'how': 0.3, 'can': 0.65, 'which': 0.2, 'others': 0.35}
    for kind, limit in most.items():
        asked = [q for q in questions if q.task == f'situated_{kind}']
        right = [exact_match(constant[q.task], [q.answer]) for q in asked]
        print(f'situated_{kind:10} {len(asked):4} questions, blind {100 * np.mean(right):5.1f} %')
        assert np.mean(right) <= limit, kind
