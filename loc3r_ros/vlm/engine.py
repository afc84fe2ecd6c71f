# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What everything around a spatial language model asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from loc3r_ros.errors import InputError, Loc3rError
from loc3r_ros.types import AgentPose, Target, View

MAX_CHARACTERS = 2000
"""Longest question or situation; about 500 tokens."""


class NoAnswerError(Loc3rError):
    """A sound question that cannot be answered; the text says why, and what would help."""


class SpatialEngine(Protocol):
    """Takes in keyframes and answers about what they show.

    One method is called at a time, from any thread. All poses are in the `map` of the current
    epoch.
    """

    @property
    def identity(self) -> str:
        """Name of the model, or `no model loaded`."""

    def observe(self, view: View) -> None:
        """Take in one keyframe."""

    def localize(self, situation: str) -> AgentPose:
        """Where the agent stands who says so ("I stand at the sink"); empty: where the camera is.

        Raises:
            NoAnswerError: nothing can be told now.
        """

    def ask(self, question: str, situation: str = '') -> Iterator[str]:
        """Answer in words, as they come; joined as they are they make the text.

        The iterator is closed to cancel, and then no more is computed.

        Raises:
            NoAnswerError: by the call or between words: there is no answer.
        """

    def ground(self, description: str) -> Target:
        """Where a thing is ("the red chair").

        Raises:
            NoAnswerError: nothing can be told now.
        """

    def wait(self) -> None:
        """Let what runs in the background end; then answers hang on the keyframes alone."""

    def reset(self) -> None:
        """Forget all: a new epoch begins."""

    def close(self) -> None:
        """Free what it holds; it is not used any more."""


def checked(text: str, what: str) -> str:
    """A question or description without the white space around it.

    Raises:
        InputError: it is blank, too long, or holds control characters.
    """
    text = text.strip()
    if not text:
        raise InputError(f'the {what} is empty: say it in plain words')
    return _short(text, what)


def checked_situation(text: str) -> str:
    """A situation, which may be empty, without the white space around it.

    Raises:
        InputError: it is too long, or holds control characters.
    """
    return _short(text.strip(), 'situation')


def _short(text: str, what: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f'the {what} has {len(text)} characters; {MAX_CHARACTERS} are allowed: shorten it'
        )
    if any(ord(c) < 32 and c not in '\t\n\r' for c in text):
        raise InputError(f'the {what} holds control characters: give plain text')
    return text
