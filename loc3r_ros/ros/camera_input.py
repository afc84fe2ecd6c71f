# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The camera of a node: its topics in, paired images out, decoded by who takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sensor_msgs.msg import CameraInfo

from loc3r_ros.ingest.camera_topics import CameraTopics
from loc3r_ros.ingest.frames import FrameDecoder, RawImage, Sample
from loc3r_ros.ingest.pairing import LARGEST_SLOP_NS, STAMPS_FOR_THE_SLOP, Pairing, slop_for
from loc3r_ros.ingest.problems import Problems
from loc3r_ros.ros import qos
from loc3r_ros.ros.bridge import readable
from loc3r_ros.ros.camera_stream import CameraStream
from loc3r_ros.ros.conversion import stamp_ns
from loc3r_ros.ros.parameters import Parameter
from loc3r_ros.ros.rounds import Rounds
from loc3r_ros.ros.statistics import Rate
from loc3r_ros.ros.tf import TfTree
from loc3r_ros.ros.watchdog import Watchdog

_WAITING_IMAGES = 5
"""Images that wait for a depth image which does not come; each costs one interval of latency."""

_UNNAMED = 'camera'
"""Frame of images that name none."""

_REMEDY = 'publish the right camera_info, or set intrinsics:=[fx, fy, cx, cy]'
_NO_INFO = 'or set intrinsics:=[fx, fy, cx, cy]'
_NO_DEPTH = (
    'or set weights to a trained CUT3R, which needs no depth (loc3r weights --help), or use_depth '
    "to false: then the package's own gives poses, where it has one"
)

TABLE = (
    Parameter(
        'camera_frame',
        '',
        'Optical frame of the images; empty: as their header says.',
    ),
    Parameter('use_depth', True, 'Subscribe to `depth`; false for a camera that has none.'),
    Parameter(
        'image_transport',
        'auto',
        'Raw or compressed images; auto takes compressed where nobody publishes raw.',
        choices=('auto', 'raw', 'compressed'),
    ),
    Parameter(
        'image_qos',
        'auto',
        'QoS of `image` and `camera_info`; auto is reliable where every publisher is.',
        choices=qos.CHOICES,
    ),
    Parameter(
        'depth_qos',
        'auto',
        'QoS of `depth` and `depth_camera_info`; auto is reliable where every publisher is.',
        choices=qos.CHOICES,
    ),
    Parameter(
        'slop_s',
        0.0,
        'Greatest difference of the stamps of an image and its depth; 0 for half the interval of '
        'the depth images, at most 0.05.',
        range=(0.0, 1.0),
    ),
    Parameter(
        'intrinsics',
        (0.0, 0.0, 0.0, 0.0),
        'fx, fy, cx, cy in pixels in place of camera_info; zeros take camera_info.',
        range=(0.0, 1e5),
    ),
)


@dataclass(frozen=True, eq=False)
class Shot:
    """One image with its depth, not yet decoded.

    Attributes:
        image, depth: the messages.
        received_s: when the image came, monotonic wall time, s.
        round: of a looped recording; see `Rounds`.
    """

    image: RawImage
    depth: RawImage | None
    received_s: float
    round: int


