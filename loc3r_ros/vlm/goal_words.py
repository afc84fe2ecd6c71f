# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which questions are goals: "could you go to the red chair, please?" names `the red chair`."""

from __future__ import annotations

import re

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


def goal_of(question: str) -> str | None:
    """The place that a question asks to go to, in its own words; None where it asks none."""
    found = _GOAL.match(question.strip())
    return found['target'].strip() or None if found else None
