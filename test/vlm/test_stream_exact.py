# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is streamed equals one forward over the same frames and words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_vlm import (
    BUDGET,
    PLACE,
    SMALL,
    SpeakerFromScratch,
    check_exact,
    flat,
    from_scratch,
    held,
    layouts_from_scratch,
    model,
    situated_from_scratch,
    view,
    watched,
    words,
)

from loc3r_ros.vlm.prefix import Text
from loc3r_ros.vlm.prompt import Prompt


@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
@pytest.mark.parametrize('count', [1, 5, BUDGET, BUDGET + 1, 3 * BUDGET])
def test_places_and_layouts_are_those_from_scratch(count, dtype, tolerance):
    stream = watched(count, dtype)
    frames = held(stream)
    check_exact(stream, tolerance)
    layouts = torch.stack([torch.cat([p.mean, p.log_sigma], -1) for p in stream.layouts])
    assert layouts.shape == (len(frames), SMALL.grid**2, 4)
    expected = layouts_from_scratch(model(dtype), frames)
    torch.testing.assert_close(layouts, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
@torch.inference_mode()
def test_hidden_states_and_logits_of_each_word_are_those_from_scratch(dtype, tolerance):
    stream, net = watched(BUDGET + 3, dtype), model(dtype)
    prompt = Prompt(words())
    text = Text(prompt.situation() + prompt.question('Where is the sofa?'))
    for word in [None, 300, 7, 1999]:
        if word is not None:
            text.ids.append(word)
        whole = from_scratch(net, held(stream), text.ids)
        hidden = stream._video.read(text)
        torch.testing.assert_close(
            hidden, whole[-len(hidden) :], rtol=tolerance, atol=tolerance * float(whole.abs().max())
        )
        logits, expected = net.logits(hidden[-1]), net.logits(whole[-1])
        scale = float(expected.abs().max())
        torch.testing.assert_close(logits, expected, rtol=tolerance, atol=tolerance * scale)


def test_words_are_those_of_greedy_decoding_from_scratch():
    stream = watched(6)
    speaker = SpeakerFromScratch(model(), 'Where is the sofa?', PLACE)
    said = stream.ask('Where is the sofa?', PLACE)
    for _ in range(12):
        assert next(said) == speaker.next(held(stream))


def test_questions_leave_the_prefix_as_it_was():
    stream = watched(6)
    before = stream.tokens, flat(stream.localize(PLACE))
    list(zip(range(5), stream.ask('Where is the sofa?'), strict=False))
    said = stream.ask('How many chairs are there?', PLACE)
    next(said)
    said.close()
    assert stream.tokens == before[0]
    np.testing.assert_array_equal(flat(stream.localize(PLACE)), before[1])


def test_questions_at_once_do_not_hear_each_other():
    stream, net = watched(6), model()
    questions = ['Where is the sofa?', 'How many chairs are there?', 'What is left of me?']
    saids = [stream.ask(question) for question in questions]
    speakers = [SpeakerFromScratch(net, question) for question in questions]
    for turn in [0, 1, 2, 0, 0, 1, 2, 1, 2, 0]:
        assert next(saids[turn]) == speakers[turn].next(held(stream))
        stream.localize(PLACE)


def test_an_answer_goes_on_with_a_frame_that_came_meanwhile():
    stream = watched(4)
    said, speaker = (
        stream.ask('Where is the sofa?'),
        SpeakerFromScratch(model(), 'Where is the sofa?'),
    )
    for number in range(4, 4 + 2 * BUDGET):
        assert next(said) == speaker.next(held(stream))
        stream.observe(*view(number), float(number))
        stream.wait()


def test_frames_matter():
    """Else all of the above would hold for a model that sees nothing."""
    a = situated_from_scratch(model(), [0, 1, 2], PLACE)
    b = situated_from_scratch(model(), [0, 2, 1], PLACE)
    assert np.abs(a - b).max() > 1e-2
