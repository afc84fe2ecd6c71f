# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node `play`: a recording as if it came from the robot, with its clock.

Beside `ros2 bag play` it needs no storage plugin, waits until someone listens, so that the first
images are not lost, and lets the clock fall back when it loops.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock
from rosidl_runtime_py.utilities import get_message

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.storage import RawMessage, TopicInfo
from loc3r_ros.bag.topics import IMAGE_TYPES
from loc3r_ros.errors import InputError
from loc3r_ros.ros import qos
from loc3r_ros.ros.conversion import messages

CLOCK_PERIOD_NS = 25_000_000
"""Between two messages on /clock, beside those at the time of each message; of real time, since
each costs every listener the same at any rate."""

SETTLED_S = 0.5
"""The recording starts when no listener has come or gone for so long."""

_LATCHED_TYPES = ('nav_msgs/msg/OccupancyGrid', 'loc3r_ros/msg/Status')
_LATCHED = ('/tf_static', '/robot_description')
_DEPTH = 30


class Player(Node):
    """Plays a recording in a thread of its own; the process ends with it.

    Args:
        bag: the recording.
        rate: speed, in times of real time.
        loops: how often it is played; 0 until interrupted.
        topics: only these; all by default.
        wait: whether to wait for a listener.
        clock: whether to publish /clock.
    """

    threads = 1

    def __init__(
        self,
        bag: Path,
        *,
        rate: float = 1.0,
        loops: int = 1,
        topics: list[str] | None = None,
        wait: bool = True,
        clock: bool = True,
        **node_options: Any,
    ) -> None:
        super().__init__('play', **node_options)
        self._bag = BagReader(bag)
        self._rate, self._loops, self._wait = rate, loops, wait
        self._stopping = Event()
        self._thread = Thread(target=self._run, name='play', daemon=True)
        self._outputs = self._advertise(topics)
        self._clock_output = (
            self.create_publisher(Clock, '/clock', qos.reliable(1)) if clock else None
        )

    def start(self) -> bool:
        """Begin to play."""
        self._thread.start()
        return True

    def destroy_node(self) -> None:
        """Stop, and leave the graph."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        self._bag.close()
        super().destroy_node()

    def _advertise(self, topics: list[str] | None) -> dict[str, Any]:
        """Publishers of what can be played."""
        found = {t: info for t, info in self._bag.topics.items() if t != '/clock' and info.count}
        missing = [topic for topic in topics or () if topic not in found]
        if missing:
            raise InputError(
                f'not in the recording: {", ".join(missing)}; it holds {sorted(found)}'
            )
        publishers = {}
        for topic, info in found.items():
            if topics and topic not in topics:
                continue
            try:
                kind = get_message(info.type_name)
            except (ImportError, AttributeError, ValueError):
                self.get_logger().warning(
                    f'{topic} is left out: {info.type_name} is not installed here'
                )
                continue
            publishers[topic] = self.create_publisher(kind, topic, _profile(topic, info))
        if not publishers:
            raise InputError('nothing to play: no type of the recording is installed here')
        return publishers

    def _run(self) -> None:
        try:
            self._play()
        except Exception as error:
            if self.context.ok() and not self._stopping.is_set():
                self.get_logger().error(f'{type(error).__name__}: {error}')
        finally:
            rclpy.try_shutdown(context=self.context)

    def _play(self) -> None:
        if self._wait:
            self._wait_for_listeners()
        rounds = 0
        while not self._stopping.is_set() and (rounds < self._loops or not self._loops):
            rounds += 1
            self.get_logger().info(f'playing {self._bag.path}, round {rounds}')
            sent = self._play_once()
            self.get_logger().info(f'round {rounds}: {sent} messages')
        # What is reliable is sent again where it was lost; that takes a moment.
        self._stopping.wait(0.5)

    def _play_once(self) -> int:
        pace, sent = _Pace(self._rate, self._stopping.wait, self._publish_clock), 0
        for raw in self._messages():
            if not pace.wait_until(raw.log_ns):
                break
            self._outputs[raw.topic].publish(raw.data)
            sent += 1
        return sent

    def _messages(self) -> Iterator[RawMessage]:
        return self._bag.read(self._outputs)

    def _publish_clock(self, now_ns: int) -> None:
        if self._clock_output is not None:
            self._clock_output.publish(Clock(clock=messages().time(now_ns)))

    def _wait_for_listeners(self) -> None:
        """Wait until an image has a listener, and until no more come."""
        images = [t for t in self._outputs if self._bag.topics[t].type_name in IMAGE_TYPES]
        awaited = images or list(self._outputs)
        self.get_logger().info(f'waiting for a listener of {" or ".join(awaited)}')
        before, since = self._listeners(), monotonic()
        while not self._stopping.wait(0.05):
            now = self._listeners()
            if now != before:
                before, since = now, monotonic()
            if any(now[topic] for topic in awaited) and monotonic() - since > SETTLED_S:
                return

    def _listeners(self) -> dict[str, int]:
        return {t: p.get_subscription_count() for t, p in self._outputs.items()}


class _Pace:
    """Lets recorded time pass as real time does.

    Args:
        rate: recorded seconds per second.
        sleep: waits for so many seconds; true when it is over.
        tell: called with the recorded time, ns, at each message and in between.
    """

    def __init__(
        self, rate: float, sleep: Callable[[float], bool], tell: Callable[[int], None]
    ) -> None:
        self._rate = rate
        self._period_ns = round(CLOCK_PERIOD_NS * rate)
        self._sleep = sleep
        self._tell = tell
        self._begun: tuple[int, float] | None = None
        self._told_ns = 0

    def wait_until(self, stamp_ns: int) -> bool:
        """Return when this time has come; False when it is all over."""
        if self._begun is None:
            self._begun, self._told_ns = (stamp_ns, monotonic()), stamp_ns
            self._tell(stamp_ns)
        while self._told_ns + self._period_ns < stamp_ns:
            if not self._reach(self._told_ns + self._period_ns):
                return False
        return self._reach(stamp_ns)

    def _reach(self, stamp_ns: int) -> bool:
        if self._begun is None:
            return False
        first_ns, begun_s = self._begun
        missing = begun_s + (stamp_ns - first_ns) * 1e-9 / self._rate - monotonic()
        if self._sleep(max(missing, 0.0)):
            return False
        if stamp_ns > self._told_ns:
            self._tell(stamp_ns)
            self._told_ns = stamp_ns
        return True


def _profile(topic: str, info: TopicInfo) -> QoSProfile:
    """Reliable, which serves every listener: a lost image would make another trajectory."""
    if topic in _LATCHED or info.type_name in _LATCHED_TYPES:
        return qos.latched(_DEPTH)
    return qos.reliable(_DEPTH)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='ros2 run loc3r_ros play',
        description='Play a rosbag2 recording with its clock, once someone listens to its images.',
        epilog='Example: ros2 run loc3r_ros play my_bag --rate 2 --loop 3, beside nodes that have '
        'use_sim_time:=true',
    )
    parser.add_argument('bag', type=Path, help='rosbag2 folder, or a single .mcap or .db3 file')
    parser.add_argument(
        '--rate', type=_positive, default=1.0, help='speed, in times of real time (default: 1)'
    )
    parser.add_argument(
        '--loop',
        type=int,
        default=1,
        metavar='N',
        help='play so often; 0: until interrupted (default: 1)',
    )
    parser.add_argument('--topics', nargs='+', metavar='TOPIC', help='play only these')
    parser.add_argument(
        '--no-wait', action='store_true', help='start at once, with or without listeners'
    )
    parser.add_argument('--no-clock', action='store_true', help='do not publish /clock')
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is not a positive number')
    return value


def nodes() -> list[Player]:
    """What the executable runs, by its command line."""
    args = _parser().parse_args(remove_ros_args(sys.argv)[1:])
    return [
        Player(
            args.bag,
            rate=args.rate,
            loops=args.loop,
            topics=args.topics,
            wait=not args.no_wait,
            clock=not args.no_clock,
        )
    ]
