# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whoever is examined: shown a video, then asked about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from loc3r_ros.cut3r.encoder import PoseEncoder
from loc3r_ros.training.bank import SHOWN, Video
from loc3r_ros.types import AgentPose, Frame, View
from loc3r_ros.vlm.spatial_vlm import SpatialVlm


class Asked(NamedTuple):
    """A question as it is put, and who asks it; an empty situation: nobody in particular."""

    question: str
    situation: str


class Subject(Protocol):
    """Looks at one video at a time; all places are in `map`, where the first camera is known."""

    def watch(self, video: Video, seed: int, number: int) -> None:
        """Take in a video of the bank, and forget the one before."""

    def localize(self, situations: Sequence[str]) -> list[AgentPose]:
        """Where each of those stands who say so."""

    def answer(self, asked: Sequence[Asked]) -> list[str]:
        """What is answered to each."""


class Robot:
    """What a user gets: every frame to the pose encoder, keyframes on to the language model.

    Args:
        encoder: gives camera tokens; None: the true poses are known, as they almost are by depth.
        vlm: answers.
    """

    def __init__(self, encoder: PoseEncoder | None, vlm: SpatialVlm) -> None:
        self.encoder = encoder
        self.vlm = vlm

    def watch(self, video: Video, seed: int, number: int) -> None:
        self.vlm.reset()
        views = self._known(video) if self.encoder is None else self._looked(video, self.encoder)
        for view in islice(views, None, None, SHOWN):
            self.vlm.observe(view)
        self.vlm.wait()

    def _known(self, video: Video) -> Iterator[View]:
        footage = video.footage
        for time, rgb, T in zip(footage.times, footage.rgb, footage.T_map_optical, strict=True):
            yield View(float(time), 0, rgb, T, footage.camera)

    def _looked(self, video: Video, encoder: PoseEncoder) -> Iterator[View]:
        encoder.reset()
        footage = video.footage
        T_map_world = footage.T_map_optical[0]
        for k, (time, rgb) in enumerate(zip(footage.times, footage.rgb, strict=True)):
            seen = encoder.observe(Frame(float(time), rgb, footage.camera))
            T = T_map_world if k == 0 else T_map_world @ seen.T_world_camera
            yield View(float(time), seen.epoch, rgb, T, footage.camera, seen.camera_token)

    def localize(self, situations: Sequence[str]) -> list[AgentPose]:
        return [self.vlm.localize(situation) for situation in situations]

    def answer(self, asked: Sequence[Asked]) -> list[str]:
        return [''.join(self.vlm.ask(question, situation)) for question, situation in asked]
