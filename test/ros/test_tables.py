# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The documentation says what the nodes offer: parameters, topics, services, types, QoS."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from loc3r_ros.errors import InputError
from loc3r_ros.ros import tables
from loc3r_ros.ros.bev_mapper import BevMapper
from loc3r_ros.ros.pose_encoder import PoseEncoder
from loc3r_ros.ros.spatial_vlm import SpatialVlmNode

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / tables.DOCUMENT).read_text()
NODES = {'pose_encoder': PoseEncoder, 'bev_mapper': BevMapper, 'spatial_vlm': SpatialVlmNode}
OF_EVERY_NODE = {'/rosout', '/parameter_events', '/clock', '~/transition_event'}


def test_tables_in_the_documentation_are_those_of_the_nodes():
    assert tables.documented(DOCUMENT) == DOCUMENT, 'run python -m loc3r_ros.ros.tables'


def test_config_is_that_of_the_nodes():
    assert tables.config() == (ROOT / tables.CONFIG).read_text()


def test_config_reads_as_every_default():
    read = yaml.safe_load(tables.config())
    for name, table in tables.tables().items():
        values = read[f'/**/{name}']['ros__parameters']
        defaults = {p.name: p.default for p in table}
        assert {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()} == defaults
        assert {k: type(v) for k, v in values.items() if not isinstance(v, list)} == {
            k: type(v) for k, v in defaults.items() if not isinstance(v, tuple)
        }


def test_a_mark_that_is_gone_is_told():
    with pytest.raises(InputError, match='parameters of bev_mapper'):
        tables.documented(DOCUMENT.replace('<!-- end of bev_mapper -->', ''))


def rows(heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without their backticks."""
    section = re.search(rf'^## {heading}\n(.*?)(?=^## |\Z)', DOCUMENT, re.DOTALL | re.MULTILINE)
    lines = [line for line in section[1].splitlines() if line.startswith('|')][2:]
    return [[cell.strip().strip('`') for cell in line.strip('|').split('|')] for line in lines]


def documented(heading: str, node: str) -> set[tuple[str, ...]]:
    """(name, type) or (name, type, QoS) of a node."""
    found = [row for row in rows(heading) if row[0] in (node, 'all')]
    return {tuple(row[1:4] if heading.startswith('Topics') else row[1:3]) for row in found}


def offered(endpoints, node) -> set[tuple[str, str, str]]:
    found = set()
    for end in endpoints:
        name = local(end.topic_name, node)
        if name not in OF_EVERY_NODE and '/_action/' not in name:
            found.add((name, type_of(end.msg_type), quality(end.qos_profile)))
    return found


def local(name: str, node) -> str:
    """As the node names it."""
    own = f'{node.get_namespace()}/{node.get_name()}/'
    return name.replace(own, '~/', 1).removeprefix(f'{node.get_namespace()}/')


def type_of(kind: type) -> str:
    package, interface = kind.__module__.split('.')[:2]
    return f'{package}/{interface}/{kind.__name__}'


def quality(profile) -> str:
    if profile.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        return 'latched'
    # Without publishers `auto` is best effort.
    return 'reliable' if profile.reliability == ReliabilityPolicy.RELIABLE else 'auto'


@pytest.fixture(params=NODES)
def node(request, ros):
    made = NODES[request.param](namespace='/loc3r')
    ros.spin(made)
    assert made.start()
    return made


def test_topics_of_a_node(node):
    name = node.get_name()
    assert offered(node.publishers, node) == documented('Topics out', name)
    assert offered(node.subscriptions, node) == documented('Topics in', name)


def test_services_of_a_node(node):
    found = {local(service.srv_name, node): service.srv_type for service in node.services}
    # Those with a slash are of parameters, lifecycle and actions.
    own = {(name, type_of(kind)) for name, kind in found.items() if '/' not in name}
    assert own == documented('Services', node.get_name())


def test_every_interface_is_documented():
    kinds = {path.stem for folder in ('msg', 'srv', 'action') for path in (ROOT / folder).iterdir()}
    linked = re.findall(r'\((\.\./(?:msg|srv|action)/(\w+)\.\w+)\)', DOCUMENT)
    assert {name for _, name in linked} == kinds
    assert all((ROOT / 'docs' / path).is_file() for path, _ in linked)
