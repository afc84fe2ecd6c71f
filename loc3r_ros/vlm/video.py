# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The frames that are held, what was read of them, and what happens when they are too many."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import RLock, Thread, current_thread
from typing import TypeVar

from torch import Tensor

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.fair_lock import FairLock
from loc3r_ros.vlm.keyframes import KeyFrame, thin
from loc3r_ros.vlm.memory import OUT_OF_MEMORY, is_out_of_memory, release_memory
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.prefix import Prefix, Text

_log = logging.getLogger(__name__)

LEAST_FRAMES = 4
"""Fewer are no video."""

_Result = TypeVar('_Result')


class Video:
    """A video that goes on, at constant memory. Its methods may be called from any threads.

    Up to `budget` frames are held. One more, and half of them are kept (`keyframes.thin`) and read
    anew into a second cache, in the background and from their stored embeddings, while the first
    goes on answering; then the two change places. Frames that come meanwhile are read there too,
    and `add` waits only where even these would be too many.

    Where memory runs out, half as many frames are held from then on, and the log says so.

    Args:
        model: reads; on its device, in its dtype.
        header: tokens before the video.
        budget: most frames that are held.
        text_room: positions for one text behind them.
    """

    def __init__(self, model: Loc3rVlm, header: list[int], budget: int, text_room: int) -> None:
        if budget < LEAST_FRAMES:
            raise InputError(f'{budget} frames: hold {LEAST_FRAMES} at least')
        self._model = model
        self._header = header
        self._budget = budget
        self._text_room = text_room
        self._count = 0
        # What is held. Answers are about exactly these, but for the time of a rebuild.
        self._frames: list[KeyFrame] = []
        # The prefix that answers, and the spare one; none until they are needed.
        self._pair: list[Prefix] = []
        self._rebuild: Thread | None = None
        # Whoever changes which frames are held takes `_intake` first; whoever touches anything
        # takes `_turn`. The thread that rebuilds does without `_intake`: others wait for it there.
        self._intake = RLock()
        self._turn = FairLock()
        self.use(lambda _prefix: None)

    @property
    def budget(self) -> int:
        """Most frames that are held."""
        return self._budget

    @property
    def bytes(self) -> int:
        """Held beside the model: two caches, embeddings and layouts."""
        with self._turn:
            frames = {*self._frames, *(f for prefix in self._pair for f in prefix.frames)}
            embeddings = (frame.embeddings for frame in frames)
            return sum(p.bytes for p in self._pair) + sum(e.nbytes for e in embeddings)

    def add(self, embeddings: Tensor, stamp: float) -> None:
        """Take in a frame and read it, at once or with the rebuild that is under way.

        Args:
            embeddings: (T, width).
            stamp: of the image, s.
        """
        with self._intake:
            if len(self._frames) >= self._budget:
                self.wait()
            with self._turn:
                if len(self._frames) >= self._budget:
                    self._thin()
                self._frames.append(KeyFrame(self._count, stamp, embeddings))
                self._count += 1
            self.use(lambda _prefix: None)

    def read(self, text: Text) -> Tensor:
        """Read what is new in a text, behind all frames; see `Prefix.read`.

        Raises:
            NoAnswerError: there is no frame.
        """

        def read(prefix: Prefix) -> Tensor:
            self.require_frames()
            return prefix.read(text)

        return self.use(read)

    def require_frames(self) -> None:
        """Raises NoAnswerError where there is nothing to answer about."""
        if not self._frames:
            raise NoAnswerError('no keyframe has been seen yet: show the camera around')

    def use(self, work: Callable[[Prefix], _Result]) -> _Result:
        """Work with what has been read, alone and in turn."""

        def in_turn() -> _Result:
            with self._turn:
                self._catch_up()
                return work(self._pair[0])

        return self.surviving(in_turn)

    def surviving(self, work: Callable[[], _Result]) -> _Result:
        """Work; where memory runs out, hold fewer frames and try again.

        Raises:
            NoAnswerError: memory is short even with the fewest frames.
        """
        while True:
            budget = self._budget
            try:
                return work()
            except OUT_OF_MEMORY as error:
                if not is_out_of_memory(error):
                    raise
            # Only here: the error holds on to what was computed.
            self._relieve(budget)

    def wait(self) -> None:
        """Let a rebuild finish; then answers are about all frames that were added."""
        rebuild = self._rebuild
        if rebuild is not None:
            rebuild.join()

    def clear(self) -> None:
        """Forget all frames."""
        with self._intake:
            self._stop_rebuild()
            with self._turn:
                self._frames, self._count = [], 0
                for prefix in self._pair:
                    prefix.clear()

    def close(self) -> None:
        """Forget all and free the caches; a frame that is added later makes new ones."""
        with self._intake:
            self.clear()
            with self._turn:
                self._pair = []
                release_memory()

    def _catch_up(self) -> None:
        """Read what was not, where that is nobody else's affair. In turn."""
        if not self._pair:
            per_frame = self._model.config.tokens_per_frame
            capacity = len(self._header) + self._budget * per_frame + self._text_room
            self._pair = [Prefix(self._model, self._header, capacity) for _ in range(2)]
        if self._rebuild is None:
            for frame in self._frames[len(self._pair[0].frames) :]:
                self._pair[0].append(frame)

    def _thin(self) -> None:
        """Hold half of the frames, and have them read anew. In turn, with `_intake`."""
        if self._pair:
            self._pair[1].clear()
            rebuild = Thread(target=self._read_anew, name='loc3r-rebuild', daemon=True)
            rebuild.start()  # and waits for its turn
            self._rebuild = rebuild
        self._keep_half()

    def _keep_half(self) -> None:
        kept = thin([frame.number for frame in self._frames], self._budget // 2)
        self._frames = [self._frames[i] for i in kept]

    def _read_anew(self) -> None:
        """Fill the spare prefix; runs in a thread."""
        is_short = False
        try:
            while (frame := self._next_to_read()) is not None:
                self._pair[1].append(frame)
        except Exception as error:
            is_short = is_out_of_memory(error)
            if not is_short:
                _log.exception('frames could not be read anew; the next question tries again')
        with self._turn:
            if self._rebuild is current_thread():  # it failed
                self._rebuild = None
                self._pair[0].clear()
                if is_short:
                    with suppress(NoAnswerError):  # whoever asks next is told
                        self._hold_fewer()

    def _next_to_read(self) -> KeyFrame | None:
        """The next frame for the spare prefix; None: it has all and answers from now on."""
        with self._turn:
            if self._rebuild is not current_thread():
                return None
            missing = self._frames[len(self._pair[1].frames) :]
            if missing:
                return missing[0]
            self._pair.reverse()
            self._pair[1].clear()
            self._rebuild = None
            return None

    def _stop_rebuild(self) -> None:
        """With `_intake`, and not in turn. The prefixes are of no use then."""
        with self._turn:
            rebuild, self._rebuild = self._rebuild, None
        if rebuild is not None:
            rebuild.join()

    def _relieve(self, budget: int) -> None:
        """Hold fewer frames than `budget`, unless that has been done already."""
        with self._intake:
            if self._budget < budget:
                return
            self._stop_rebuild()
            with self._turn:
                if self._budget == budget:
                    self._hold_fewer()

    def _hold_fewer(self) -> None:
        """Free the caches and halve the budget. In turn, with no rebuild under way."""
        self._pair = []
        release_memory()
        if self._budget // 2 < LEAST_FRAMES:
            raise NoAnswerError(
                f'out of memory even with {self._budget} frames: load the model in a lower '
                'precision, or stop what else takes memory'
            )
        _log.warning(
            'out of memory with %d frames: %d are held from now on',
            self._budget,
            self._budget // 2,
        )
        self._budget //= 2
        if len(self._frames) > self._budget:
            self._keep_half()
