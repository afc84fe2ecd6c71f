# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Decks and piles: what keeps answers even."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np

from loc3r_ros.world.questions.question import choice, deal, deck


def rng():
    return np.random.default_rng(4)


def test_no_card_leads_by_more_than_one():
    for n in range(1, 30):
        counts = Counter(islice(deck(rng(), 'ABCD'), n))
        assert max(counts.values()) - min(counts[card] for card in 'ABCD') <= 1


def test_piles_give_evenly_until_one_is_spent():
    dealt = Counter(name for name, _ in deal(rng(), {'a': range(9), 'b': range(3)}, 99))
    assert dealt['b'] == 3
    assert dealt['a'] in (3, 4)
    cards = [card for name, card in deal(rng(), {'a': range(9), 'b': range(9)}, 18) if name == 'a']
    assert sorted(cards) == list(range(9))


def test_an_empty_pile_ends_it_all():
    assert list(deal(rng(), {'a': range(9), 'b': []}, 9)) == []
    assert list(deal(rng(), {}, 9)) == []


def test_options_carry_their_letters():
    question = choice('task', 'Which?', 'right', ['x', 'y', 'z'], 2)
    assert question.options == ('A. x', 'B. y', 'C. right', 'D. z')
    assert question.answer == 'C'
