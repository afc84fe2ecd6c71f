# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Turns: order, the length of the queue, and how waiting ends."""

from threading import Event, Thread
from time import monotonic, sleep

import pytest

from loc3r_ros.answers.requests import BusyError, CancelledError, Turns


class Visitor:
    """Takes a turn in a thread, and keeps it until it is let go."""

    def __init__(self, turns, order, name, **options):
        self.has_turn, self.go, self.error = Event(), Event(), None
        self.cancelled = Event()
        self._turns, self._order, self._name, self._options = turns, order, name, options
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            with self._turns.turn(self.cancelled.is_set, **self._options):
                self._order.append(self._name)
                self.has_turn.set()
                self.go.wait(10.0)
        except (BusyError, CancelledError) as error:
            self.error = error

    def end(self):
        self.go.set()
        self.thread.join(10.0)
        assert not self.thread.is_alive()


def until(condition):
    end = monotonic() + 10.0
    while not condition():
        assert monotonic() < end, 'not within 10 s'
        sleep(0.002)


def line(turns, count, order):
    """Visitors that have come one after the other; the first has its turn."""
    visitors = []
    for number in range(count):
        visitors.append(Visitor(turns, order, number))
        if number == 0:
            assert visitors[0].has_turn.wait(10.0)
        else:
            until(lambda number=number: turns.waiting == number)
    return visitors


def test_first_come_first_served_one_at_a_time():
    order, turns = [], Turns(lambda: 4)
    visitors = line(turns, 5, order)
    assert order == [0]
    for number, visitor in enumerate(visitors):
        assert visitor.has_turn.wait(10.0)
        assert order == list(range(number + 1))
        visitor.end()
    assert turns.waiting == 0


def test_one_more_than_may_wait_is_refused_at_once():
    turns = Turns(lambda: 4)
    visitors = line(turns, 5, [])
    with pytest.raises(BusyError, match='5 questions come first'), turns.turn():
        pass
    visitors[0].end()
    until(lambda: turns.waiting == 3)
    late = Visitor(turns, [], 5)
    until(lambda: turns.waiting == 4)
    for visitor in [*visitors[1:], late]:
        visitor.end()
    assert late.error is None


def test_none_may_wait_where_none_shall():
    turns = Turns(lambda: 0)
    with turns.turn(), pytest.raises(BusyError), turns.turn():
        pass
    with turns.turn(is_request=False):
        visitor = Visitor(turns, [], 'request')
        until(lambda: turns.waiting == 1)
    assert visitor.has_turn.wait(10.0), 'a keyframe is no request, so one may wait for it'
    visitor.end()


def test_keyframes_take_turns_in_order_and_do_not_count():
    order, turns = [], Turns(lambda: 1)
    first = Visitor(turns, order, 'first')
    assert first.has_turn.wait(10.0)
    keyframe = Visitor(turns, order, 'keyframe', is_request=False)
    until(lambda: len(turns._line) == 2)
    second = Visitor(turns, order, 'second')
    until(lambda: turns.waiting == 1)
    for visitor in (first, keyframe, second):
        visitor.end()
    assert order == ['first', 'keyframe', 'second']


def test_who_is_cancelled_leaves_the_queue():
    order, turns = [], Turns(lambda: 4)
    visitors = line(turns, 3, order)
    visitors[1].cancelled.set()
    visitors[1].thread.join(10.0)
    assert isinstance(visitors[1].error, CancelledError) and turns.waiting == 1
    visitors[0].end()
    visitors[2].end()
    assert order == [0, 2]


def test_an_error_in_a_turn_ends_it():
    turns = Turns(lambda: 0)
    with pytest.raises(ZeroDivisionError), turns.turn():
        1 / 0  # noqa: B018
    with turns.turn():
        pass


def test_closing_cancels_who_waits_and_waits_for_who_works():
    turns = Turns(lambda: 4)
    visitors = line(turns, 3, [])
    assert not turns.close(0.05), 'the first goes on'
    for visitor in visitors[1:]:
        visitor.thread.join(10.0)
        assert 'being stopped' in str(visitor.error)
    with pytest.raises(CancelledError):
        turns.check(lambda: False)
    visitors[0].end()
    assert turns.close(0.05)
    with pytest.raises(CancelledError), turns.turn():
        pass


def test_closing_waits_for_visits():
    turns = Turns(lambda: 4)
    with turns.visit():
        assert not turns.close(0.01)
    assert turns.close(0.01)
