# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From camera messages to frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.images import decode_color, decode_depth
from loc3r_ros.ingest.alignment import DepthAlignment, Transforms
from loc3r_ros.ingest.camera_topics import CameraTopics
from loc3r_ros.ingest.intrinsics import Intrinsics
from loc3r_ros.ingest.problems import Problems
from loc3r_ros.types import Frame


@dataclass(frozen=True, eq=False)
class Sample:
    """One image of a recording or a live camera.

    Attributes:
        stamp_ns: stamp of the image, ns: of its header, or the log time where that is zero.
        frame: the image with its intrinsics and aligned depth.
        frame_id: frame of the camera.
        index: number of the image message, from 0; images that cannot be decoded leave gaps.
    """

    stamp_ns: int
    frame: Frame
    frame_id: str
    index: int


@dataclass(frozen=True, eq=False)
class RawImage:
    """An image message that is not decoded yet, with its number in the stream."""

    index: int
    stamp_ns: int
    raw: Any


class FrameDecoder:
    """Decodes images and joins them with their depth and intrinsics.

    Args:
        decode: message of what `RawImage.raw` and the `add_..._info` methods hold.
        topics: what is subscribed or read.
        transforms: transforms between the camera's own frames.
        problems: where to note what cannot be used.
        intrinsics: fx, fy, cx, cy in place of camera_info.
        remedy: what the user can do about intrinsics that are missing or wrong.
    """

    def __init__(
        self,
        decode: Callable[[Any], Any],
        topics: CameraTopics,
        transforms: Transforms,
        problems: Problems,
        intrinsics: tuple[float, float, float, float] | None,
        remedy: str,
    ) -> None:
        self._decode = decode
        self._topics = topics
        self._problems = problems
        self._color = Intrinsics(
            topics.image, problems, remedy, fixed=intrinsics, rectified=topics.image_is_rectified
        )
        self._deep = Intrinsics(
            topics.depth or 'depth', problems, remedy, rectified=topics.depth_is_rectified
        )
        self._alignment = DepthAlignment(transforms, problems, is_aligned=topics.depth_is_aligned)
        self._last: Sample | None = None
        if topics.camera_info is None and intrinsics is None:
            problems.note('no camera_info', f'no camera_info for {topics.image}: {remedy}')

    def add_color_info(self, stamp_ns: int, raw: Any) -> None:
        """A CameraInfo message of the image."""
        self._add_info(self._color, stamp_ns, raw)

    def add_depth_info(self, stamp_ns: int, raw: Any) -> None:
        """A CameraInfo message of the depth image."""
        self._add_info(self._deep, stamp_ns, raw)

    def _add_info(self, intrinsics: Intrinsics, stamp_ns: int, raw: Any) -> None:
        try:
            intrinsics.add(stamp_ns, self._decode(raw))
        except InputError as error:
            self._problems.note(f'message {intrinsics.what}', f'camera_info: {error}')

    def begin(self) -> None:
        """The stream begins anew: what comes next is not compared with what was."""
        self._last = None

    def sample(self, image: RawImage, depth: RawImage | None) -> Sample | None:
        """The frame of an image; None where the image cannot be decoded."""
        try:
            message = self._decode(image.raw)
            rgb = decode_color(message)
        except InputError as error:
            self._problems.note(
                'image', f'{self._topics.image}: image {image.index} cannot be decoded: {error}'
            )
            return None
        height, width = rgb.shape[:2]
        camera = self._color.at(image.stamp_ns, width, height)
        frame_id = message.header.frame_id
        frame = Frame(
            stamp=image.stamp_ns * 1e-9,
            rgb=rgb,
            camera=camera,
            depth=self._depth(depth, frame_id, camera, (width, height)),
        )
        sample = Sample(image.stamp_ns, frame, frame_id, image.index)
        self._note_jumps(sample)
        self._last = sample
        return sample

    def _depth(
        self,
        depth: RawImage | None,
        color_frame: str,
        color_camera: PinholeCamera | None,
        size: tuple[int, int],
    ) -> NDArray[np.float32] | None:
        if self._topics.depth is None:
            return None
        if depth is None:
            self._problems.note(
                'no depth', f'image without depth near in time on {self._topics.depth}'
            )
            return None
        try:
            message = self._decode(depth.raw)
            values = decode_depth(message)
        except InputError as error:
            self._problems.note(
                'depth', f'{self._topics.depth}: depth {depth.index} cannot be decoded: {error}'
            )
            return None
        height, width = values.shape
        camera = self._deep.at(depth.stamp_ns, width, height)
        return self._alignment.align(
            values, message.header.frame_id, camera, color_frame, color_camera, size
        )

    def _note_jumps(self, sample: Sample) -> None:
        if self._last is None:
            return
        before, now = self._last.frame.rgb.shape, sample.frame.rgb.shape
        if before != now:
            self._problems.note(
                'size',
                f'the image size changes from {before[1]}x{before[0]} to {now[1]}x{now[0]} at '
                f'image {sample.index}',
            )
        back = self._last.stamp_ns - sample.stamp_ns
        if back > 0:
            self._problems.note(
                'time', f'time runs backwards by {back * 1e-9:.3f} s at image {sample.index}'
            )
