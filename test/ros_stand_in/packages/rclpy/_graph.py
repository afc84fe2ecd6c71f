# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a node can ask about the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rclpy.qos import QoSProfile


@dataclass
class TopicEndpointInfo:
    """One publisher or subscription of a topic."""

    node_name: str
    node_namespace: str
    topic_type: str
    qos_profile: QoSProfile


def _names_and_types(pairs: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    names: dict[str, set[str]] = {}
    for name, type_name in pairs:
        names.setdefault(name, set()).add(type_name)
    return [(name, sorted(types)) for name, types in sorted(names.items())]


class GraphOfNode:
    """Mixed into Node."""

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        return [(node.get_name(), node.get_namespace()) for node in self._network.nodes]

    def get_node_names(self) -> list[str]:
        return [name for name, _ in self.get_node_names_and_namespaces()]

    def get_topic_names_and_types(self, no_demangle: bool = False) -> list[tuple[str, list[str]]]:
        ends = (*self._network.publishers, *self._network.subscriptions)
        return _names_and_types([(end.topic_name, end._type_name) for end in ends])

    def get_service_names_and_types(self) -> list[tuple[str, list[str]]]:
        return _names_and_types([(s.srv_name, s._type_name) for s in self._network.services])

    def count_publishers(self, topic_name: str) -> int:
        return len(self.get_publishers_info_by_topic(topic_name))

    def count_subscribers(self, topic_name: str) -> int:
        return len(self.get_subscriptions_info_by_topic(topic_name))

    def get_publishers_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        return self._info(self._network.publishers, topic_name)

    def get_subscriptions_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        return self._info(self._network.subscriptions, topic_name)

    def _info(self, ends: list[Any], topic_name: str) -> list[TopicEndpointInfo]:
        name = self.resolve_topic_name(topic_name)
        with self._network.lock:
            return [
                TopicEndpointInfo(
                    end._node.get_name(),
                    end._node.get_namespace(),
                    end._type_name,
                    end.qos_profile,
                )
                for end in ends
                if end.topic_name == name
            ]
