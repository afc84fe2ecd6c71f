# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Situated questions as in SQA3D: cleaning of short answers, exact match, refined match.

Cleaning follows SQA3D's own script (Ma et al., arXiv 2210.07474), which LEO, MSR3D, Beacon3D and
Video-3D-LLM share; its order of steps and its oddities are kept, so that figures compare. The
refined match (EM-R) is LEO's (Huang et al., arXiv 2311.12871).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

KINDS = ('what', 'is', 'how', 'can', 'which', 'others')
"""Kinds of question, in the order of the published tables."""

_NUMBERS = (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen '
    'sixteen seventeen eighteen nineteen twenty'
)

_WORDS = {str(number): word for number, word in enumerate(_NUMBERS.split())} | {
    '23': 'twenty-three',
    'none': 'zero',
    'tv': 'TV',
    # slips of the annotators
    'behine': 'behind',
    'chai': 'chair',
    'let': 'left',
    'letf': 'left',
    'oclock': "o'clock",
    'rght': 'right',
    'rigth': 'right',
    'tehre': 'there',
    'wasing': 'washing',
    'waslked': 'walked',
}


def clean_answer(text: str) -> str:
    """An answer as it is compared: lower case, numbers as words, no articles, no stray signs."""
    text = re.sub(' {2,}', ' ', text.lower().strip(' '))
    text = re.sub(r"[^a-z0-9,'\s:-]+", '', text)
    text = re.sub(r'\w+', lambda word: _WORDS.get(word[0], word[0]), text)
    text = re.sub(r"\bo' +clock\b", "o'clock", text)
    text = re.sub(r'\b([a-zA-Z]+)[0-9]\b', r'\1', text)
    for article in ('a', 'an', 'the'):
        text = re.sub(rf'\b{article} ([a-zA-Z]+)', r'\1', text)
    return re.sub(r'\bbackwards\b', 'backward', text)


def exact_match(prediction: str, truths: Iterable[str]) -> bool:
    """EM: whether the prediction, which must not be empty, equals a true answer, both cleaned."""
    said = clean_answer(prediction)
    return bool(said.strip()) and said in map(clean_answer, truths)


def refined_match(prediction: str, truths: Iterable[str]) -> bool:
    """EM-R: equal after cleaning, or, blanks left out, one contains the other.

    Nothing is contained in everything, so a text that is empty after cleaning never matches; the
    published script counts it as right.
    """
    said = _without_blanks(prediction)
    meant = [text for text in map(_without_blanks, truths) if text]
    return bool(said) and any(said in text or text in said for text in meant)


def question_kind(question: str) -> str:
    """One of `KINDS`, by how the question begins."""
    start = question.lstrip().lower()
    return next((kind for kind in KINDS[:-1] if start.startswith(kind)), KINDS[-1])


def _without_blanks(text: str) -> str:
    return ''.join(clean_answer(text).split())
