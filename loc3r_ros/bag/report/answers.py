# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The table of what was asked at the end of a run, of what came of it, and of what is true."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from loc3r_ros.answers.grading import RULE, Grade, in_words, planar, tally, told_tally
from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.report.markup import Markup, element

_ANSWER_SHOWN = 240
"""Characters; what is longer is of no use as an answer."""


def answers_section(replies: Sequence[Reply], grades: Sequence[Grade | None] = ()) -> Markup:
    """Question, answer and time of each, and where it is known the truth; nothing without any."""
    if not replies:
        return Markup()
    graded = any(grades)
    columns = ('', 'question', 'answer', *(('truth', '') if graded else ('confidence',)), 'time')
    rows = [
        element(
            'tr',
            element('th', k, scope='row'),
            element('td', *_asked(reply)),
            element('td', _told(reply, grade), data_label='answer'),
            *(_compared(grade) if graded else (_confidence(reply),)),
            element('td', f'{reply.duration:.2f} s'),
            class_=None if reply.found else 'unanswered',
        )
        for k, (reply, grade) in enumerate(zip_longest(replies, grades), 1)
    ]
    table = element(
        'table',
        element('caption', f'Answered by: {replies[0].engine}'),
        element('thead', element('tr', *(element('th', text, scope='col') for text in columns))),
        element('tbody', *rows),
    )
    content = [element('h2', 'Answers')]
    if graded:
        content.append(element('p', told_tally(tally(grades)), class_='tally'))
    content.append(table)
    if graded:
        content.append(element('p', RULE, class_='rule-of'))
    return element('section', *content, class_='card answers graded' if graded else 'card answers')


def _told(reply: Reply, grade: Grade | None) -> str:
    """The answer; a place that is compared in the words of the true one."""
    if grade is not None and grade.is_place and reply.agent.found:
        return in_words(*planar(reply.agent.T_map_agent))
    told = reply.told
    return told if len(told) <= _ANSWER_SHOWN else told[:_ANSWER_SHOWN] + ' …'


def _confidence(reply: Reply) -> Markup:
    known = np.isfinite(reply.confidence)
    return element('td', f'{100 * reply.confidence:.0f} %' if known else '–')


def _asked(reply: Reply) -> tuple[Markup, ...]:
    """The question, below the words of who asks it."""
    where = reply.situation
    if not reply.question and not where:
        where = '(the camera)'
    said = (element('span', where, class_='said'),) if where else ()
    return (*said, element('span', reply.question or 'Where am I?'))


def _compared(grade: Grade | None) -> tuple[Markup, Markup]:
    """What is true, and whether it was told."""
    if grade is None:
        return element('td', '–'), element('td')
    off = (element('b', grade.off),) if grade.is_place else ()
    words = element('td', element('span', grade.truth), *off, data_label='truth')
    kind, mark = ('good', 'right') if grade.is_right else ('bad', 'wrong')
    return words, element('td', element('span', mark, class_=f'badge {kind}'))
