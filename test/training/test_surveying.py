# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The simplest questions have true answers, about nothing that was mentioned."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from loc3r_ros.training.surveying import survey

PLACES = {
    'sofa': (3.0, 0.0),
    'lamp': (0.0, 2.0),
    'coffee table': (-1.0, 0.2),
    'bed': (2.0, -2.0),
    'clock': (0.2, 0.0),
}
SAID = 'I am standing next to the rug and facing the sofa.'
QUARTERS = {'lamp': 'left', 'coffee table': 'behind'}
QUADRANTS = {'coffee table': 'back-left', 'bed': 'front-right'}


def test_answers_are_true_and_in_the_order_asked_for() -> None:
    rng, kinds = np.random.default_rng(0), Counter[str]()
    for _ in range(200):
        question, answer = survey(rng, PLACES, SAID, (0.0, 0.0), 0.0)
        told = dict(part.rsplit(' ', 1) for part in answer.split(', '))
        named = re.findall('|'.join(PLACES), question)
        assert list(told) == named and 'sofa' not in named and len(named) <= 3
        if question.startswith('How far'):
            kinds['distances'] += 1
            for name, metres in told.items():
                assert float(metres) == pytest.approx(np.hypot(*PLACES[name]), abs=0.051)
            continue
        kinds['quadrants' if 'front-left' in question else 'quarters'] += 1
        # What is near, or on a border, is not asked for.
        right = QUADRANTS if 'front-left' in question else QUARTERS
        assert told.items() <= right.items()
    assert len(kinds) == 3 and min(kinds.values()) > 40


def test_directions_turn_with_who_asks() -> None:
    rng = np.random.default_rng(0)
    told = [survey(rng, {'lamp': (0.0, 2.0)}, '', (0.0, 0.0), np.pi / 2) for _ in range(20)]
    assert {answer for _, answer in told} == {'lamp in front', 'lamp 2.0', ''}


def test_who_faces_nothing_is_told_distances() -> None:
    rng = np.random.default_rng(0)
    for _ in range(9):
        question, answer = survey(rng, {'lamp': (0.0, 2.0)}, '', (0.0, 0.0), None)
        assert question == 'How far from me in metres is the lamp?'
        assert answer == 'lamp 2.0'


def test_without_other_things_nothing_is_asked() -> None:
    rng = np.random.default_rng(0)
    assert survey(rng, {'sofa': (3.0, 0.0)}, SAID, (0.0, 0.0), 0.0) == ('', '')
