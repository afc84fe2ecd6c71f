# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Any sequence of frames, questions and interruptions equals computing all from scratch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from small_vlm import (
    BUDGET,
    SpeakerFromScratch,
    flat,
    held,
    model,
    situated_from_scratch,
    view,
    words,
)

from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.keyframes import thin
from loc3r_ros.vlm.stream import VideoStream

PLACES = ['I am standing at the sink.', 'I sit on the sofa and face the window.']
QUESTIONS = ['Where is the table?', 'How many chairs are there?', '?']


class Streaming(RuleBasedStateMachine):
    """Frames that are held are told by a list here, words by greedy decoding from scratch."""

    def __init__(self):
        super().__init__()
        self.stream = VideoStream(model(), words())
        self.shown, self.frames, self.answers = 0, [], []
        self.is_settled = True

    def teardown(self):
        self.stream.close()

    @rule(count=st.integers(1, 5), settle=st.booleans())
    def observe(self, count, settle):
        for _ in range(count):
            if len(self.frames) == BUDGET:
                self.frames = [self.frames[i] for i in thin(self.frames, BUDGET // 2)]
                self.is_settled = False
            self.stream.observe(*view(self.shown), float(self.shown))
            self.frames.append(self.shown)
            self.shown += 1
        if settle:
            self.settle()

    @rule()
    def settle(self):
        self.stream.wait()
        self.is_settled = True
        assert held(self.stream) == self.frames

    @rule(place=st.sampled_from(PLACES))
    def localize(self, place):
        before = held(self.stream)
        if not before:
            with pytest.raises(NoAnswerError):
                self.stream.localize(place)
            return
        told = flat(self.stream.localize(place))
        # A rebuild may have ended in between: then it is about the frames after it.
        seen = [before] if self.is_settled else [before, held(self.stream)]
        errors = [np.abs(situated_from_scratch(model(), f, place) - told).max() for f in seen]
        assert min(errors) <= 1e-9

    @precondition(lambda self: self.frames)
    @rule(question=st.sampled_from(QUESTIONS), place=st.sampled_from(['', *PLACES]))
    def ask(self, question, place):
        said = self.stream.ask(question, place)
        self.answers.append((said, SpeakerFromScratch(model(), question, place)))

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 9), words_=st.integers(1, 4))
    def listen(self, which, words_):
        self.settle()
        said, speaker = self.answers[which % len(self.answers)]
        for _ in range(words_):
            assert next(said, None) == speaker.next(self.frames)

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 9), close=st.booleans())
    def cancel(self, which, close):
        said, _ = self.answers.pop(which % len(self.answers))
        if close:
            said.close()

    @rule()
    def reset(self):
        self.stream.reset()
        self.frames, self.shown, self.is_settled = [], 0, True
        for said, _ in self.answers:
            with pytest.raises(NoAnswerError):
                next(said)
        self.answers = []

    @invariant()
    def budget_is_kept(self):
        assert len(self.frames) <= self.stream.budget == BUDGET


Streaming.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStreaming = Streaming.TestCase
