# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions with options, for a model that answers in words: the letter is found for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

_LIST = re.compile(r'\s*\b(?:Options|Choices)\s*:\s*(?=A[.)]\s)', re.IGNORECASE)
_AROUND = ' \t\r\n,;.'


@dataclass(frozen=True)
class Choice:
    """A question that offers answers.

    Attributes:
        question: without them.
        options: by letter.
    """

    question: str
    options: Mapping[str, str]

    @staticmethod
    def of(question: str) -> Choice | None:
        """Of 'Where is it? Options: A. left, B. right.', in one line or in several; else None."""
        if (found := _LIST.search(question)) is None:
            return None
        rest, options = question[found.end() :], dict[str, str]()
        for letter, following in zip('ABCDEFGHIJ', 'BCDEFGHIJK', strict=True):
            rest = rest.removeprefix(letter)[1:].lstrip()
            after = re.search(rf'(?:[,;]\s*|\s+){following}[.)]\s', rest)
            # Instructions may follow the last of them, in a line of their own.
            option = rest[: after.start()] if after else rest.partition('\n')[0]
            options[letter] = option.strip(_AROUND)
            if after is None:
                break
            rest = rest[after.start() :].lstrip(_AROUND)
        bare = question[: found.start()].strip()
        return Choice(bare, options) if bare and len(options) > 1 else None

    def letter(self, said: str) -> str:
        """Of the option that is most like an answer in words, the first of equals.

        An answer may be that letter already; of no words it is empty. An order that is offered
        nowhere is taken for that of the options whose parts agree best.
        """
        said = said.strip(_AROUND)
        if not said or said in self.options:
            return said
        return max(self.options, key=lambda letter: _likeness(said, self.options[letter]))


def _likeness(said: str, option: str) -> float:
    """1: the same; parts between commas are compared as wholes."""
    a, b = (re.split(r',\s*', text.lower()) for text in (said, option))
    if len(b) == 1:
        return SequenceMatcher(None, said.lower(), option.lower()).ratio()
    return SequenceMatcher(None, a, b).ratio()
