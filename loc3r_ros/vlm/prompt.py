# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The prompt as pieces of token ids: header, (video,) situation, `<Pos>` `<Ori>`, question.

In this order a new frame extends what has been read, and a question extends that: see
`model.assumptions`. The turns are marked as in Qwen2's chats.
"""

from __future__ import annotations

from dataclasses import dataclass

from loc3r_ros.vlm.model.assumptions import PSEUDO_SITUATION
from loc3r_ros.vlm.tokenizer import Words

SYSTEM = 'You are a helpful assistant.'

THEREFORE = '='
"""Between what a model says to itself, where it was taught so, and its answer."""


@dataclass(frozen=True)
class Prompt:
    """The pieces, for one tokenizer; each is cut at a marker, so that they join without change."""

    words: Words

    def header(self) -> list[int]:
        """Before the video; always the same."""
        words = self.words
        return [
            *(words.start_id, *words.encode(f'system\n{SYSTEM}'), words.end_id),
            *words.encode('\n'),
            *(words.start_id, *words.encode('user\n')),
        ]

    def situation(self, text: str = '') -> list[int]:
        """After the video: where the agent says to be, then `<Pos>`, then `<Ori>` as the last."""
        words = self.words
        return [*words.encode(f'\n{text or PSEUDO_SITUATION}'), words.pos_id, words.ori_id]

    def question(self, text: str) -> list[int]:
        """After the situation: the question, and the beginning of the answer's turn."""
        words = self.words
        return [
            *(*words.encode(f' {text}'), words.end_id),
            *words.encode('\n'),
            *(words.start_id, *words.encode('assistant\n')),
        ]

    @property
    def therefore(self) -> int:
        """The token of `THEREFORE`."""
        (token,) = self.words.encode(THEREFORE)
        return token
