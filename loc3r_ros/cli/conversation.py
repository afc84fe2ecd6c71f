# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The prompt of `loc3r chat`: lines in, answers out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

from loc3r_ros.answers.answering import Answering
from loc3r_ros.answers.reply import Reply
from loc3r_ros.cli.interview import Question, put
from loc3r_ros.errors import Loc3rError

HELP = """\
  how far is the sofa?     a question in plain words
  /localize I stand at ... where somebody stands who says so; without words: the camera
  /goto the red chair      a place before it that the robot can take
  /map                     a picture of the map with all places that were asked for
  /help                    this
  /quit                    leave, as Ctrl-D does"""

_HISTORY = Path('~/.loc3r_history')
_HISTORY_LINES = 1000


class Conversation:
    """Asks what is typed, or what comes through a pipe, until there is no more.

    Args:
        answering: who is asked.
        show_map: shows the map with the replies so far, and tells where the picture is.
    """

    def __init__(self, answering: Answering, show_map: Callable[[list[Reply]], str]) -> None:
        self.replies: list[Reply] = []
        self._answering = answering
        self._show_map = show_map

    def hold(self) -> None:
        """Answer line by line; ends with the input, with /quit, or with Ctrl-C at the prompt."""
        for line in _lines():
            if line.strip() == '/quit':
                return
            if line.strip():
                self.answer(line.strip())

    def answer(self, line: str) -> None:
        """Answer one line. Never raises for what can be said in words."""
        command, _, words = line.partition(' ')
        if command == '/help':
            print(HELP)
        elif command == '/map':
            try:
                print(f'map: {self._show_map(self.replies)}')
            except (Loc3rError, OSError) as error:
                print(f'no map: {error}')
        elif command == '/localize':
            self._put(Question(words, is_situation=True))
        elif command == '/goto':
            self._put(Question(f'go to {words}' if words.strip() else ''))
        elif command.startswith('/'):
            print(f'there is no {command}; there are /localize, /goto, /map, /help and /quit')
        else:
            self._put(Question(line))

    def _put(self, question: Question) -> None:
        with _cancel_by_interrupt() as is_cancelled:
            self.replies.append(put(question, self._answering, is_cancelled=is_cancelled))


def _lines() -> Iterator[str]:
    """What is typed at a prompt; of a pipe, its lines, shown before their answers."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            if line.strip():
                print(f'> {line.strip()}', flush=True)
            yield line
        return
    with _history(), suppress(EOFError, KeyboardInterrupt):
        while True:
            yield input('> ')
    print()


@contextmanager
def _history() -> Iterator[None]:
    """Lines of before at the arrow keys, also those of earlier conversations."""
    try:
        import readline
    except ImportError:  # Python on Windows, and some of conda's
        yield
        return
    path = _HISTORY.expanduser()
    with suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        readline.set_history_length(_HISTORY_LINES)
        with suppress(OSError):
            readline.write_history_file(path)


@contextmanager
def _cancel_by_interrupt() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, for as long as an answer takes; pressed again, it interrupts.

    An engine is asked to stop between two words, not in the middle of its arithmetic.
    """
    if current_thread() is not main_thread():
        yield lambda: False
        return
    pressed: list[int] = []

    def note(number: int, frame: Any) -> None:
        if pressed:
            signal.default_int_handler(number, frame)
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
