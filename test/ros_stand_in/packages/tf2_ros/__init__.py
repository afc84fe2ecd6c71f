"""The stand-in's tf2_ros; see ros_stand_in."""

from tf2_ros.broadcasters import StaticTransformBroadcaster, TransformBroadcaster
from tf2_ros.buffer import (
    Buffer,
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.transform_listener import TransformListener

__all__ = [
    'Buffer',
    'ConnectivityException',
    'ExtrapolationException',
    'InvalidArgumentException',
    'LookupException',
    'StaticTransformBroadcaster',
    'TransformBroadcaster',
    'TransformException',
    'TransformListener',
]