class CameraInput:
    """Subscribes to a camera while its node is active.

    Messages are paired in the executor's thread and decoded in that of the worker, by `decode`.

    Args:
        stage: that subscribes, with the parameters of `TABLE`.
        tf: for the transform between the camera's own frames.
        problems: where to note what is wrong with the messages.
        watchdog: told of every message.
        take: called with each image when its depth is settled.
        fall_back: called when time falls back, with the stamp (ns) that it falls back to; before
            the first image of the new round is taken.
        depth_only: depth and intrinsics are needed, and their absence is worth a word.

    Attributes:
        rounds: the jumps of time.
        rate: of the images.
        topics: what is subscribed.
        frame_id: frame of the camera; None before the first image.
        since_s, last_s: when the first and the last image came, monotonic wall time; of the
            subscription before.
        fixed: fx, fy, cx, cy where they are set.
    """

    def __init__(
        self,
        stage: Any,
        tf: TfTree,
        problems: Problems,
        watchdog: Watchdog,
        take: Callable[[Shot], None],
        fall_back: Callable[[int], None],
        *,
        depth_only: bool,
    ) -> None:
        settings = stage.settings
        self.rounds = Rounds()
        self.rate = Rate()
        self.frame_id: str | None = None
        self.since_s = self.last_s = monotonic()
        self.fixed = settings['intrinsics'] if any(settings['intrinsics']) else None
        self._stage = stage
        self._problems = problems
        self._watchdog = watchdog
        self._take = take
        self._fall_back = fall_back
        self._camera_frame: str = settings['camera_frame']
        self._slop_s: float = settings['slop_s']
        self._has_depth = settings['use_depth']
        self._depth_stamps: list[int] = []
        self._counts = {'image': 0, 'depth': 0}
        self._informed: set[str] = set()
        self._infos: deque[tuple[str, int, Any]] = deque(maxlen=100)
        self._round = 0
        slop_ns = round(self._slop_s * 1e9) or LARGEST_SLOP_NS
        self._pairing: Pairing[tuple[RawImage, float]] = Pairing(
            slop_ns, has_depth=self._has_depth, waiting=_WAITING_IMAGES
        )
        self.topics = self._subscribe(settings['image_transport'], depth_only)
        self._decoder = FrameDecoder(readable, self.topics, tf, problems, self.fixed, _REMEDY)

    @property
    def has_intrinsics(self) -> bool:
        """Whether the image's intrinsics are known, or a camera_info that has none."""
        return self.fixed is not None or 'camera_info' in self._informed

    @property
    def may_learn_of_depth(self) -> bool:
        """Whether somebody publishes the intrinsics of the depth, which have not come yet."""
        name = 'depth_camera_info'
        unknown = self._has_depth and name not in self._informed
        return unknown and bool(qos.publishers(self._stage, name))

    def decode(self, shot: Shot) -> Sample | None:
        """The frame of a shot; None where its image cannot be decoded. In the worker's thread."""
        while self._infos:
            name, stamp, info = self._infos.popleft()
            is_color = name == 'camera_info'
            add = self._decoder.add_color_info if is_color else self._decoder.add_depth_info
            add(stamp, info)
        return self._decoder.sample(shot.image, shot.depth)

    def begin(self) -> None:
        """What comes next is of another round. In the worker's thread."""
        self._decoder.begin()

    def clock_jumped(self, delta_ns: int) -> None:
        """Simulated time jumped."""
        self.rounds.clock(delta_ns)
        if self.rounds.number != self._round:
            self._begin_round(self._stage.get_clock().now().nanoseconds)

    def _subscribe(self, transport: str, depth_only: bool) -> CameraTopics:
        stage = self._stage
        # The image last: who waits for its listener before playing finds the others there.
        info = self._subscribe_info('camera_info', 'image_qos')
        depth = depth_info = None
        if self._has_depth:
            depth_info = self._subscribe_info('depth_camera_info', 'depth_qos').topic_name
            depth = CameraStream(
                stage, 'depth', '/compressedDepth', transport, 'depth_qos', self._take_depth
            )
        image = CameraStream(
            stage, 'image', '/compressed', transport, 'image_qos', self._take_image
        )
        watch = self._watchdog.watch
        watch('image', image.subscriptions, parameter='image_qos')
        watch('camera_info', [info], required=depth_only, parameter='image_qos', hint=_NO_INFO)
        if depth is not None:
            hint, shared = _NO_DEPTH if depth_only else '', depth.subscriptions
            watch('depth', shared, required=depth_only, parameter='depth_qos', hint=hint)
        return CameraTopics(
            image.topic, info.topic_name, depth.topic if depth else None, depth_info
        )

    def _subscribe_info(self, name: str, parameter: str) -> Any:
        def take(info: Any) -> None:
            self._infos.append((name, stamp_ns(info), info))
            self._informed.add(name)
            if name == 'camera_info':
                self._watchdog.fed(name)

        return qos.subscribe_input(self._stage, CameraInfo, name, take, parameter)

    def _take_image(self, message: Any) -> None:
        now = monotonic()
        stamp = self._stamp('image', message)
        if not self.rounds.image(stamp):
            return
        if self.rounds.number != self._round:
            self._begin_round(stamp)
        self.rate.tick()
        if self.frame_id is None:
            self.since_s = now
        self.last_s = now
        self.frame_id = self._camera_frame or message.header.frame_id or _UNNAMED
        self._pairing.add_image(stamp, (self._number('image', stamp, message), now))
        self._settle()

    def _take_depth(self, message: Any) -> None:
        stamp = self._stamp('depth', message)
        if not self.rounds.depth(stamp):
            return
        if self._slop_s == 0.0 and len(self._depth_stamps) < STAMPS_FOR_THE_SLOP:
            self._depth_stamps.append(stamp)
            if len(self._depth_stamps) == STAMPS_FOR_THE_SLOP:
                self._pairing.slop_ns = slop_for(self._depth_stamps)
        self._pairing.add_depth(stamp, (self._number('depth', stamp, message), 0.0))
        self._settle()

    def _stamp(self, name: str, message: Any) -> int:
        """Stamp of an image, ns; the time of its receipt where it has none."""
        self._watchdog.fed(name)
        stamp = stamp_ns(message)
        if not stamp:
            self._problems.note(
                f'stamp {name}', f'{name} without a stamp: the time of receipt is taken'
            )
            stamp = self._stage.get_clock().now().nanoseconds
        return stamp

    def _number(self, name: str, stamp: int, message: Any) -> RawImage:
        self._counts[name] += 1
        return RawImage(self._counts[name] - 1, stamp, message)

    def _settle(self, *, last: bool = False) -> None:
        for (image, received_s), depth in self._pairing.pairs(last=last):
            self._take(Shot(image, depth and depth[0], received_s, self._round))

    def _begin_round(self, stamp_ns: int) -> None:
        self._settle(last=True)
        self._pairing.forget_above(self.rounds.old_above)
        self._round = self.rounds.number
        self._fall_back(stamp_ns)
