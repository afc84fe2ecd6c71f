# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a stream refuses, and what a reset leaves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_vlm import BUDGET, PLACE, SMALL, check_exact, model, show, view, watched, words

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.stream import ANSWER_TOKENS, TEXT_TOKENS, VideoStream


def test_without_frames_there_is_no_answer():
    stream = VideoStream(model(), words())
    with pytest.raises(NoAnswerError, match='no keyframe has been seen yet'):
        stream.ask('Where is the sofa?')
    with pytest.raises(NoAnswerError, match='no keyframe has been seen yet'):
        stream.localize(PLACE)
    assert stream.stamps == stream.layouts == []


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('', 'is empty'),
        (' \n', 'is empty'),
        ('bell \a', 'control characters'),
        ('half \ud800', 'no plain text'),
        (b'bytes', 'bytes given where text is expected'),
        (None, 'NoneType given where text is expected'),
        ('word ' * 600, 'characters; 2000 are allowed'),
    ],
)
def test_what_is_no_question_is_refused_by_the_call(text, complaint):
    stream = watched(1)
    with pytest.raises(InputError, match=complaint):
        stream.ask(text)
    with pytest.raises(InputError, match=complaint):
        stream.localize(text)


def test_a_question_of_too_many_tokens_names_them_and_the_limit():
    stream = watched(1)
    allowed = TEXT_TOKENS - ANSWER_TOKENS
    with pytest.raises(InputError, match=rf'have \d+ tokens; {allowed} are allowed'):
        stream.ask('€' * 400)  # three bytes each, which no tiny vocabulary joins
    assert next(stream.ask('€' * 100))


def test_a_longest_question_leaves_room_for_a_longest_answer(monkeypatch):
    stream = watched(BUDGET)
    text = 'é' * ((TEXT_TOKENS - ANSWER_TOKENS) // 2 - 15)
    told = []
    monkeypatch.setattr(stream, '_next', lambda hidden: told.append(1) or 300)
    assert ''.join(stream.ask(text))
    assert len(told) == ANSWER_TOKENS


@pytest.mark.parametrize('frames', [3, 300])
def test_budgets_that_cannot_be_are_refused(frames):
    with pytest.raises(InputError, match=f'{frames} frames'):
        VideoStream(model(), words(), frames=frames)


def test_another_models_tokenizer_is_refused():
    config = replace(SMALL, text=replace(SMALL.text, vocab_size=100))
    with pytest.raises(InputError, match='the model 100'):
        VideoStream(build(config), words())


@pytest.mark.parametrize(
    ('image', 'token', 'complaint'),
    [
        (np.zeros((4, 4), np.uint8), None, 'image of uint8'),
        (np.zeros((4, 4, 3), np.float32), None, 'image of float32'),
        (view(0)[0], np.zeros(7, np.float32), 'takes 12 finite numbers'),
        (view(0)[0], np.full(12, np.nan, np.float32), 'takes 12 finite numbers'),
    ],
)
def test_frames_that_do_not_fit_are_refused_and_change_nothing(image, token, complaint):
    stream = watched(2)
    with pytest.raises(InputError, match=complaint):
        stream.observe(image, token, 2.0)
    assert stream.stamps == [0.0, 1.0]
    check_exact(stream)


def test_after_a_reset_all_is_new():
    stream = watched(5)
    said = stream.ask('Where is the sofa?')
    next(said)
    stream.reset()
    with pytest.raises(NoAnswerError, match='forgotten meanwhile'):
        next(said)
    with pytest.raises(NoAnswerError, match='no keyframe'):
        stream.localize(PLACE)
    show(stream, [7, 8])
    assert stream.stamps == [7.0, 8.0]
    check_exact(stream)


def test_closing_frees_the_caches_and_ends_the_rebuild():
    stream = watched(BUDGET)
    stream.observe(*view(BUDGET), 8.0)
    stream.close()
    assert stream._video._rebuild is None
    assert stream.bytes == 0


def spoken(stream, monkeypatch, tokens):
    """What is said where the model gives these tokens."""
    given = iter(tokens)
    monkeypatch.setattr(stream, '_next', lambda hidden: next(given))
    return list(stream.ask('Where is the sofa?'))


def test_facts_are_not_said_aloud(monkeypatch):
    stream = watched(1)
    reasons = replace(stream._model.config, reasons=True)
    monkeypatch.setattr(stream._model, 'config', reasons)
    facts, therefore, sofa = (words().encode(text) for text in ('bed 2.2', '=', 'sofa'))
    end = words().end_id
    assert spoken(stream, monkeypatch, [*facts, *therefore, *sofa, end]) == ['sofa']
    assert spoken(stream, monkeypatch, [*therefore, *sofa, *therefore, end]) == ['sofa', '=']
    # What leads to nothing is better than nothing.
    assert spoken(stream, monkeypatch, [*facts, end]) == ['bed 2.2']


def test_an_answer_ends_with_the_models_end_and_not_amid_a_character(monkeypatch):
    sofa, euro = words().encode(' sofa'), words().encode('€')
    assert len(euro) > 1
    stream, end = watched(1), words().end_id
    assert spoken(stream, monkeypatch, [*sofa, *euro, end]) == [' sofa', '€']
    assert spoken(stream, monkeypatch, [*sofa, euro[0], end]) == [' sofa', '\ufffd']
    assert spoken(stream, monkeypatch, [end]) == []
