# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Stamped poses: from the topics of a recording, and as TUM text files."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import pose, quaternion_from_rotation, rotation_from_quaternion
from loc3r_ros.ingest.transforms import pose_matrix, transform_matrix

_PATH, _TF = 'nav_msgs/msg/Path', 'tf2_msgs/msg/TFMessage'
_POSE_TYPES = (
    'geometry_msgs/msg/PoseStamped',
    'geometry_msgs/msg/PoseWithCovarianceStamped',
    'geometry_msgs/msg/TransformStamped',
    'nav_msgs/msg/Odometry',
    _PATH,
    _TF,
)


@dataclass(frozen=True, eq=False)
class StampedPoses:
    """A trajectory.

    Attributes:
        stamps_ns: (n,) int64, ns.
        T: (n, 4, 4) float64, T_parent_child.
        parent: frame that the poses are in.
        child: frame that is posed; empty where the message type does not say.
    """

    stamps_ns: NDArray[np.int64]
    T: NDArray[np.float64]
    parent: str = ''
    child: str = ''


def read_poses(reader: BagReader, topic: str) -> StampedPoses:
    """The trajectory on a topic.

    Reads PoseStamped, PoseWithCovarianceStamped, TransformStamped, Odometry, the last Path, and
    one pair of frames of a TFMessage topic, which is named `TOPIC:PARENT:CHILD` where it has more.

    Raises:
        InputError: no such topic, no trajectory on it, or a pose that is none.
    """
    name, _, pair = topic.partition(':')
    if name not in reader.topics or reader.topics[name].type_name not in _POSE_TYPES:
        there = (f'{t} ({i.type_name})' for t, i in sorted(reader.topics.items()))
        fitting = [t for t in there if any(f'({kind})' in t for kind in _POSE_TYPES)]
        raise InputError(f'no poses on topic {name}; it may be: {", ".join(fitting) or "none"}')
    rows = list(_stamped(reader, name))
    if reader.topics[name].type_name == _TF:
        rows = _one_pair(rows, name, pair)
    if not rows:
        raise InputError(f'topic {name} holds no poses')
    stamps, parents, children, matrices = zip(*rows, strict=True)
    return StampedPoses(np.array(stamps, np.int64), np.stack(matrices), parents[0], children[0])


def _stamped(reader: BagReader, topic: str) -> Iterator[tuple[int, str, str, NDArray]]:
    """(stamp ns, parent, child, T_parent_child) of each pose on a topic."""
    messages: Iterable[Any] = (reader.decode(raw) for raw in reader.read([topic]))
    if reader.topics[topic].type_name == _PATH:
        messages = (p for path in deque(messages, maxlen=1) for p in path.poses)
    for message in messages:
        for item in getattr(message, 'transforms', [message]):
            stamp = item.header.stamp
            child = getattr(item, 'child_frame_id', '')
            try:
                T = _matrix(item)
            except ValueError as error:
                raise InputError(f'a pose on {topic}: {error}') from error
            yield stamp.sec * 10**9 + stamp.nanosec, item.header.frame_id, child, T


def _matrix(message: Any) -> NDArray[np.float64]:
    if hasattr(message, 'transform'):
        return transform_matrix(message.transform)
    inner = message.pose
    return pose_matrix(inner.pose if hasattr(inner, 'pose') else inner)


def _one_pair(rows: list, topic: str, pair: str) -> list:
    pairs = sorted({f'{parent}:{child}' for _, parent, child, _ in rows})
    wanted = pair or (pairs[0] if len(pairs) == 1 else '')
    if wanted not in pairs:
        choices = ', '.join(f'{topic}:{p}' for p in pairs)
        raise InputError(f'{topic} holds several transforms, or not {pair!r}; name one: {choices}')
    return [row for row in rows if f'{row[1]}:{row[2]}' == wanted]


def write_tum(path: str | Path, stamps_ns: Iterable[int], T: Iterable[NDArray]) -> None:
    """Write `timestamp tx ty tz qx qy qz qw` lines; the stamps are exact to the nanosecond."""
    with Path(path).open('w', encoding='utf-8') as file:
        for stamp_ns, matrix in zip(stamps_ns, T, strict=True):
            numbers = (*matrix[:3, 3], *quaternion_from_rotation(matrix[:3, :3]))
            file.write(' '.join([_seconds(int(stamp_ns)), *(f'{v:.9f}' for v in numbers)]) + '\n')


def read_tum(path: str | Path) -> StampedPoses:
    """Read a TUM trajectory; `#` starts a comment.

    Raises:
        InputError: a line that is none of eight numbers, or a file without poses.
    """
    stamps, matrices = [], []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), 1):
        words = line.partition('#')[0].split()
        if not words:
            continue
        try:
            x, y, z, *q = (float(word) for word in words[1:])
            matrices.append(pose(rotation_from_quaternion(q), (x, y, z)))
            stamps.append(_nanoseconds(words[0]))
        except ValueError as error:
            raise InputError(
                f'{path}, line {number}: {error}; expected: timestamp tx ty tz qx qy qz qw'
            ) from error
    if not stamps:
        raise InputError(f'{path} holds no poses')
    return StampedPoses(np.array(stamps, np.int64), np.stack(matrices))


def _seconds(stamp_ns: int) -> str:
    sign, stamp_ns = ('-', -stamp_ns) if stamp_ns < 0 else ('', stamp_ns)
    return f'{sign}{stamp_ns // 10**9}.{stamp_ns % 10**9:09d}'


def _nanoseconds(text: str) -> int:
    """Exact where the text has digits; a float of seconds since 1970 has only 0.2 microseconds."""
    whole, _, fraction = text.partition('.')
    if not (whole.lstrip('+-') + fraction).isdigit():
        return round(float(text) * 1e9)
    magnitude = int(whole.lstrip('+-') or 0) * 10**9 + int(fraction[:9].ljust(9, '0'))
    return -magnitude if whole.startswith('-') else magnitude
