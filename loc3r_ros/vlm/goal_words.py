# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which questions are goals: "could you go to the red chair, please?" names `the red chair`.

And which places are told by their coordinates: no model need look for these.
"""

from __future__ import annotations

import re

import numpy as np

from loc3r_ros.types import Target

_ADDRESS = r"""(?: (?:hey|ok|okay|hello) \s+ )? (?: robot \b [\s,:!]* )?"""
_POLITE = r"""(?: (?: please
                    | (?:can|could|will|would) \s+ you
                    | i \s+ (?:want|need) \s+ you \s+ to
                    | i (?: \s+ would | '?d) \s+ like \s+ you \s+ to
                    | now | then | let'?s
                  ) \b [\s,]* )*"""
_VERB = r"""(?: (?:go|drive|navigate|move|travel|head|walk|come|get)
              | (?:take|bring|lead|guide) \s+ me )"""
_TO = r"""(?: \s+ (?:back|over|on|up|down) )? \s+ (?: to | towards? | into | next \s+ to | near )"""
_GOAL = re.compile(
    rf"""^ {_ADDRESS} {_POLITE} {_VERB} {_TO} \s+ (?P<target> .*? )
         [\s,]* (?: \b please )? [\s.!?]* $""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

_NUMBER = r'[-+]?(?:\d+\.?\d*|\.\d+)'
_COORDINATES = re.compile(
    rf'\(?\s*(?:x\s*[=:]?\s*)?({_NUMBER})(?:\s*m)?(?:\s*[,;]\s*|\s+)'
    rf'(?:y\s*[=:]?\s*)?({_NUMBER})(?:\s*m)?\s*\)?',
    re.IGNORECASE,
)
_FARTHEST = 1e5

_ARTICLES = ('the ', 'a ', 'an ', 'my ', 'your ', 'our ')


def goal_of(question: str) -> str | None:
    """The place that a question asks to go to, in its own words; None where it asks none."""
    found = _GOAL.match(question.strip())
    return found['target'].strip() or None if found else None


def place_of(description: str) -> Target | None:
    """The place of two coordinates, m in `map`; None where the description is of something else."""
    found = _COORDINATES.fullmatch(description.strip())
    if found is None:
        return None
    x, y = float(found[1]), float(found[2])
    if max(abs(x), abs(y)) > _FARTHEST:
        reason = f'({x:g}, {y:g}) is no place in a map: coordinates are in metres'
        return Target(False, np.full(3, np.nan), reason=reason)
    return Target(True, np.array([x, y, 0.0]), confidence=1.0)


def beside(description: str) -> str:
    """What somebody says who stands next to a thing: so a model that localizes is asked for it."""
    thing = description.strip().rstrip('.!?')
    named = thing if thing.lower().startswith(_ARTICLES) else f'the {thing}'
    return f'I am standing next to {named}.'
