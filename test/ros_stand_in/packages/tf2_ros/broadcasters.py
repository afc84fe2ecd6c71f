"""Publishers of transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage


def _list(transform: Any) -> list[Any]:
    return list(transform) if isinstance(transform, Sequence) else [transform]


class TransformBroadcaster:
    """Publishes on /tf."""

    def __init__(self, node: Any, qos: QoSProfile | int | None = None) -> None:
        self.pub_tf = node.create_publisher(TFMessage, '/tf', qos or QoSProfile(depth=100))

    def sendTransform(self, transform: Any) -> None:
        self.pub_tf.publish(TFMessage(transforms=_list(transform)))


class StaticTransformBroadcaster:
    """Publishes on /tf_static all that it was ever given, for who comes late."""

    def __init__(self, node: Any, qos: QoSProfile | int | None = None) -> None:
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.pub_tf = node.create_publisher(TFMessage, '/tf_static', qos or latched)
        self._sent: dict[str, Any] = {}

    def sendTransform(self, transform: Any) -> None:
        self._sent |= {each.child_frame_id: each for each in _list(transform)}
        self.pub_tf.publish(TFMessage(transforms=list(self._sent.values())))
