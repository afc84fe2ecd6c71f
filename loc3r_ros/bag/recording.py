# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A recording as the stream of frames that the pipeline takes."""

from __future__ import annotations

import logging
import struct
from collections.abc import Container, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from loc3r_ros.bag.closing import Closing
from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.storage import RawMessage
from loc3r_ros.bag.topics import choose_topics
from loc3r_ros.bag.trajectory import StampedPoses, read_poses
from loc3r_ros.errors import InputError
from loc3r_ros.ingest.camera_topics import CameraTopics
from loc3r_ros.ingest.frames import FrameDecoder, RawImage, Sample
from loc3r_ros.ingest.pairing import STAMPS_FOR_THE_SLOP, Pairing, slop_for
from loc3r_ros.ingest.problems import Problems
from loc3r_ros.ingest.transforms import StaticTransforms

__all__ = ['Recording', 'Sample']

Item = TypeVar('Item')

_log = logging.getLogger(__name__)

_REMEDY = 'pass --camera-info TOPIC or --intrinsics FX,FY,CX,CY'


class Recording(Closing):
    """The camera in a rosbag2: frames with depth and intrinsics, in the order of recording.

    Args:
        path: anything that `BagReader` opens.
        image: colour image topic; by default the best by type and name.
        depth: depth topic; by default the best by type and name, none where there is none.
        camera_info: intrinsics of the image; by default those beside it.
        depth_info: intrinsics of the depth; by default those beside it.
        intrinsics: fx, fy, cx, cy in pixels, in place of camera_info; no distortion.
        slop_s: greatest difference of the stamps of an image and its depth, s. By default half
            the median interval of the depth images, and at most 0.05 s.

    Attributes:
        topics: what was chosen.
        static_transforms: `/tf_static` of the recording.
        slop_s: see above.

    Raises:
        InputError: nothing to read, no image topic, or a named topic that is not there.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        image: str | None = None,
        depth: str | None = None,
        camera_info: str | None = None,
        depth_info: str | None = None,
        intrinsics: tuple[float, float, float, float] | None = None,
        slop_s: float | None = None,
    ) -> None:
        self._reader = BagReader(path)
        self._intrinsics = intrinsics
        self._opening, self._problems = Problems(), Problems()
        try:
            self.topics: CameraTopics = choose_topics(
                self._reader.topics,
                self._first_message,
                image=image,
                depth=depth,
                camera_info=camera_info,
                depth_info=depth_info,
            )
            self.static_transforms = StaticTransforms(self._decodable('/tf_static'))
            self.slop_s = self._slop_from_rate() if slop_s is None else slop_s
        except BaseException:
            self._reader.close()
            raise
        _log.info('%s; depth within %.0f ms', self.topics.describe(), 1e3 * self.slop_s)

    @property
    def len_hint(self) -> int:
        """How many images are recorded, as far as the files tell."""
        return self._reader.topics[self.topics.image].count

    @property
    def problems(self) -> list[str]:
        """What is wrong with the recording, one short line a kind; complete after a full pass."""
        return self._reader.problems + self._opening.texts() + self._problems.texts()

    def __iter__(self) -> Iterator[Sample]:
        return self.samples()

    def samples(self, start: int = 0, only: Container[int] | None = None) -> Iterator[Sample]:
        """The images, from message number `start` on; earlier ones are paired but not decoded.

        With `only`, neither are those whose number is not in it.

        Memory does not grow with the recording. Frames come as they were recorded, also where
        time runs backwards. Each pass counts its `problems` anew.

        Raises:
            InputError: not one image could be decoded, or `intrinsics` do not fit the image.
        """
        self._problems = Problems()
        decoder = FrameDecoder(
            self._reader.decode,
            self.topics,
            self.static_transforms,
            self._problems,
            self._intrinsics,
            _REMEDY,
        )
        decoded = 0
        for image, depth in _one_behind(self._pairs(decoder)):
            is_wanted = image.index >= start and (only is None or image.index in only)
            sample = decoder.sample(image, depth) if is_wanted else None
            if sample is not None:
                decoded += 1
                yield sample
        if not decoded and start < self.len_hint:
            raise InputError(
                f'not one image on {self.topics.image} can be decoded: {"; ".join(self.problems)}'
            )

    def poses(self, topic: str) -> StampedPoses:
        """The trajectory on another topic, as for ground truth; see `read_poses`."""
        return read_poses(self._reader, topic)

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    def _pairs(self, decoder: FrameDecoder) -> Iterator[tuple[RawImage, RawImage | None]]:
        """Images with their depth, while the decoder learns of the intrinsics in time."""
        topics = self.topics
        infos = {t for t in (topics.camera_info, topics.depth_info) if t}
        for topic in infos:
            # The first images may precede the first camera_info, which then holds for them too.
            for raw in islice(self._reader.read([topic]), 1):
                self._add_info(decoder, raw)
        pairing: Pairing[RawImage] = Pairing(
            round(self.slop_s * 1e9), has_depth=topics.depth is not None
        )
        images = depths = 0
        images_too = {t for t in (topics.image, topics.depth) if t}
        for raw in self._reader.read(infos | images_too):
            stamp = _stamp(raw)
            if raw.topic == topics.image:
                pairing.add_image(stamp, RawImage(images, stamp, raw))
                images += 1
            elif raw.topic == topics.depth:
                pairing.add_depth(stamp, RawImage(depths, stamp, raw))
                depths += 1
            else:
                self._add_info(decoder, raw)
            yield from pairing.pairs()
        yield from pairing.pairs(last=True)

    def _add_info(self, decoder: FrameDecoder, raw: RawMessage) -> None:
        if raw.topic == self.topics.camera_info:
            decoder.add_color_info(_stamp(raw), raw)
        if raw.topic == self.topics.depth_info:
            decoder.add_depth_info(_stamp(raw), raw)

    def _first_message(self, topic: str) -> Any:
        return next(self._decodable(topic), None)

    def _decodable(self, topic: str) -> Iterator[Any]:
        for raw in self._reader.read([topic]):
            try:
                yield self._reader.decode(raw)
            except InputError as error:
                self._opening.note(topic, str(error))

    def _slop_from_rate(self) -> float:
        depth = self._reader.read([self.topics.depth] if self.topics.depth else [])
        return slop_for([_stamp(raw) for raw in islice(depth, STAMPS_FOR_THE_SLOP)]) * 1e-9


def _one_behind(items: Iterator[Item]) -> Iterator[Item]:
    """Each item once the next one is there: the camera_info of an image may come after it."""
    held = list(islice(items, 1))
    for item in items:
        yield held.pop()
        held.append(item)
    yield from held


def _stamp(raw: RawMessage) -> int:
    """Stamp of the header, ns, read in place; the log time where the header has none.

    In CDR, a message that starts with a std_msgs/Header has sec and nanosec behind the four
    bytes of encapsulation, of which the second says the byte order.
    """
    if len(raw.data) < 12:
        return raw.log_ns
    sec, nanosec = struct.unpack_from('<iI' if raw.data[1] & 1 else '>iI', raw.data, 4)
    return sec * 10**9 + nanosec or raw.log_ns
