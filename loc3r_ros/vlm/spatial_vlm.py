# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The engine that answers with Loc3R-VLM: keyframes in, words and poses in `map` out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.geometry import Array, invert
from loc3r_ros.types import AgentPose, Target, View
from loc3r_ros.vlm.agent import upright
from loc3r_ros.vlm.engine import NoAnswerError, checked
from loc3r_ros.vlm.goal_words import beside
from loc3r_ros.vlm.options import Choice
from loc3r_ros.vlm.pose_token import pose_token
from loc3r_ros.vlm.situated import Situated, agent_in_map, bev_in_map, target_in_map
from loc3r_ros.vlm.stream import VideoStream
from loc3r_ros.vlm.weights import LoadReport, load

_log = logging.getLogger(__name__)


class SpatialVlm:
    """A `SpatialEngine` on a `VideoStream`.

    The first view of an epoch anchors the model's BEV frame, and so all places in `map`.

    Args:
        stream: frames and questions; from now on this engine's alone.
        identity: of the model, for answers and logs.
        can_localize: whether the localization heads have weights; without, words are answered and
            places are not.
        takes_camera_tokens: whether the camera projector has weights; without, camera tokens are
            left out, as are those of an encoder that gives others than the model takes.
    """

    def __init__(
        self,
        stream: VideoStream,
        identity: str,
        *,
        can_localize: bool = True,
        takes_camera_tokens: bool = True,
    ) -> None:
        self.identity = identity
        self._stream = stream
        self._can_localize = can_localize
        self._takes_camera_tokens = takes_camera_tokens
        self._first: View | None = None
        self._newest: View | None = None
        self._warned = False

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        device: str = 'auto',
        precision: str = 'auto',
        allow: Sequence[str] = (),
    ) -> SpatialVlm:
        """Load weights; see `vlm.weights.load` for the arguments and what it raises."""
        model, words, report = load(folder, device=device, precision=precision, allow=allow)
        if not report.training:
            _log.warning('%s: its config.json names no training: its answers mean nothing', folder)
        return cls(
            VideoStream(model, words),
            identity_of(sum(p.numel() for p in model.parameters()), report),
            can_localize=report.can_localize,
            takes_camera_tokens=report.takes_camera_tokens,
        )

    @property
    def reads_poses(self) -> bool:
        """Whether it is told poses where there are no camera tokens."""
        return self._takes_camera_tokens and self._stream.reads_poses

    def observe(self, view: View) -> None:
        """Take in one keyframe; one of another epoch begins anew.

        Raises:
            InputError: its image does not fit the model, or its camera token is not finite.
            NoAnswerError: out of memory even with the fewest frames.
        """
        if self._first is not None and view.epoch != self._first.epoch:
            self.reset()
        self._stream.observe(view.rgb, self._token_of(view), view.stamp)
        self._newest = view
        if self._first is None:
            self._first = view

    def localize(self, situation: str) -> AgentPose:
        """Where the agent stands who says so, as the model's heads tell.

        An empty situation gives the newest keyframe's place, whose covariance is not known (NaN).
        """
        if not situation.strip():
            return self._at_camera()
        return agent_in_map(self._situated(situation), self._T_map_bev())

    def ask(self, question: str, situation: str = '') -> Iterator[str]:
        """Answer in words, as they come; by a letter, where the question has options with letters.

        A model that says facts to itself first was not taught letters well: it is asked without the
        options, and the letter is that of what it said.
        """
        choice = Choice.of(question) if self._stream.reasons else None
        if choice is None:
            return self._stream.ask(question, situation)
        return _letter(choice, self._stream.ask(choice.question, situation))

    def ground(self, description: str) -> Target:
        """Where a thing is, to within a step.

        Loc3R-VLM has no head for grounding. What it can tell is where somebody stands; so it is
        asked for who says to be next to the thing.
        """
        thing = checked(description, 'description').rstrip('.!?')
        situated = self._situated(beside(thing))
        return target_in_map(situated, self._T_map_bev(), thing)

    def wait(self) -> None:
        """Let the reading of thinned frames finish."""
        self._stream.wait()

    def reset(self) -> None:
        """Forget all: a new epoch begins."""
        self._first = self._newest = None
        self._stream.reset()

    def close(self) -> None:
        """Forget all and free the caches."""
        self._first = self._newest = None
        self._stream.close()

    def _token_of(self, view: View) -> NDArray[np.float32] | None:
        """The camera token, where it is of the kind of CUT3R that the model was trained with.

        Else the pose, if the model reads poses.
        """
        if not self._takes_camera_tokens:
            return None
        token, width = view.camera_token, self._stream.camera_dim
        reads_tokens = self._stream.reads_tokens
        if reads_tokens and token is not None and token.shape == (width,):
            return token
        if self.reads_poses:
            anchor = self._first or view
            T_bev_map = invert(bev_in_map(anchor.T_map_camera))
            return pose_token(T_bev_map @ view.T_map_camera, width)
        if reads_tokens and token is not None and not self._warned:
            self._warned = True
            _log.warning(
                '%s takes camera tokens of %d numbers and the encoder gives %s: they are left out, '
                'and it answers from images alone. Use the CUT3R that it was trained with',
                self.identity,
                width,
                token.shape,
            )
        return None

    def _situated(self, situation: str) -> Situated:
        if not self._can_localize:
            raise NoAnswerError(
                f'{self.identity} answers in words and cannot tell places: its weights lack the '
                'localization heads. Load Loc3R-VLM (loc3r weights list)'
            )
        return self._stream.localize(situation)

    def _T_map_bev(self) -> Array:
        if self._first is None:
            raise NoAnswerError('all that was seen has been forgotten meanwhile: ask again')
        return bev_in_map(self._first.T_map_camera)

    def _at_camera(self) -> AgentPose:
        if self._newest is None:
            raise NoAnswerError('no keyframe has been seen yet: show the camera around')
        return AgentPose(True, upright(self._newest.T_map_camera), np.full((6, 6), np.nan))


def _letter(choice: Choice, words: Iterator[str]) -> Iterator[str]:
    yield choice.letter(''.join(words))


def identity_of(parameters: int, report: LoadReport) -> str:
    """`Loc3R-VLM 8.0 B, bf16, weights 0123abcd`, or `random weights` where nobody trained them.

    Such a network speaks as fluently, of nothing, and must not be taken for a trained one.
    """
    name = 'Loc3R-VLM' if report.can_localize else 'LLaVA-Video without localization'
    size = f'{parameters / 1e9:.1f} B' if parameters >= 1e8 else f'{parameters / 1e6:.1f} M'
    weights = f'weights {report.fingerprint[:8]}' if report.training else 'random weights'
    return f'{name} {size}, {report.precision}, {weights}'
