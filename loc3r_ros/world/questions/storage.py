# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions as lines of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from loc3r_ros.errors import InputError
from loc3r_ros.world.questions.question import Question, Region, Situation


def question_to_json(question: Question) -> str:
    """One line; every number comes back as it was."""
    return json.dumps(asdict(question))


def question_from_json(line: str) -> Question:
    """The question of a line.

    Raises:
        InputError: the line is no question; it says why.
    """
    try:
        row = json.loads(line)
        row['options'] = tuple(row['options'])
        row['regions'] = tuple(_region(region) for region in row['regions'])
        row['situation'] = row['situation'] and _situation(row['situation'])
        row['place'] = row['place'] and tuple(row['place'])
        return Question(**row)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f'{line[:60]!r} is no question ({error!r}); write it anew with question_to_json'
        ) from error


def _situation(row: dict[str, Any]) -> Situation:
    x, y = row['position']
    return Situation(row['text'], tuple(row['wordings']), (x, y), row['yaw'])


def _region(row: dict[str, Any]) -> Region:
    left, top, right, bottom = row['box']
    return Region(row['frame'], (left, top, right, bottom), row['instance'])
