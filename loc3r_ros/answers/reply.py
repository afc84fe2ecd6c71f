# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""An answer as it comes about."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from time import monotonic

from loc3r_ros.answers.goals import Goal
from loc3r_ros.answers.grading import Grade, Truth, grade
from loc3r_ros.geometry import Array
from loc3r_ros.types import AgentPose
from loc3r_ros.vlm.agent import nowhere, whereabouts


@dataclass
class Reply:
    """An answer as it comes about.

    Attributes:
        question, situation: as they were asked; the situation without white space around it.
        engine: what answers.
        text: the words so far; where there is no answer, why.
        found: whether there is an answer.
        is_cancelled: nobody wanted it any more.
        agent: where who asks stands; the camera, where no situation was told.
        goal: the resolved goal, where a goal was named.
        confidence: of the answer, 0 to 1; NaN = not told.
        stamp_ns: stamp of the newest image behind it, ns; 0 when there was none.
        epoch: whose map the poses belong to; None before there was one.
        first_word, duration: from the question to the first word and to the end, s; NaN = no word.
        queued: time in the queue, s.
        truth: what is true, where that is known.
        asked_at: time of the question on the monotonic clock, s.
    """

    question: str
    situation: str
    engine: str
    text: str = ''
    found: bool = False
    is_cancelled: bool = False
    agent: AgentPose = field(default_factory=lambda: nowhere('not asked'))
    goal: Goal | None = None
    confidence: float = math.nan
    stamp_ns: int = 0
    epoch: int | None = None
    first_word: float = math.nan
    duration: float = 0.0
    queued: float = 0.0
    truth: Truth | None = None
    asked_at: float = field(default_factory=monotonic)

    @property
    def told(self) -> str:
        """What came of it in words: the engine's, else the place that was asked for."""
        return whereabouts(self.agent) if not self.text and self.agent.found else self.text

    def grade(self, T_map_truth: Array | None) -> Grade | None:
        """How it compares with what is true; None where that is not known. See `grading.grade`."""
        if self.truth is None:
            return None
        return grade(self.truth, self.text if self.found else '', self.agent, T_map_truth)

    def elapsed(self) -> float:
        """Since it was asked, s."""
        return monotonic() - self.asked_at
