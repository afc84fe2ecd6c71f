# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Configurations name topics, types and parameters that there are; read without ROS."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from prefix import ROOT
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat

from loc3r_ros.bag.storage import TopicInfo
from loc3r_ros.bag.topics import choose_topics
from loc3r_ros.ingest.camera_topics import CameraTopics
from loc3r_ros.mapping import BevConfig

DISPLAYS = {
    'Map': 'nav_msgs/msg/OccupancyGrid',
    'PointCloud2': 'sensor_msgs/msg/PointCloud2',
    'Path': 'nav_msgs/msg/Path',
    'PoseWithCovariance': 'geometry_msgs/msg/PoseWithCovarianceStamped',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
    'Image': 'sensor_msgs/msg/Image',
}
"""What the displays of rviz_default_plugins subscribe to."""

PRESETS = sorted(ROOT.glob('config/cameras/*.yaml'))


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / 'config' / name).read_text())


def documented(heading: str) -> dict[str, tuple[str, str]]:
    """Type and QoS by topic, of docs/interface.md, which is tested against the nodes."""
    text = (ROOT / 'docs/interface.md').read_text()
    section = re.search(rf'^## {heading}\n(.*?)^## ', text, re.DOTALL | re.MULTILINE)
    rows = re.findall(r'^\| \S+ \| `(\S+)` \| `(\S+)` \| (\w+)', section[1], re.MULTILINE)
    return {topic: (kind, qos) for topic, kind, qos in rows}


OUT = documented('Topics out')
IN = documented('Topics in')


@pytest.mark.parametrize('file', PRESETS, ids=lambda file: file.stem)
def test_a_camera_is_found_by_its_topics_as_its_preset_has_them(file):
    preset = yaml.safe_load(file.read_text())
    assert {'image', 'camera_info'} <= preset.keys() <= CameraTopics.__annotations__.keys()
    none = MessageDefinition(MessageDefinitionFormat.NONE, '')
    recorded = {
        topic: TopicInfo(f'sensor_msgs/msg/{"CameraInfo" if "info" in key else "Image"}', 9, none)
        for key, topic in preset.items()
    }
    encodings = {preset['image']: 'bgr8', preset.get('depth'): '16UC1'}

    def first(topic: str) -> Any:
        return type('Message', (), {'encoding': encodings[topic]})

    chosen = vars(choose_topics(recorded, first))
    assert {key: topic for key, topic in chosen.items() if topic} == preset


def test_every_display_of_rviz_shows_a_topic_of_its_type():
    shown = [d for d in read('loc3r.rviz')['Visualization Manager']['Displays'] if 'Topic' in d]
    assert len(shown) == 7
    for display in shown:
        topic, plugin = display['Topic'], display['Class'].removeprefix('rviz_default_plugins/')
        kind, qos = (OUT | IN)[topic['Value']]
        assert DISPLAYS[plugin] == kind, display['Name']
        # A transient-local subscription gets nothing from a volatile publisher.
        assert (topic['Durability Policy'] == 'Transient Local') == (qos == 'latched')


def test_every_topic_and_field_of_the_foxglove_layout_is_ours():
    layout = read('foxglove.json')
    panels = layout['configById']
    shown = panels['3D!map']['topics']
    assert {topic.removeprefix('/loc3r/') for topic in shown} <= OUT.keys()
    asked = panels['Publish!question']
    assert IN[asked['topicName'].removeprefix('/loc3r/')][0] == asked['datatype']
    assert json.loads(asked['value']).keys() == {'data'}
    paths = re.findall(r'"/loc3r/(\w+)\.(\w+)"', json.dumps(panels))
    assert len(paths) == 3
    for topic, field in paths:
        definition = ROOT / 'msg' / f'{OUT[topic][0].rpartition("/")[2]}.msg'
        assert re.search(rf'^\S+ {field}\b', definition.read_text(), re.MULTILINE)
    placed = re.findall(r'"(?:first|second)": "([^"]+)"', json.dumps(layout['layout']))
    assert sorted(placed) == sorted(panels)


def costmaps() -> dict[str, dict[str, Any]]:
    tree = read('nav2.yaml')
    return {
        name: tree[name][name]['ros__parameters'] for name in ('global_costmap', 'local_costmap')
    }


def test_the_costmaps_of_nav2_take_our_map_and_our_obstacles():
    static = costmaps()['global_costmap']['static_layer']
    assert static['map_topic'] == '$(var map_topic)'
    assert OUT['bev'] == ('nav_msgs/msg/OccupancyGrid', 'latched')
    assert static['map_subscribe_transient_local'] is True
    bev = BevConfig()
    sources = [
        costmaps()['global_costmap']['obstacle_layer']['points'],
        costmaps()['local_costmap']['voxel_layer']['points'],
    ]
    for source in sources:
        assert OUT['points'][0].endswith(source['data_type'])
        band = (source['min_obstacle_height'], source['max_obstacle_height'])
        assert band == (bev.band_low, bev.band_high)
        assert source['obstacle_max_range'] == bev.max_range < source['raytrace_max_range']
    voxels = costmaps()['local_costmap']['voxel_layer']
    assert voxels['z_voxels'] <= 16
    assert voxels['z_voxels'] * voxels['z_resolution'] >= bev.band_high


def test_every_layer_that_is_listed_is_set():
    for costmap in costmaps().values():
        listed = set(costmap['plugins'])
        # What is not set here is set by nav2_bringup, in all its distributions.
        assert listed - costmap.keys() <= {'inflation_layer'}
        for layer in listed & costmap.keys():
            assert costmap[layer]['plugin'].startswith('nav2_costmap_2d::')


@pytest.mark.parametrize('name', ['loc3r.yaml', 'nav2.yaml'])
def test_rcl_can_read_the_parameters(name):
    # It knows no anchors, and takes the words y and n for booleans.
    text = (ROOT / 'config' / name).read_text()
    events = list(yaml.parse(text))
    assert not [e for e in events if isinstance(e, yaml.AliasEvent) or getattr(e, 'anchor', None)]
    scalars = [e.value for e in events if isinstance(e, yaml.ScalarEvent) and e.style is None]
    assert not {'y', 'n', 'yes', 'no', 'on', 'off'} & {s.lower() for s in scalars}


def test_substitutions_in_nav2_yaml_are_arguments_of_its_launch_file():
    used = set(re.findall(r'\$\(var (\w+)\)', (ROOT / 'config/nav2.yaml').read_text()))
    launch_file = (ROOT / 'launch/nav2.launch.py').read_text()
    declared = set(re.findall(r"DeclareLaunchArgument\(\s*'(\w+)'", launch_file))
    assert used == {'map_topic', 'points_topic', 'odom_topic', 'odom_frame'} <= declared
