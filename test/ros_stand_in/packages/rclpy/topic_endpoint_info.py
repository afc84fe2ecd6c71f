"""What the graph tells of publishers and subscriptions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rclpy.qos import QoSProfile


class TopicEndpointTypeEnum(IntEnum):
    """Which end."""

    INVALID = 0
    PUBLISHER = 1
    SUBSCRIPTION = 2


@dataclass
class TopicEndpointInfo:
    """One end of a topic."""

    node_name: str
    node_namespace: str
    topic_type: str
    endpoint_type: TopicEndpointTypeEnum
    qos_profile: QoSProfile
