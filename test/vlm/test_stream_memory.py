# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a stream holds, and what it does where memory runs out."""

from __future__ import annotations

import logging

import pytest
import torch
from small_vlm import BUDGET, PLACE, SMALL, check_exact, show, view, watched

from loc3r_ros.vlm.cache import CacheShape, PrefixCache
from loc3r_ros.vlm.config import FULL
from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.memory import is_out_of_memory
from loc3r_ros.vlm.model.loc3r import Loc3rVlm, build
from loc3r_ros.vlm.prefix import Prefix
from loc3r_ros.vlm.stream import TEXT_TOKENS


def test_memory_after_1000_frames_is_that_after_the_first_few(monkeypatch):
    made = []
    init = PrefixCache.__init__
    monkeypatch.setattr(
        PrefixCache, '__init__', lambda s, *a, **k: made.append(s) or init(s, *a, **k)
    )
    stream = watched(BUDGET)
    before = stream.bytes
    # Two caches, embeddings and layouts: the arithmetic, to the byte.
    header = stream.tokens - sum(SMALL.tokens_per_frame - (n % 5 == 3) for n in range(BUDGET))
    capacity = header + BUDGET * SMALL.tokens_per_frame + TEXT_TOKENS
    embeddings = (stream.tokens - header) * SMALL.text.hidden_size * 8
    layouts = BUDGET * SMALL.grid**2 * 4 * 8
    assert (
        before
        == 2 * CacheShape.of(SMALL.text, capacity).bytes(torch.float64) + embeddings + layouts
    )
    images = [view(n) for n in (0, 1, 2, 4)]  # alike in tokens, and so in bytes
    stream.reset()
    for number in range(BUDGET):
        stream.observe(*images[number % 4], float(number))
    first = stream.bytes
    for number in range(BUDGET, 1000):
        stream.observe(*images[number % 4], float(number))
    stream.wait()
    assert len(stream.stamps) == BUDGET  # 1000 is 8 + 248 times 4
    assert stream.stamps[0] == 0.0
    assert stream.stamps[-1] == 999.0
    assert stream.bytes == first
    assert len(made) == 2


def test_at_full_size_a_cache_is_57344_bytes_a_token():
    with torch.device('meta'):
        net = build(FULL, 'meta', torch.float16)
    prefix = Prefix(net, [0] * 20, 20 + 32 * FULL.tokens_per_frame + TEXT_TOKENS)
    assert prefix.bytes == (20 + 32 * 211 + 640) * 57_344 == 425_033_728


class Shortage:
    """Memory that runs out at chosen calls."""

    def __init__(self, monkeypatch, owner, name, runs_out, error):
        self.calls = 0
        self._work = getattr(owner, name)
        self._runs_out, self._error = runs_out, error
        monkeypatch.setattr(owner, name, lambda *args, **more: self._call(*args, **more))

    def _call(self, *args, **more):
        self.calls += 1
        if self._runs_out(self.calls, *args):
            raise self._error
        return self._work(*args, **more)


GPU = torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
CPU = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ...")


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize('error', [GPU, CPU, MemoryError()])
def test_what_memory_running_out_looks_like(error):
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError('shapes cannot be multiplied'))


@pytest.mark.parametrize('error', [GPU, CPU])
@pytest.mark.parametrize('at', ['encode_images', 'decode'])
def test_out_of_memory_halves_the_frames_says_so_and_goes_on(monkeypatch, caplog, error, at):
    stream = watched(BUDGET - 1)
    Shortage(monkeypatch, Loc3rVlm, at, lambda call, *_: call == 1, error)
    show(stream, [BUDGET - 1])
    assert stream.budget == BUDGET // 2
    assert warnings(caplog) == ['out of memory with 8 frames: 4 are held from now on']
    assert stream.stamps[0] == 0.0
    assert stream.stamps[-1] == BUDGET - 1
    assert len(stream.stamps) <= BUDGET // 2
    check_exact(stream)
    show(stream, range(BUDGET, 3 * BUDGET))
    assert len(stream.stamps) <= BUDGET // 2
    check_exact(stream)
    assert len(warnings(caplog)) == 1


def test_out_of_memory_in_a_question_answers_it_with_fewer_frames(monkeypatch, caplog):
    stream = watched(BUDGET)
    said = stream.ask('Where is the sofa?', PLACE)
    next(said)
    Shortage(monkeypatch, Loc3rVlm, 'decode', lambda call, *_: call == 1, GPU)
    assert next(said)
    assert stream.budget == BUDGET // 2
    check_exact(stream)


def test_out_of_memory_in_the_rebuild(monkeypatch, caplog):
    stream = watched(BUDGET)
    Shortage(monkeypatch, Loc3rVlm, 'decode', lambda call, *_: call == 2, GPU)
    show(stream, [BUDGET])
    assert stream.budget == BUDGET // 2
    assert stream.stamps[-1] == BUDGET
    assert len(warnings(caplog)) == 1
    check_exact(stream)


def test_caches_that_do_not_fit_are_made_smaller(monkeypatch, caplog):
    Shortage(monkeypatch, Prefix, '__init__', lambda _, *args: args[3] > 700, CPU)
    stream = watched(3)
    assert stream.budget == BUDGET // 2
    check_exact(stream)


def test_out_of_memory_with_the_fewest_frames_is_an_error(monkeypatch):
    stream = watched(3)
    shortage = Shortage(monkeypatch, Loc3rVlm, 'decode', lambda *_: True, GPU)
    with pytest.raises(NoAnswerError, match='out of memory even with 4 frames'):
        stream.localize(PLACE)
    assert shortage.calls == 2
    monkeypatch.undo()
    check_exact(stream)


def test_another_error_is_not_taken_for_it(monkeypatch):
    stream = watched(3)
    Shortage(monkeypatch, Loc3rVlm, 'decode', lambda call, *_: call == 1, RuntimeError('shapes'))
    with pytest.raises(RuntimeError, match='shapes'):
        stream.localize(PLACE)
    assert stream.budget == BUDGET
    check_exact(stream)


def test_a_rebuild_that_fails_is_made_up_for(monkeypatch, caplog):
    stream = watched(BUDGET)
    Shortage(monkeypatch, Loc3rVlm, 'decode', lambda call, *_: call == 3, RuntimeError('shapes'))
    show(stream, [BUDGET])
    assert 'could not be read anew' in caplog.text
    assert stream.budget == BUDGET
    assert stream.stamps == [0.0, 2.0, 4.0, 7.0, 8.0]
    check_exact(stream)
