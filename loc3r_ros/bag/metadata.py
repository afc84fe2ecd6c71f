# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`metadata.yaml` of a rosbag2 directory, derived from its finished MCAP files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.reader import make_reader
from ruamel.yaml import YAML

from loc3r_ros.bag.typestore import humble
from loc3r_ros.errors import InputError

# Humble reads version 8 (it ignores what is newer than its own 5); from 9 on the QoS profiles are
# YAML lists, which Humble and Jazzy refuse.
_VERSION = 8

_RELIABLE, _KEEP_LAST, _TRANSIENT_LOCAL, _VOLATILE, _AUTOMATIC = 1, 1, 1, 2, 1
# Copied at each use: shared, it would become a YAML alias.
_INFINITE = {'sec': 9223372036, 'nsec': 854775807}


@dataclass(frozen=True)
class Split:
    """One finished file of a bag.

    Attributes:
        name: file name.
        counts: messages by (topic, type).
        start_ns, end_ns: log times of the first and the last message, ns.
    """

    name: str
    counts: Counter[tuple[str, str]]
    start_ns: int
    end_ns: int


_LATCHED = ('nav_msgs/msg/OccupancyGrid', 'loc3r_ros/msg/Answer')


def offered_qos(topic: str, type_name: str) -> str:
    """The QoS profile that `ros2 bag play` offers for a topic, as YAML.

    Maps and static transforms are latched (REP 2003, REP 105), answers as `spatial_vlm` publishes
    them; all else is reliable and volatile.
    """
    latched = topic == '/tf_static' or type_name in _LATCHED
    profile = {
        'history': _KEEP_LAST,
        'depth': 1 if latched else 10,
        'reliability': _RELIABLE,
        'durability': _TRANSIENT_LOCAL if latched else _VOLATILE,
        'deadline': dict(_INFINITE),
        'lifespan': dict(_INFINITE),
        'liveliness': _AUTOMATIC,
        'liveliness_lease_duration': dict(_INFINITE),
        'avoid_ros_namespace_conventions': False,
    }
    return _yaml([profile])


def summarise(path: Path) -> Split:
    """Read topics, counts and times from the index of an MCAP file.

    Raises:
        InputError: the file has no index, as when its writer was killed.
    """
    try:
        with path.open('rb') as file:
            summary = make_reader(file).get_summary()
    except (McapError, ValueError) as error:
        raise InputError(f'{path} is not a finished MCAP file: {error}') from error
    if summary is None or summary.statistics is None:
        raise InputError(f'{path} is not a finished MCAP file: it has no index')
    statistics = summary.statistics
    counts = Counter(
        {
            (channel.topic, summary.schemas[channel.schema_id].name): count
            for key, channel in summary.channels.items()
            if (count := statistics.channel_message_counts.get(key, 0))
        }
    )
    return Split(path.name, counts, statistics.message_start_time, statistics.message_end_time)


def write_metadata(directory: Path, splits: Sequence[Split]) -> None:
    """Replace `metadata.yaml` in one step, so that a reader sees the old or the new one whole."""
    partial = directory / 'metadata.yaml.partial'
    with partial.open('w', encoding='utf-8') as file:
        file.write(_yaml({'rosbag2_bagfile_information': _information(splits)}))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(directory / 'metadata.yaml')


def _information(splits: Sequence[Split]) -> dict[str, Any]:
    counts = sum((split.counts for split in splits), Counter())
    span = _span(
        min((split.start_ns for split in splits), default=0),
        max((split.end_ns for split in splits), default=0),
        counts.total(),
    )
    return {
        'version': _VERSION,
        'storage_identifier': 'mcap',
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [split.name for split in splits],
        **span,
        'topics_with_message_count': [
            {'topic_metadata': _topic(*topic), 'message_count': count}
            for topic, count in sorted(counts.items())
        ],
        'files': [
            {'path': split.name, **_span(split.start_ns, split.end_ns, split.counts.total())}
            for split in splits
        ],
        'custom_data': None,
        'ros_distro': 'humble',
    }


def _span(start_ns: int, end_ns: int, count: int) -> dict[str, Any]:
    return {
        'starting_time': {'nanoseconds_since_epoch': start_ns},
        'duration': {'nanoseconds': end_ns - start_ns},
        'message_count': count,
    }


def _topic(name: str, type_name: str) -> dict[str, str]:
    return {
        'name': name,
        'type': type_name,
        'serialization_format': 'cdr',
        'offered_qos_profiles': offered_qos(name, type_name),
        'type_description_hash': humble().hash_rihs01(type_name),
    }


def _yaml(value: object) -> str:
    yaml = YAML(typ='safe')
    yaml.default_flow_style = False
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
