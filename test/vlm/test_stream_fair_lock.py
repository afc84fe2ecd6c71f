# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A lock in the order of asking."""

from __future__ import annotations

from threading import Lock, Thread
from time import monotonic, sleep

import pytest

from loc3r_ros.vlm import fair_lock
from loc3r_ros.vlm.fair_lock import FairLock


def until(true):
    end = monotonic() + 10
    while not true():
        assert monotonic() < end
        sleep(0.001)


def test_first_come_first_served():
    lock, order, threads = FairLock(), [], []

    def take(number):
        with lock:
            order.append(number)

    with lock:
        for number in range(6):
            threads.append(Thread(target=take, args=(number,), daemon=True))
            threads[-1].start()
            until(lambda: len(lock._waiting) == len(threads))
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == list(range(6))


def test_one_at_a_time():
    lock, inside, most = FairLock(), [0], [0]

    def work():
        for _ in range(50):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                sleep(0)
                inside[0] -= 1

    threads = [Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert most == [1]


def test_an_error_inside_hands_it_on():
    lock = FairLock()
    with pytest.raises(KeyError), lock:
        raise KeyError
    with lock:
        pass


@pytest.mark.parametrize('was_handed_on', [False, True])
def test_one_who_leaves_the_queue_is_not_waited_for(monkeypatch, was_handed_on):
    lock = FairLock()

    class Interrupted:
        """A ticket whose holder is interrupted while it waits."""

        def __init__(self):
            self._lock, self._calls = Lock(), 0

        def acquire(self):
            self._calls += 1
            if self._calls == 2:
                if was_handed_on:
                    lock.__exit__(None, None, None)
                raise KeyboardInterrupt

        def release(self):
            pass

    lock.__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(fair_lock, 'Lock', Interrupted)
        with pytest.raises(KeyboardInterrupt):
            lock.__enter__()
    if not was_handed_on:
        lock.__exit__(None, None, None)
    assert not lock._is_held
    with lock:
        pass
