# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""ROS image messages as numpy arrays.

Everything here takes any object with the fields of `sensor_msgs/Image`, `CompressedImage` or
`CameraInfo`, so that a bag's messages and rclpy's are decoded by the same code. A message with a
`format` is compressed, one with an `encoding` is raw (sensor_msgs/image_encodings.hpp).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError

# encoding: (bytes a pixel, OpenCV conversion to RGB). OpenCV names a Bayer pattern by its second
# row and column, ROS by its first. An 8UC3 image says nothing of its order; OpenCV's is BGR.
_COLOR: dict[str, tuple[int, int | None]] = {
    'rgb8': (3, None),
    'bgr8': (3, cv2.COLOR_BGR2RGB),
    '8UC3': (3, cv2.COLOR_BGR2RGB),
    'rgba8': (4, cv2.COLOR_RGBA2RGB),
    'bgra8': (4, cv2.COLOR_BGRA2RGB),
    '8UC4': (4, cv2.COLOR_BGRA2RGB),
    'mono8': (1, cv2.COLOR_GRAY2RGB),
    '8UC1': (1, cv2.COLOR_GRAY2RGB),
    'mono16': (2, cv2.COLOR_GRAY2RGB),
    'yuv422': (2, cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': (2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': (2, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': (2, cv2.COLOR_YUV2RGB_YUY2),
    'bayer_rggb8': (1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': (1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': (1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': (1, cv2.COLOR_BayerGB2RGB),
}
_DEPTH = {'16UC1': 'u2', 'mono16': 'u2', '32FC1': 'f4'}

_SATURATED = 65535

# compressed_depth_image_transport: an enum (int32), then the quantisation parameters A and B.
_DEPTH_HEADER = struct.Struct('<iff')


def decode_color(message: Any) -> NDArray[np.uint8]:
    """Pixels of a colour or grey image, raw or compressed (jpeg, png and what OpenCV reads).

    Returns:
        (H, W, 3) uint8 RGB. An rgb8 image without padding is a view of the message's data, and
        read-only where that is; everything else is a copy.

    Raises:
        InputError: an encoding that is no colour image, or data that does not fit it.
    """
    if hasattr(message, 'format'):
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        return cv2.cvtColor(_decompress(message, 0, flags), cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
    encoding = message.encoding
    if encoding not in _COLOR:
        raise InputError(
            f'image encoding {encoding!r} is not supported for colour; publish one of '
            f'{", ".join(_COLOR)}, or convert it with image_proc'
        )
    size, conversion = _COLOR[encoding]
    pixels = _raw(message, size)
    if encoding == 'mono16':
        pixels = (_wide(pixels, 'u2', message.is_bigendian)[..., None] >> 8).astype(np.uint8)
    if conversion is None:
        return pixels
    if encoding.startswith(('yuv', 'yuyv', 'uyvy')) and pixels.shape[1] % 2:
        raise InputError(
            f'{encoding} image of odd width {pixels.shape[1]}: two pixels share a colour'
        )
    return cv2.cvtColor(pixels, conversion)  # type: ignore[return-value]


def decode_depth(message: Any) -> NDArray[np.float32]:
    """Depth along the optical axis (REP 118), raw, compressedDepth or png.

    16UC1 and mono16 are millimetres, where 0 and 65535 (saturated) mean no measurement. 32FC1 is
    metres, where what is not finite and positive means none.

    Returns:
        (H, W) float32, m; NaN = no measurement.

    Raises:
        InputError: an encoding that is no depth image, or data that does not fit it.
    """
    if hasattr(message, 'format'):
        return _decompress_depth(message)
    dtype = _DEPTH.get(message.encoding)
    if dtype is None:
        raise InputError(
            f'image encoding {message.encoding!r} is not depth; publish 16UC1 (mm) or 32FC1 (m)'
        )
    values = _wide(_raw(message, int(dtype[1])), dtype, message.is_bigendian)
    return _metres(values) if dtype == 'u2' else _positive(values)


def is_known(encoding: str) -> bool:
    """Whether a raw image of this encoding can be decoded, as colour or as depth."""
    return encoding in _COLOR or encoding in _DEPTH


def is_depth(message: Any) -> bool:
    """Whether the encoding alone says that an image holds depth; mono16 may also be infrared."""
    encoding: str = message.format if hasattr(message, 'format') else message.encoding
    return encoding.startswith(('16UC1', '32FC1')) or 'compressedDepth' in encoding


def camera_from_info(message: Any, *, rectified: bool = False) -> PinholeCamera:
    """Intrinsics of the image that a `CameraInfo` belongs to, its ROI and binning applied.

    Args:
        message: sensor_msgs/CameraInfo, or an object with its fields.
        rectified: the image is rectified (`image_rect`): P holds its intrinsics, and there is no
            distortion left.

    Raises:
        InputError: K is zero (not calibrated), not finite, or does not fit the image size.
    """
    K, P = message.k, message.p
    intrinsics = (K[0], K[4], K[2], K[5])
    distortion = tuple(float(v) for v in message.d)
    if rectified and P[0] > 0:
        intrinsics, distortion = (P[0], P[5], P[2], P[6]), ()
    fx, fy, cx, cy = (float(v) for v in intrinsics)
    camera = PinholeCamera(int(message.width), int(message.height), fx, fy, cx, cy, distortion)
    if any(distortion):
        camera = replace(camera, model=message.distortion_model)
    roi = message.roi
    if roi.width and roi.height:
        camera = camera.cropped(roi.x_offset, roi.y_offset, roi.width, roi.height)
    across, down = max(message.binning_x, 1), max(message.binning_y, 1)
    if (across, down) != (1, 1):
        camera = camera.resized(camera.width // across, camera.height // down)
    return camera


def _raw(message: Any, pixel_bytes: int) -> NDArray[np.uint8]:
    """(H, W, pixel_bytes) of a raw image; a view unless the rows are padded."""
    height, width = int(message.height), int(message.width)
    row = width * pixel_bytes
    step = int(message.step) or row
    data = np.frombuffer(message.data, np.uint8)
    if not height or not width:
        raise InputError(f'image of {width}x{height} pixels is empty; both must be > 0')
    if step < row or len(data) < height * step:
        raise InputError(
            f'{message.encoding} image of {width}x{height} has {len(data)} bytes in steps of '
            f'{step}; it needs {height} steps of at least {row}: the message was cut short or its '
            'fields are wrong'
        )
    rows = data[: height * step].reshape(height, step)[:, :row]
    return np.ascontiguousarray(rows).reshape(height, width, pixel_bytes)


def _wide(pixels: NDArray[np.uint8], dtype: str, big_endian: Any) -> NDArray:
    """(H, W) in native byte order of pixels (H, W, bytes)."""
    values = pixels.view(('>' if big_endian else '<') + dtype)[..., 0]
    return values.astype(dtype, copy=False)


def _metres(millimetres: NDArray[np.uint16]) -> NDArray[np.float32]:
    depth = millimetres.astype(np.float32)
    # 0 / 0 is NaN and x / x is 1: a third of the time that a table or a mask takes.
    with np.errstate(invalid='ignore'):
        measured = depth / depth
    depth *= np.float32(1e-3)
    depth *= measured
    saturated = millimetres == _SATURATED
    if saturated.any():
        depth[saturated] = np.nan
    return depth


def _positive(depth: NDArray) -> NDArray[np.float32]:
    with np.errstate(invalid='ignore'):
        return np.where((depth > 0) & (depth < np.inf), depth, np.float32(np.nan))


def _decompress(message: Any, offset: int, flags: int) -> NDArray:
    data = np.frombuffer(message.data, np.uint8)[offset:]
    try:
        pixels = cv2.imdecode(data, flags) if len(data) else None
    except cv2.error as error:
        raise InputError(f'compressed image {message.format!r}: {error}') from error
    if pixels is None:
        raise InputError(
            f'compressed image {message.format!r} of {len(data)} bytes cannot be decoded; it is '
            'damaged, or neither jpeg nor png'
        )
    return pixels


def _decompress_depth(message: Any) -> NDArray[np.float32]:
    if 'compressedDepth' not in message.format:
        return _metres(_decompress_16_bit(message, 0))
    if 'rvl' in message.format.lower():
        raise InputError(
            f'compressed depth {message.format!r} is not supported; set the parameter '
            'compressedDepth format to png'
        )
    if len(message.data) <= _DEPTH_HEADER.size:
        raise InputError(f'compressed depth of {len(message.data)} bytes is cut short')
    values = _decompress_16_bit(message, _DEPTH_HEADER.size)
    if not message.format.startswith('32FC1'):
        return _metres(values)
    # 32FC1 is stored as inverse depth A / z + B, with 0 for none.
    _, a, b = _DEPTH_HEADER.unpack_from(message.data)
    inverse = np.where(values == 0, np.float32(np.nan), values.astype(np.float32) - np.float32(b))
    with np.errstate(divide='ignore'):
        return _positive(np.float32(a) / inverse)


def _decompress_16_bit(message: Any, offset: int) -> NDArray[np.uint16]:
    values = _decompress(message, offset, cv2.IMREAD_UNCHANGED)
    if values.dtype != np.uint16 or values.ndim != 2:
        raise InputError(
            f'compressed image {message.format!r} holds {values.dtype} {values.shape}, not depth; '
            'publish compressedDepth, or 16-bit png in millimetres'
        )
    return values
