# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The table of what was asked at the end of a run, and of what came of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.report.markup import Markup, element

_COLUMNS = ('', 'question', 'answer', 'confidence', 'time')


def answers_section(replies: Sequence[Reply]) -> Markup:
    """Question, answer, confidence and time of each, or nothing where nothing was asked."""
    if not replies:
        return Markup()
    rows = [_row(k, reply) for k, reply in enumerate(replies, 1)]
    head = [element('th', text, scope='col') for text in _COLUMNS]
    table = element(
        'table',
        element('caption', f'Answered by: {replies[0].engine}'),
        element('thead', element('tr', *head)),
        element('tbody', *rows),
    )
    return element('section', element('h2', 'Answers'), table, class_='card answers')


def _row(k: int, reply: Reply) -> Markup:
    asked = reply.question
    if reply.situation or not asked:
        asked = f'{asked or "where am I?"} {reply.situation or "(the camera)"}'
    known = np.isfinite(reply.confidence)
    return element(
        'tr',
        element('th', k, scope='row'),
        element('td', asked),
        element('td', reply.told),
        element('td', f'{100 * reply.confidence:.0f} %' if known else '–'),
        element('td', f'{reply.duration:.2f} s'),
        class_=None if reply.found else 'unanswered',
    )
