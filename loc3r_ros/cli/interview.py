# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions put on a terminal: the words as they come, and why there are none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from loc3r_ros.answers.answering import Answering
from loc3r_ros.answers.grading import Truth
from loc3r_ros.answers.reply import Reply


@dataclass(frozen=True)
class Question:
    """Something to be asked.

    Attributes:
        text: a question; or, where `is_situation`, what somebody says of where it stands.
        is_situation: only the place is asked for; of an empty text, that of the camera.
        situation: where somebody stands who asks the question; empty: nobody in particular.
        truth: what is true, where that is known.
    """

    text: str
    is_situation: bool = False
    situation: str = ''
    truth: Truth | None = None

    def __str__(self) -> str:
        if not self.is_situation:
            return f'{self.situation} {self.text}'.strip()
        return f'where am I? {self.text}' if self.text else 'where is the camera?'


def put(
    question: Question,
    answering: Answering,
    out: TextIO | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Reply:
    """Ask, with the words written out as they come; a refusal is written with its reason.

    Args:
        question: what is asked.
        answering: who is asked.
        out: where to write; None: the present stdout.
        is_cancelled: asked between words.
    """
    out = sys.stdout if out is None else out

    def say(words: str) -> None:
        print(words, end='', flush=True, file=out)

    if question.is_situation:
        reply = answering.localize(question.text)
        if reply.found:
            say(reply.told)
    else:
        reply = answering.ask(question.text, question.situation, is_cancelled=is_cancelled, say=say)
    reply.truth = question.truth
    if np.isfinite(reply.first_word):
        say('\n')
    if reply.is_cancelled:
        say('(cancelled)\n')
    elif not reply.found:
        say(f'no answer: {reply.text}\n')
    elif question.is_situation:
        say('\n')
    return reply


class Interview:
    """Puts some questions, one after the other.

    Args:
        questions: in their order.
        begin: called once, before the first.
    """

    def __init__(
        self, questions: Sequence[Question], begin: Callable[[], None] = lambda: None
    ) -> None:
        self._questions = questions
        self._begin = begin

    def __call__(self, answering: Answering) -> Iterator[Reply]:
        self._begin()
        for question in self._questions:
            print(f'> {question}')
            yield put(question, answering)
