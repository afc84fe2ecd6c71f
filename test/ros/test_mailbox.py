# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

import logging
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from loc3r_ros.ros.mailbox import BACKLOG_S, Mailbox, Worker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def drain(mailbox: Mailbox[int]) -> list[int]:
    items = []
    while (item := mailbox.take(0)) is not None:
        items.append(item)
    return items


def live_mailbox(capacity: int = 1) -> Mailbox[int]:
    """One that has caught up with its first item."""
    mailbox = Mailbox[int](capacity)
    mailbox.put(0)
    assert drain(mailbox) == [0]
    return mailbox


@pytest.mark.parametrize('capacity', [1, 3])
def test_the_newest_items_win_and_the_others_are_counted(capacity):
    mailbox = live_mailbox(capacity)
    for item in range(1, 8):
        mailbox.put(item)
    assert drain(mailbox) == list(range(8 - capacity, 8))
    assert mailbox.dropped == 7 - capacity


def test_the_first_items_stay_in_order_until_the_reader_has_caught_up():
    mailbox = Mailbox[int]()
    for item in range(20):
        mailbox.put(item)
    assert [mailbox.take(0) for _ in range(15)] == list(range(15))
    for item in range(20, 30):
        mailbox.put(item)
    assert drain(mailbox) == list(range(15, 30))
    assert mailbox.dropped == 0
    for item in range(5):
        mailbox.put(item)
    assert drain(mailbox) == [4]
    assert mailbox.dropped == 4


def test_waiting_before_the_first_item_does_not_count_as_caught_up():
    mailbox = Mailbox[int]()
    assert mailbox.take(0) is None
    assert mailbox.take(0) is None
    for item in range(4):
        mailbox.put(item)
    assert drain(mailbox) == [0, 1, 2, 3]


def test_a_single_first_item_that_takes_long_loses_none_behind_it():
    mailbox = Mailbox[int]()
    mailbox.put(0)
    assert mailbox.take(0) == 0  # and now the reader warms up, while the others come
    for item in range(1, 10):
        mailbox.put(item)
    assert drain(mailbox) == list(range(1, 10))
    assert mailbox.dropped == 0


def test_the_backlog_is_bounded_and_drops_the_oldest():
    mailbox = Mailbox[int](backlog=30)
    for item in range(50):
        mailbox.put(item)
    assert len(mailbox) == 30
    assert mailbox.dropped == 20
    assert drain(mailbox) == list(range(20, 50))


def test_a_reader_that_never_catches_up_gets_the_newest_after_a_while():
    clock = Clock()
    mailbox = Mailbox[int](clock=clock)
    for item in range(10):
        mailbox.put(item)
    clock.now += 60  # waiting for the first `take` takes as long as it takes
    assert mailbox.take(0) == 0
    clock.now += BACKLOG_S - 0.1
    mailbox.put(10)
    assert mailbox.take(0) == 1
    clock.now += 0.2
    assert mailbox.take(0) == 10
    assert mailbox.dropped == 8


def test_what_is_cleared_is_not_counted_as_dropped():
    mailbox = live_mailbox()
    mailbox.put(1)
    mailbox.clear()
    assert mailbox.take(0) is None
    assert mailbox.dropped == 0


def test_take_wakes_up_when_something_is_put():
    mailbox = Mailbox[int]()
    taken = []
    reader = Thread(target=lambda: taken.append(mailbox.take(10.0)))
    reader.start()
    mailbox.put(7)
    reader.join(1.0)
    assert taken == [7]


def test_a_worker_handles_everything_of_a_patient_producer_in_order():
    mailbox = Mailbox[int]()
    handled: list[int] = []
    arrived = Event()

    def handle(item: int) -> None:
        handled.append(item)
        arrived.set()

    worker = Worker(mailbox, handle)
    for item in range(50):
        arrived.clear()
        mailbox.put(item)
        assert arrived.wait(2.0)
    assert worker.stop()
    assert handled == list(range(50))
    assert (mailbox.dropped, worker.errors) == (0, 0)


def test_a_worker_waits_until_it_is_ready_and_loses_nothing_meanwhile():
    mailbox = Mailbox[int]()
    ready, handled, done = Event(), [], Event()

    def handle(item: int) -> None:
        handled.append(item)
        if item == 9:
            done.set()

    worker = Worker(mailbox, handle, ready.is_set)
    for item in range(10):
        mailbox.put(item)
    sleep(0.1)
    assert handled == []
    ready.set()
    assert done.wait(2.0)
    assert worker.stop()
    assert handled == list(range(10))


def test_an_exception_is_logged_with_its_traceback_and_the_worker_goes_on(caplog):
    mailbox = Mailbox[int](capacity=7)
    handled, done = [], Event()

    def handle(item: int) -> None:
        if item % 2:
            raise ValueError(f'odd: {item}')
        handled.append(item)
        if item == 6:
            done.set()

    with caplog.at_level(logging.ERROR):
        worker = Worker(mailbox, handle, name='encoder')
        for item in range(7):
            mailbox.put(item)
        assert done.wait(2.0)
        assert worker.stop()
    assert handled == [0, 2, 4, 6]
    assert worker.errors == 3
    assert worker.last_error == 'ValueError: odd: 5'
    # One traceback in five seconds, or a camera would fill the log.
    assert len(caplog.records) == 1
    assert 'encoder' in caplog.text
    assert 'ValueError: odd: 1' in caplog.text


def test_an_exception_of_ready_is_counted_too():
    worker = Worker(Mailbox[int](), print, lambda: 1 / 0)
    sleep(0.1)
    assert worker.stop()
    assert worker.errors >= 1
    assert worker.last_error.startswith('ZeroDivisionError')


def test_stop_waits_for_the_current_item_and_takes_no_further_one():
    mailbox = Mailbox[int]()
    began, go_on, handled = Event(), Event(), []

    def handle(item: int) -> None:
        began.set()
        go_on.wait(5.0)
        handled.append(item)

    worker = Worker(mailbox, handle)
    mailbox.put(1)
    mailbox.put(2)
    assert began.wait(2.0)
    start = monotonic()
    assert not worker.stop(0.1)
    assert monotonic() - start >= 0.1
    go_on.set()
    assert worker.stop()
    assert handled == [1]
    assert len(mailbox) == 1


def test_a_call_is_done_between_items_ready_or_not_and_tells_how_it_went():
    mailbox = Mailbox[int]()
    handled: list[int] = []
    is_ready = Event()
    worker = Worker(mailbox, handled.append, is_ready.is_set)
    mailbox.put(1)
    assert worker.call(lambda: len(handled)).result(2.0) == 0
    with pytest.raises(KeyError, match='broken'):
        worker.call(lambda: {}['broken']).result(2.0)
    is_ready.set()
    end = monotonic() + 2.0
    while not handled and monotonic() < end:
        sleep(0.005)
    assert handled == [1]
    assert worker.errors == 0
    assert worker.stop()
    late = worker.call(lambda: 0)
    worker.stop()
    assert late.cancelled()
