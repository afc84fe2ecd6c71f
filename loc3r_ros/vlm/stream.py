# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions about a video that goes on, each at the cost of its own words.

The order of the prompt is header, video, situation, `<Pos>`, `<Ori>`, question. So a new frame is
an exact extension of what was read, and a question is a text behind it: nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.engine import NoAnswerError, checked, checked_situation
from loc3r_ros.vlm.model.heads import PlaneGaussian
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.prefix import Text
from loc3r_ros.vlm.prompt import Prompt
from loc3r_ros.vlm.situated import Situated
from loc3r_ros.vlm.tokenizer import Words, WordStream
from loc3r_ros.vlm.video import Video

TEXT_TOKENS = 640
"""Room for situation, question and answer."""

ANSWER_TOKENS = 128
"""Longest answer."""


class VideoStream:
    """Frames in, answers out, at constant memory. Its methods may be called from any threads.

    At any time an answer is that of one forward over the frames of `stamps`, in that order, and
    the text. Questions at once take turns, word by word: one that was interrupted, by another or
    by a new frame, reads its own text again and goes on with what is known now. See `Video` for
    how many frames are held, and what happens beyond.

    Args:
        model: reads; on its device, in its dtype.
        words: its tokenizer.
        frames: most frames that are held; None: as many as the model was made for.

    Raises:
        InputError: so many frames leave no room for words in the model's context, or the
            tokenizer is another model's.
    """

    def __init__(self, model: Loc3rVlm, words: Words, *, frames: int | None = None) -> None:
        if words.vocab_size > model.config.text.vocab_size:
            raise InputError(
                f'the tokenizer has {words.vocab_size} tokens and the model '
                f'{model.config.text.vocab_size}: give the tokenizer that the model came with'
            )
        frames = model.config.frames if frames is None else frames
        self._model = model
        self._words = words
        self._prompt = Prompt(words)
        header = self._prompt.header()
        self._room = _text_room(model, len(header), frames)
        self._video = Video(model, header, frames, self._room)
        self._life = 0

    @property
    def budget(self) -> int:
        """Most frames that are held; fewer than at first where memory ran out."""
        return self._video.budget

    @property
    def camera_dim(self) -> int:
        """Numbers of a camera token."""
        return self._model.config.camera_dim

    @property
    def reads_poses(self) -> bool:
        """Whether a known pose may stand in for a camera token (`vlm.pose_token`)."""
        return self._model.config.reads_poses

    @property
    def reasons(self) -> bool:
        """Whether it says facts to itself before it answers."""
        return self._model.config.reasons

    @property
    def reads_tokens(self) -> bool:
        """Whether it learnt what camera tokens of CUT3R tell."""
        return self._model.config.reads_tokens

    @property
    def stamps(self) -> list[float]:
        """Of the frames that answers are about, s."""
        return self._video.use(lambda prefix: [frame.stamp for frame in prefix.frames])

    @property
    def layouts(self) -> list[PlaneGaussian]:
        """Where the patches of each of these frames lie in the BEV frame, of shape (grid^2,)."""
        return self._video.use(lambda prefix: list(prefix.layouts))

    @property
    def tokens(self) -> int:
        """Length of what was read, from which answers go on."""
        return self._video.use(lambda prefix: prefix.length)

    @property
    def bytes(self) -> int:
        """Held beside the model."""
        return self._video.bytes

    def observe(
        self, image: NDArray[np.uint8], camera_token: NDArray[np.float32] | None, stamp: float
    ) -> None:
        """Take in one keyframe: look at it once, and read it behind the others.

        Args:
            image: (H, W, 3) uint8 RGB.
            camera_token: (camera_dim,) of CUT3R; None: the frame is read without, as LLaVA-Video
                reads it, and says less about where the camera was.
            stamp: of the image, s.

        Raises:
            InputError: image or token have another shape or type, or the token is not finite.
            NoAnswerError: out of memory even with the fewest frames.
        """
        token = self._checked_token(camera_token)
        pixels = preprocess(image, self._model.config.vision.image_size)
        self._video.add(self._video.surviving(lambda: self._see(pixels, token)), stamp)

    def localize(self, situation: str) -> Situated:
        """Where the agent stands who says so; one forward over its words.

        Raises:
            NoAnswerError: no frame was observed yet.
            InputError: the situation is empty, too long, or no plain text.
        """
        ids = self._prompt.situation(checked(_text(situation), 'situation'))
        self._check_length(ids)
        hidden = self._video.read(Text(ids))
        return self._situated(hidden[-2], hidden[-1])

    def ask(self, question: str, situation: str | None = None) -> Generator[str]:
        """Answer in words, as they come; joined as they are they make the text.

        Nothing is computed before the first word is asked for, nor after the iterator was closed
        or dropped, and nothing is held in between.

        Args:
            question: in plain words.
            situation: where the asker stands; none: somewhere in the room.

        Raises:
            InputError: question or situation are empty, too long, or no plain text.
            NoAnswerError: by the call or between words: there are no frames, or no more.
        """
        told = '' if situation is None else checked_situation(_text(situation))
        place = self._prompt.situation(told)
        text = Text(place + self._prompt.question(checked(_text(question), 'question')))
        self._check_length(text.ids)
        self._video.require_frames()
        return self._words_of(text, self._life)

    def reset(self) -> None:
        """Forget all frames; answers that are under way end with NoAnswerError."""
        self._life += 1
        self._video.clear()

    def wait(self) -> None:
        """Let the reading of thinned frames finish; then `stamps` holds the newest."""
        self._video.wait()

    def close(self) -> None:
        """Forget all, end what runs in the background, and free the caches."""
        self._life += 1
        self._video.close()

    def _words_of(self, text: Text, life: int) -> Generator[str]:
        spelled = WordStream(self._words)
        # Facts that the model says to itself come first, and are the answer if nothing follows.
        facts = WordStream(self._words) if self.reasons else None
        held = ''
        for _ in range(ANSWER_TOKENS):
            self._check_life(life)
            hidden = self._video.read(text)
            self._check_life(life)  # all may have been forgotten before it was our turn
            token = self._next(hidden[-1])
            if token in self._words.end_ids:
                break
            text.ids.append(token)
            if facts and token == self._prompt.therefore:
                facts, held = None, ''
            elif facts:
                held += facts.push(token)
            elif words := spelled.push(token):
                yield words
        if words := held + (facts or spelled).finish():
            yield words

    def _check_life(self, life: int) -> None:
        if life != self._life:
            raise NoAnswerError('all that was seen has been forgotten meanwhile: ask again')

    @torch.inference_mode()
    def _see(self, pixels: Tensor, token: Tensor | None) -> Tensor:
        device = self._model.newline.device
        features = self._model.encode_images(pixels[None].to(device))
        tokens = None if token is None else token[None].to(device)
        return self._model.frame_embeddings(features, tokens)[0]

    @torch.inference_mode()
    def _next(self, hidden: Tensor) -> int:
        """The likeliest next token."""
        return int(self._model.logits(hidden).argmax())

    @torch.inference_mode()
    def _situated(self, at_position: Tensor, at_orientation: Tensor) -> Situated:
        place = self._model.position(at_position)
        heading = self._model.orientation(at_orientation).softmax(-1)
        return Situated(_numpy(place.mean), _numpy(place.sigma), _numpy(heading))

    def _checked_token(self, token: NDArray[np.float32] | None) -> Tensor | None:
        if token is None:
            return None
        width = self._model.config.camera_dim
        if token.shape != (width,) or not np.isfinite(token).all():
            raise InputError(
                f'camera token of shape {token.shape}: this model takes {width} finite numbers, '
                'as the CUT3R it was trained with gives'
            )
        return torch.from_numpy(np.ascontiguousarray(token))

    def _check_length(self, ids: list[int]) -> None:
        allowed = self._room - ANSWER_TOKENS
        if len(ids) > allowed:
            raise InputError(
                f'situation and question have {len(ids)} tokens; {allowed} are allowed: shorten '
                'them'
            )


def _numpy(values: Tensor) -> NDArray[np.float64]:
    return values.double().cpu().numpy()


def _text_room(model: Loc3rVlm, header: int, frames: int) -> int:
    """Tokens for situation, question and answer, in what frames leave of the context."""
    config = model.config
    video = header + frames * config.tokens_per_frame
    room = min(TEXT_TOKENS, config.text.max_positions - video)
    if room < 2 * ANSWER_TOKENS:
        raise InputError(
            f'{frames} frames take {video} of the {config.text.max_positions} tokens that this '
            f'model reads, and {2 * ANSWER_TOKENS} are needed for words: hold fewer frames'
        )
    return room


def _text(text: str) -> str:
    """Plain text.

    Raises:
        InputError: it is something else, or has halves of characters in it.
    """
    if not isinstance(text, str):
        raise InputError(f'{type(text).__name__} given where text is expected: give a str')
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f'no plain text (character {error.start} is half of one)') from error
    return text
