# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Many at once, a rebuild in the background, and those who walk away."""

from __future__ import annotations

import gc
from threading import Event, Thread

import pytest
from small_vlm import BUDGET, PLACE, check_exact, flat, held, show, view, watched

from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.keyframes import thin
from loc3r_ros.vlm.prefix import Prefix

LONG_S = 60


@pytest.fixture
def gate(monkeypatch):
    """Holds a rebuild back before each frame, until it is opened."""
    opened, append = Event(), Prefix.append

    def slow(prefix, frame):
        if prefix.is_spare:
            assert opened.wait(LONG_S)
        append(prefix, frame)

    monkeypatch.setattr(Prefix, 'append', slow)
    monkeypatch.setattr(Prefix, 'is_spare', False, raising=False)
    yield opened
    opened.set()


def held_back(gate, count):
    """A stream whose rebuild waits at the gate, with `count` frames beyond the budget."""
    stream = watched(BUDGET)
    stream._video._pair[1].is_spare = True
    for number in range(BUDGET, BUDGET + count):
        stream.observe(*view(number), float(number))
    return stream


def started(*works):
    threads = [Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads


def ended(threads):
    for thread in threads:
        thread.join(LONG_S)
        assert not thread.is_alive()


def test_the_old_cache_answers_while_frames_are_read_anew(gate):
    stream = held_back(gate, 3)
    assert held(stream) == list(range(BUDGET))
    check_exact(stream)
    gate.set()
    stream.wait()
    assert held(stream) == [0, 2, 4, 7, 8, 9, 10]
    check_exact(stream)


def test_too_many_frames_wait_for_the_rebuild_and_none_is_lost(gate):
    stream = held_back(gate, BUDGET // 2)
    late = started(lambda: stream.observe(*view(12), 12.0))
    late[0].join(0.1)
    assert late[0].is_alive()
    check_exact(stream)
    gate.set()
    ended(late)
    stream.wait()
    expected = [0, 2, 4, 7, 8, 9, 10, 11]
    assert held(stream) == [expected[i] for i in thin(expected, 4)] + [12]
    check_exact(stream)


@pytest.mark.parametrize('way', ['reset', 'close'])
def test_a_rebuild_under_way_is_dropped_with_all_else(gate, way):
    stream = held_back(gate, 2)
    stopping = started(getattr(stream, way))
    gate.set()
    ended(stopping)
    show(stream, [3, 1])
    assert held(stream) == [3, 1]
    check_exact(stream)


def test_iterators_that_were_left_alone_hold_nobody_up():
    stream = watched(4)
    kept = stream.ask('Where is the sofa?')
    next(kept)
    dropped = stream.ask('Where is the table?')
    next(dropped)
    del dropped
    gc.collect()
    threads = started(
        lambda: stream.localize(PLACE),
        lambda: list(stream.ask('Where is the door?')),
        lambda: show(stream, range(4, BUDGET + 2)),
    )
    ended(threads)
    assert next(kept)
    check_exact(stream)


def test_everything_at_once_from_many_threads():
    stream, said, failures = watched(1), [], []

    def guarded(work):
        def run():
            try:
                work()
            except Exception as error:
                failures.append(error)

        return run

    def watch():
        for number in range(1, 5 * BUDGET):
            stream.observe(*view(number), float(number))

    def speak():
        words = stream.ask('Where is the sofa?', PLACE)
        said.append([word for _, word in zip(range(15), words, strict=False)])
        words.close()

    def stand():
        for _ in range(20):
            assert abs(flat(stream.localize(PLACE))[4:].sum() - 1) < 1e-9

    ended(started(*map(guarded, [watch, speak, speak, stand, stand])))
    assert failures == []
    assert len(said) == 2
    assert all(said)
    stream.wait()
    expected = []
    for number in range(5 * BUDGET):
        if len(expected) == BUDGET:
            expected = [expected[i] for i in thin(expected, BUDGET // 2)]
        expected.append(number)
    assert held(stream) == expected
    check_exact(stream)


def test_a_reset_amid_questions_ends_them_with_words():
    stream, ends = watched(4), []

    def speak():
        try:
            ends.append(list(stream.ask('Where is the sofa?')))
        except NoAnswerError as error:
            ends.append(str(error))

    threads = started(*[speak] * 3)
    stream.reset()
    ended(threads)
    assert len(ends) == 3
    show(stream, [5])
    check_exact(stream)
