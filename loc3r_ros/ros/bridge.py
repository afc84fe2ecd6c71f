# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""cv_bridge, for the encodings that our own views of images do not express, where it imports.

It is asked for only when such an image comes: built for NumPy 1 it prints a page of warnings, or
worse, when it meets NumPy 2.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from loc3r_ros.images import is_known
from loc3r_ros.ros.conversion import messages, stamp_ns


@cache
def _cv_bridge() -> Any:
    try:
        from cv_bridge import CvBridge
    except Exception:  # absent, or built for another NumPy or OpenCV, which fails in many ways
        return None
    return CvBridge()


def readable(message: Any) -> Any:
    """A message as it is, or an image of a rare encoding as rgb8.

    What cv_bridge cannot convert either is returned as it is; the decoder then says what it takes.
    """
    if not hasattr(message, 'encoding') or is_known(message.encoding):
        return message
    bridge = _cv_bridge()
    if bridge is None:
        return message
    try:
        pixels = bridge.imgmsg_to_cv2(message, desired_encoding='rgb8')
    except Exception:  # its own error, or OpenCV's
        return message
    return messages().image(stamp_ns(message), message.header.frame_id, pixels)
