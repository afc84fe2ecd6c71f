# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Small bags for tests, written with rosbags' own writers, so that not we alone define a bag."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rosbags.interfaces import Qos
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from loc3r_ros.bag.recording import Recording
from loc3r_ros.bag.typestore import humble, messages
from loc3r_ros.camera import PinholeCamera

CAMERA = PinholeCamera(64, 48, 60.0, 60.0, 31.5, 23.5)
STEP = 100_000_000
START = 1_600_000_000_000_000_000

IMAGE, DEPTH = '/camera/color/image_raw', '/camera/depth/image_raw'
INFO, DEPTH_INFO = '/camera/color/camera_info', '/camera/depth/camera_info'


def rgb(k: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that tells its number: every pixel of channel 0 is k."""
    pixels = np.full((height, width, 3), 100, np.uint8)
    pixels[..., 0] = k
    return pixels


def depth(k: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Millimetres: a plane k + 1 m away, up to 60 m."""
    return np.full((height, width), 1000 * (k % 60 + 1), np.uint16)


def image(stamp: int, pixels: np.ndarray, frame: str = 'camera_optical'):
    return messages().image(stamp, frame, pixels)


def info(stamp: int, camera: PinholeCamera = CAMERA, **fields):
    message = messages().camera_info(stamp, 'camera_optical', camera)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def compressed(stamp: int, text: str, data: bytes, frame: str = 'camera_optical'):
    return messages().new(
        'sensor_msgs/msg/CompressedImage',
        header=messages().header(stamp, frame),
        format=text,
        data=np.frombuffer(data, np.uint8),
    )


def stamps(n: int) -> list[int]:
    return [START + k * STEP for k in range(n)]


def rgbd(n: int = 5) -> list:
    """n frames of colour, depth and one camera_info each."""
    rows = []
    for k, t in enumerate(stamps(n)):
        rows += [
            (IMAGE, t, image(t, rgb(k))),
            (DEPTH, t, image(t, depth(k))),
            (INFO, t, info(t)),
        ]
    return rows


def write(
    path: Path,
    rows: Iterable[tuple],
    *,
    storage: str = 'mcap',
    compression: str = 'NONE',
) -> Path:
    """Write (topic, log time, message) rows; a message may be raw bytes as (type, bytes)."""
    bag = Writer(path, version=8, storage_plugin=StoragePlugin[storage.upper()])
    bag.set_compression(CompressionMode[compression], CompressionFormat.ZSTD)
    qos: list[Qos] = []
    with bag:
        connections = {}
        for topic, log_ns, message in rows:
            if isinstance(message, tuple):
                kind, data = message
            else:
                kind = message.__msgtype__
                data = humble().serialize_cdr(message, kind)
            if topic not in connections:
                connections[topic] = bag.add_connection(
                    topic, kind, typestore=humble(), offered_qos_profiles=qos
                )
            bag.write(connections[topic], log_ns, data)
    return path


def take(path, start=0, **options):
    """All samples and the problems of a pass."""
    with Recording(path, **options) as recording:
        return list(recording.samples(start)), recording.problems


def raw_image(stamp, encoding, data, step, width=64, height=48, big_endian=0):
    return messages().new(
        'sensor_msgs/msg/Image',
        header=messages().header(stamp, 'camera_optical'),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=big_endian,
        step=step,
        data=np.frombuffer(data, np.uint8),
    )
