"""ROS message definitions where no ROS is installed."""

from __future__ import annotations

from functools import cache

from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from loc3r_ros.messages import Messages


@cache
def humble() -> Typestore:
    """The message definitions of ROS 2 Humble; the types used here are the same in later ones."""
    return get_typestore(Stores.ROS2_HUMBLE)


@cache
def messages() -> Messages:
    """A message factory with the classes of rosbags, for `BagWriter`."""
    return Messages(humble().types.__getitem__)
