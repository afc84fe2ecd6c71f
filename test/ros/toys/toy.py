# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A node that blocks, fails or ends where its environment tells it to."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from importlib.util import find_spec
from typing import Any

import rclpy
from std_msgs.msg import String

from loc3r_ros.errors import InputError
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.mailbox import Mailbox, Worker
from loc3r_ros.ros.parameters import Parameter

MODE = os.environ['TOY']

TABLE = (Parameter('period_s', 0.05, 'Of the timer.', range=(0.01, 1.0)),)


def say(text: str) -> None:
    print(text, flush=True)


def sleep() -> None:
    say('HERE')
    time.sleep(60)


def compute() -> None:
    """As weights load: a library that gives Python no chance to see a signal."""
    say('HERE')
    hashlib.pbkdf2_hmac('sha256', b'password', b'salt', 500_000_000)


if MODE == 'import':
    sleep()
if MODE == 'heavy import':
    say('HERE')
    for module in ('cv2', 'scipy.spatial', 'scipy.sparse', 'torch'):
        if find_spec(module.split('.')[0]):
            __import__(module)
    sleep()
if MODE == 'broken import':
    import no_such_module  # noqa: F401


class Toy(Stage):
    threads = 4 if MODE == 'threads' else 1

    def configure(self) -> None:
        if MODE == 'configure':
            sleep()
        if MODE == 'compute':
            compute()
        if MODE == 'refuse':
            raise InputError('there are no weights')

    def activate(self) -> None:
        library = logging.getLogger('loc3r_ros.tracking')
        library.warning('a warning of the library')
        library.debug('a detail of the library')
        self.talk = self.advertise(String, 'talk', 10)
        self.ticks = 0
        self.every(self.settings['period_s'], self.tick)
        if MODE == 'worker':
            mailbox = Mailbox[int]()
            mailbox.put(1)
            worker = Worker(mailbox, lambda _: compute())
            self.own(worker, worker.stop)

    def tick(self) -> None:
        self.ticks += 1
        self.talk.publish(String(data='tick'))
        if MODE == 'callback':
            sleep()
        if MODE == 'failing callback' and self.ticks == 1:
            raise RuntimeError('a bug')
        if self.ticks == 3:
            if MODE in ('active', 'failing callback', 'threads'):
                say('HERE')
            if MODE == 'ends itself':
                rclpy.try_shutdown()

    def deactivate(self) -> None:
        self.talk.publish(String(data='bye'))
        say('DEACTIVATED')


def nodes() -> list[Any]:
    if MODE == 'construct':
        sleep()
    made = [Toy('toy', TABLE)]
    if MODE == 'refuse':
        made[0].create_timer(0.1, lambda: say('HERE'))
    return made
