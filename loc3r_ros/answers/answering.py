# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From a question to its answer: the queue, the engine, goals, and everything that can go wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial

from loc3r_ros.answers.goals import Goals
from loc3r_ros.answers.reply import Reply
from loc3r_ros.answers.requests import CancelledError, Turns
from loc3r_ros.answers.scene import Scene, Sight
from loc3r_ros.errors import Loc3rError
from loc3r_ros.types import AgentPose, View
from loc3r_ros.vlm.agent import camera_agent, nowhere
from loc3r_ros.vlm.engine import NoAnswerError, SpatialEngine, checked, checked_situation
from loc3r_ros.vlm.goal_words import goal_of, place_of

_log = logging.getLogger(__name__)

NO_IMAGE = (
    'no image has been processed yet: does pose_encoder run, and does it get images (`image`)?'
)


class Answering:
    """Answers questions, one at a time, between new keyframes. Its methods may be called at once.

    Args:
        engine: what answers.
        turns: the queue.
        scene: what is known of camera and map.
        goals: resolves where the robot can stand.

    Attributes:
        keyframes: those that the engine was given.
        answered, unanswered: replies with an answer, and without.
        failures: exceptions of the engine that it should not have raised.
    """

    def __init__(self, engine: SpatialEngine, turns: Turns, scene: Scene, goals: Goals) -> None:
        self.keyframes = self.answered = self.unanswered = self.failures = 0
        self._engine = engine
        self._turns = turns
        self._scene = scene
        self._goals = goals
        self._epoch: int | None = None

    def observe(self, view: View) -> None:
        """Give the engine a keyframe, as soon as nobody else has its turn."""
        with suppress(CancelledError), self._turns.turn(is_request=False):
            sight = self._scene.sight
            if sight is not None and view.epoch == sight.epoch:
                self._enter(view.epoch)
                self._engine.observe(view)
                self.keyframes += 1

    def ask(
        self,
        question: str,
        situation: str,
        *,
        is_cancelled: Callable[[], bool] = lambda: False,
        begin: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda _words: None,
    ) -> Reply:
        """Answer a question, or resolve a goal. Never raises: the reply says what went wrong.

        Args:
            question: in plain words.
            situation: where the asker stands; may be empty.
            is_cancelled: whether the answer is no longer wanted.
            begin: called when the engine's turn has come.
            say: called with the words as they come.
        """
        reply = Reply(question, situation, self._engine.identity)
        with self._attempt(reply):
            question = checked(question, 'question')
            reply.situation = checked_situation(situation)
            with self._turn(reply, is_cancelled) as sight:
                begin()
                check = partial(self._turns.check, is_cancelled)
                with closing(self._words(question, reply, sight, check)) as words:
                    for word in words:
                        if not reply.text:
                            reply.first_word = reply.elapsed()
                        reply.text += word
                        say(word)
                        check()
            if not reply.text.strip():
                raise NoAnswerError(f'{reply.engine} has nothing to say; ask in other words')
        return reply

    def localize(self, situation: str) -> Reply:
        """Find who says where it stands; empty: the camera. Never raises, as `ask`."""
        reply = Reply('', situation, self._engine.identity)
        with self._attempt(reply):
            reply.situation = checked_situation(situation)
            if reply.situation:
                with self._turn(reply, lambda: False):
                    reply.agent = self._engine.localize(reply.situation)
            else:
                reply.agent = camera_agent(self._sight(reply).pose)
            reply.confidence = reply.agent.confidence
            if not reply.agent.found:
                raise NoAnswerError(reply.agent.reason)
        return reply

    def _words(
        self, question: str, reply: Reply, sight: Sight, check: Callable[[], None]
    ) -> Generator[str]:
        """What is said in reply; what else comes out goes into the reply."""
        place = goal_of(question)
        if place is None:
            reply.agent = self._agent(reply.situation, sight)
            yield from self._engine.ask(question, reply.situation)
            return
        target = place_of(place) or self._engine.ground(place)
        check()
        reply.confidence = target.confidence
        reply.goal = self._goals.resolve(target, sight, check)
        yield reply.goal.told

    def _agent(self, situation: str, sight: Sight) -> AgentPose:
        """Where the asker stands; that it is not known need not hinder an answer."""
        if not situation:
            return camera_agent(sight.pose)
        try:
            return self._engine.localize(situation)
        except NoAnswerError as error:
            return nowhere(str(error))

    def _sight(self, reply: Reply) -> Sight:
        sight = self._scene.sight
        if sight is None:
            raise NoAnswerError(NO_IMAGE)
        reply.epoch = sight.epoch
        # Words are answered from keyframes; the camera itself is known at every image.
        reply.stamp_ns = sight.stamp_ns
        if reply.situation and sight.keyframe_ns is not None:
            reply.stamp_ns = sight.keyframe_ns
        return sight

    @contextmanager
    def _turn(self, reply: Reply, is_cancelled: Callable[[], bool]) -> Iterator[Sight]:
        """The engine to oneself, in the present epoch."""
        self._sight(reply)
        try:
            with self._turns.turn(is_cancelled):
                reply.queued = reply.elapsed()
                sight = self._sight(reply)
                self._enter(sight.epoch)
                yield sight
        finally:
            if not reply.queued:
                reply.queued = reply.elapsed()

    def _enter(self, epoch: int) -> None:
        """Let the engine forget what was before this epoch."""
        if self._epoch is not None and self._epoch != epoch:
            self._engine.reset()
        self._epoch = epoch

    @contextmanager
    def _attempt(self, reply: Reply) -> Iterator[None]:
        """Turn whatever goes wrong into words."""
        try:
            yield
            self._check_epoch(reply)
            reply.found = True
            self.answered += 1
        except CancelledError as error:
            reply.is_cancelled = True
            reply.text = reply.text or str(error)
        except Loc3rError as error:
            reply.text = str(error)
            self.unanswered += 1
        except Exception as error:
            _log.exception('no answer to %r', reply.question or reply.situation)
            reply.text = f'answering failed: {type(error).__name__}: {error}'
            self.failures += 1
        if not reply.found:
            reply.goal = None
        reply.duration = reply.elapsed()

    def _check_epoch(self, reply: Reply) -> None:
        """Poses of a map that was dropped in the meantime are of no use."""
        sight = self._scene.sight
        if sight is None or sight.epoch == reply.epoch:
            return
        reply.agent = nowhere('the map began anew')
        if reply.goal is not None or not reply.text:
            raise NoAnswerError('the map began anew in the meantime: ask again')
