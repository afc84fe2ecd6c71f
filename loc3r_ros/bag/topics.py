# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which topics of a recording are the camera: by type, then by the habits of ROS drivers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from loc3r_ros.bag.storage import TopicInfo
from loc3r_ros.errors import InputError
from loc3r_ros.images import is_depth
from loc3r_ros.ingest.camera_topics import ALIGNED, CameraTopics

_log = logging.getLogger(__name__)

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
INFO_TYPES = ('sensor_msgs/msg/CameraInfo',)

_DEPTH = re.compile('depth|disparity')
_INFRARED = re.compile(r'infra|(^|[/_])ir([/_\d]|$)')
_COLOR = re.compile('colou?r|rgb')
_TRANSPORT = re.compile('/(compressed|compressedDepth)$')


def choose_topics(
    topics: Mapping[str, TopicInfo],
    first_message: Callable[[str], Any],
    *,
    image: str | None = None,
    depth: str | None = None,
    camera_info: str | None = None,
    depth_info: str | None = None,
) -> CameraTopics:
    """Find the camera; what is named is taken, what is not is found.

    Colour goes before infrared, raw before compressed, aligned depth before other depth, and
    what shares more of its namespace with the image before what shares less.

    Args:
        topics: what is recorded.
        first_message: gives the first message of a topic, or None, for its encoding.
        image: colour image, by name.
        depth: depth image, by name.
        camera_info: intrinsics of the image, by name.
        depth_info: intrinsics of the depth image, by name.

    Raises:
        InputError: a named topic is not there, or has another type; or there is no colour image.
    """
    for name in (image, depth):
        _check(topics, name, IMAGE_TYPES)
    for name in (camera_info, depth_info):
        _check(topics, name, INFO_TYPES)
    images = _of_type(topics, IMAGE_TYPES)
    is_deep = {t: _is_depth(t, first_message(t)) for t in images}
    colors = sorted((t for t in images if not is_deep[t] and t != depth), key=_color_rank)
    image = image or _first(colors, 'image', '--image')
    if image is None:
        raise InputError(_no_image(topics, images))
    depths = sorted(
        (t for t in images if is_deep[t] and t != image), key=lambda t: _depth_rank(t, image)
    )
    depth = depth or _first(depths, 'depth', '--depth')
    infos = _of_type(topics, INFO_TYPES)
    return CameraTopics(
        image=image,
        camera_info=camera_info or _info_of_image(image, infos),
        depth=depth,
        depth_info=depth_info or (_sibling(depth, infos) if depth else None),
    )


def _is_depth(topic: str, message: Any) -> bool:
    return bool(_DEPTH.search(topic)) or (message is not None and is_depth(message))


def _check(topics: Mapping[str, TopicInfo], name: str | None, types: Iterable[str]) -> None:
    if name is None or (name in topics and topics[name].type_name in types):
        return
    fitting = ', '.join(_of_type(topics, types)) or 'none'
    what = f'has type {topics[name].type_name}' if name in topics else 'is not in the recording'
    raise InputError(f'topic {name} {what}; topics of type {" or ".join(types)}: {fitting}')


def _no_image(topics: Mapping[str, TopicInfo], images: list[str]) -> str:
    if images:
        return (
            f'no colour image topic in the recording, only depth: {", ".join(images)}; '
            'name the colour image with --image'
        )
    there = ', '.join(f'{t} ({i.type_name}, {i.count})' for t, i in sorted(topics.items()))
    return (
        f'no image topic in the recording; it needs {" or ".join(IMAGE_TYPES)} with messages, '
        f'and holds {there}'
    )


def _of_type(topics: Mapping[str, TopicInfo], types: Iterable[str]) -> list[str]:
    return sorted(t for t, info in topics.items() if info.type_name in types and info.count)


def _first(ranked: list[str], what: str, option: str) -> str | None:
    if not ranked:
        return None
    if len(ranked) > 1:
        _log.info('%s: %s (not %s; choose with %s)', what, ranked[0], ', '.join(ranked[1:]), option)
    return ranked[0]


def _color_rank(topic: str) -> tuple:
    return (
        bool(_INFRARED.search(topic)),
        'mono' in topic,
        not _COLOR.search(topic),
        _is_compressed(topic),
        len(topic),
        topic,
    )


def _depth_rank(topic: str, image: str) -> tuple:
    return (
        -_shared(topic, image),
        not ALIGNED.search(topic),
        _is_compressed(topic),
        len(topic),
        topic,
    )


def _info_of_image(image: str, infos: list[str]) -> str | None:
    """The sibling, or else the nearest in the namespace that is not another sensor's."""
    others = [t for t in infos if not (_DEPTH.search(t) or _INFRARED.search(t))]
    ranked = sorted(others, key=lambda t: (-_shared(t, image), len(t), t))
    return _sibling(image, infos) or _first(ranked, 'camera_info', '--camera-info')


def _sibling(image: str, infos: list[str]) -> str | None:
    name = _TRANSPORT.sub('', image).rpartition('/')[0] + '/camera_info'
    return name if name in infos else None


def _is_compressed(topic: str) -> bool:
    return bool(_TRANSPORT.search(topic))


def _shared(a: str, b: str) -> int:
    """How many leading parts two topic names share."""
    pairs = list(zip(a.split('/'), b.split('/'), strict=False))
    return next((k for k, (x, y) in enumerate(pairs) if x != y), len(pairs))
