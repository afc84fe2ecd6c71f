# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the launch files start, with which topics and parameters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from box_bag import DEPTH, IMAGE, INFO, shots, write_bag
from prefix import ROOT, Prefix

NODES = ('pose_encoder', 'bev_mapper', 'spatial_vlm')


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three images of a walk through the box, with depth."""
    return write_bag(tmp_path_factory.mktemp('recorded') / 'bag', shots(3))


def parameters(arguments: list[str], node: str, namespace: str = '/loc3r') -> dict:
    """What a node of this name takes from the arguments of its process."""
    rclpy = pytest.importorskip('rclpy')
    from rclpy.node import Node

    context = rclpy.Context()
    rclpy.init(args=['node', *arguments], context=context)
    try:
        made = Node(
            node,
            namespace=namespace,
            context=context,
            automatically_declare_parameters_from_overrides=True,
        )
        values = {name: parameter.value for name, parameter in made._parameters.items()}
        made.destroy_node()
        return values
    finally:
        rclpy.shutdown(context=context)


def test_every_argument_is_described_and_there_are_at_most_twenty(prefix: Prefix):
    shown = prefix.launch('bringup', show_args=True).output
    names = re.findall(r"^    '(\w+)':\n        (\S.*)$", shown, re.MULTILINE)
    assert 15 <= len(names) <= 20
    assert 'no description given' not in shown
    assert 'Warning' not in shown
    for name in ('camera', 'log_level', 'composed', 'rviz', 'use_sim_time'):
        assert re.search(rf"'{name}':\n.*Valid choices are", shown)


def test_all_nodes_start_in_one_process_with_the_defaults(prefix: Prefix):
    launched = prefix.launch('bringup')
    assert launched.code == 0, launched.output
    assert set(launched.started) == {'bringup'}
    own = launched.remappings('bringup')
    assert own.pop('__ns') == '/loc3r'
    assert all(name == topic for name, topic in own.items())
    assert set(own) == {'image', 'camera_info', 'depth', 'depth_camera_info'}
    assert parameters(launched.started['bringup'], 'pose_encoder')['use_sim_time'] is False


def test_each_node_gets_a_process_where_they_are_not_composed(prefix: Prefix):
    launched = prefix.launch('bringup', 'composed:=false', 'namespace:=robot/eye', 'camera:=oak')
    assert set(launched.started) == set(NODES)
    for node in NODES:
        assert launched.remappings(node)['__ns'] == '/robot/eye'
        assert launched.remappings(node)['depth'] == '/oak/stereo/image_raw'


@pytest.mark.parametrize('camera', [file.stem for file in ROOT.glob('config/cameras/*.yaml')])
def test_a_camera_brings_the_topics_of_its_driver(prefix: Prefix, camera: str):
    preset = yaml.safe_load((ROOT / f'config/cameras/{camera}.yaml').read_text())
    launched = prefix.launch('bringup', f'camera:={camera}', 'camera_info_topic:=/calibrated')
    given = launched.remappings('bringup')
    assert given['image'] == preset['image']
    assert given['camera_info'] == '/calibrated'
    assert given['depth'] == preset.get('depth', 'depth')
    assert given['depth_camera_info'] == preset.get('depth_info', 'depth_camera_info')
    values = parameters(launched.started['bringup'], 'pose_encoder')
    assert values.get('use_depth', True) is ('depth' in preset)


def test_a_recording_is_played_with_its_clock_and_its_topics(prefix: Prefix, bag: Path):
    launched = prefix.launch('bringup', f'bag:={bag}', 'bag_rate:=2.0', 'bag_loop:=10')
    assert set(launched.started) == {'bringup', 'play'}, launched.output
    assert launched.started['play'][:5] == [str(bag), '--rate', '2.0', '--loop', '10']
    given = launched.remappings('bringup')
    assert (given['image'], given['camera_info'], given['depth']) == (IMAGE, INFO, DEPTH)
    for node in NODES:
        assert parameters(launched.started['bringup'], node)['use_sim_time'] is True


def test_a_recording_without_depth_says_so_to_the_nodes(prefix: Prefix, tmp_path: Path):
    colour = shots(3)
    for shot in colour:
        shot.depth = None
    launched = prefix.launch('bringup', f'bag:={write_bag(tmp_path / "bag", colour)}')
    assert parameters(launched.started['bringup'], 'pose_encoder')['use_depth'] is False


@pytest.mark.parametrize(
    ('argument', 'told'),
    [
        ('params_file:=/nowhere/mine.yaml', 'params_file: there is no file /nowhere/mine.yaml'),
        ('bag:=/nowhere/bag', 'bag: no recording at /nowhere/bag'),
        ('camera:=webcam', 'webcam'),
    ],
)
def test_what_does_not_exist_ends_the_launch(prefix: Prefix, argument: str, told: str):
    launched = prefix.launch('bringup', argument)
    assert launched.code == 1
    assert told in launched.output
    assert launched.started == {}


@pytest.mark.parametrize(
    'section', ['/**', '/**/pose_encoder', '/loc3r/pose_encoder', '/loc3r/*', 'nested']
)
def test_an_argument_goes_before_the_params_file(prefix: Prefix, tmp_path: Path, section: str):
    values = {'ros__parameters': {'device': 'cpu', 'base_frame': 'mine', 'map_frame': 'world'}}
    tree = {'loc3r': {'pose_encoder': values}} if section == 'nested' else {section: values}
    file = tmp_path / 'mine.yaml'
    file.write_text(yaml.safe_dump(tree))
    launched = prefix.launch(
        'bringup', f'params_file:={file}', 'device:=cuda:1', 'autostart:=false'
    )
    taken = parameters(launched.started['bringup'], 'pose_encoder')
    assert taken['device'] == 'cuda:1'
    assert taken['autostart'] is False
    assert (taken['base_frame'], taken['map_frame']) == ('mine', 'world')


def test_the_language_model_and_its_device_reach_the_node(prefix: Prefix):
    launched = prefix.launch('bringup', 'vlm_weights:=/models/loc3r', 'device:=cuda')
    command = launched.started['bringup']
    values = parameters(command, 'spatial_vlm')
    assert (values['vlm_weights'], values['device']) == ('/models/loc3r', 'cuda')
    # A node warns of what it does not know.
    assert 'vlm_weights' not in parameters(command, 'pose_encoder')
    assert not {'vlm_weights', 'device'} & parameters(command, 'bev_mapper').keys()


def test_rviz_shows_the_topics_of_the_namespace(prefix: Prefix):
    prefix.add_package('rviz2', 'rviz2')
    launched = prefix.launch('bringup', 'rviz:=true', 'camera:=realsense', 'namespace:=eye')
    rviz = launched.started['rviz2']
    shown = Path(rviz[rviz.index('-d') + 1]).read_text()
    assert shown == (ROOT / 'config/loc3r.rviz').read_text()
    assert launched.remappings('rviz2') == {
        '__ns': '/eye',
        'image': '/camera/camera/color/image_raw',
    }


NAVIGATION = """\
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration as Value
from launch_ros.actions import Node
from launch_ros.descriptions import ParameterFile
names = ('namespace', 'params_file', 'use_sim_time', 'autostart', 'log_level')
def generate_launch_description():
    values = [[name, '=', Value(name)] for name in names]
    file = ParameterFile(Value('params_file'), allow_substs=True)
    node = Node(package='nav2_bringup', executable='nav2', arguments=values, parameters=[file])
    return LaunchDescription([*(DeclareLaunchArgument(name) for name in names), node])
"""

NAV2_DEFAULTS = """\
global_costmap:
  global_costmap:
    ros__parameters:
      robot_radius: 0.22
      plugins: [static_layer, obstacle_layer, denoise_layer, inflation_layer]
      obstacle_layer: {observation_sources: scan, scan: {topic: /scan}}
      inflation_layer: {inflation_radius: 0.7}
bt_navigator: {ros__parameters: {odom_topic: /odom, bt_loop_duration: 10}}
"""


@pytest.fixture
def nav2(prefix: Prefix) -> Prefix:
    """With a nav2_bringup that records what its navigation launch is given."""
    share = prefix.add_package('nav2_bringup', 'nav2')
    (share / 'launch').mkdir()
    (share / 'launch/navigation_launch.py').write_text(NAVIGATION)
    (share / 'params').mkdir()
    (share / 'params/nav2_params.yaml').write_text(NAV2_DEFAULTS)
    return prefix


def given_to_nav2(arguments: list[str]) -> dict[str, str]:
    return dict(argument.split('=', 1) for argument in arguments if re.match(r'\w+=', argument))


def test_nav2_runs_on_our_map_with_the_parameters_of_its_distribution(nav2: Prefix):
    launched = nav2.launch('bringup', 'nav2:=true', 'namespace:=eye')
    assert set(launched.started) == {'bringup', 'nav2'}, launched.output
    given = given_to_nav2(launched.started['nav2'])
    assert given['namespace'] == ''
    assert (given['autostart'], given['use_sim_time']) == ('true', 'false')
    values = parameters(launched.started['nav2'], 'global_costmap', '/global_costmap')
    assert values['static_layer.map_topic'] == '/eye/bev'
    assert values['obstacle_layer.points.topic'] == '/eye/points'
    assert values['obstacle_layer.observation_sources'] == 'points'
    assert values['plugins'] == ['static_layer', 'obstacle_layer', 'inflation_layer']
    assert (values['robot_radius'], values['inflation_layer.inflation_radius']) == (0.22, 0.7)
    local = parameters(launched.started['nav2'], 'local_costmap', '/local_costmap')
    assert local['global_frame'] == 'odom'


def test_your_parameters_of_nav2_go_before_ours(nav2: Prefix, tmp_path: Path):
    file = tmp_path / 'mine.yaml'
    mine = {'ros__parameters': {'robot_radius': 0.4, 'obstacle_layer': {'enabled': False}}}
    file.write_text(yaml.safe_dump({'global_costmap': {'global_costmap': mine}}))
    launched = nav2.launch(
        'nav2', f'nav2_params_file:={file}', 'odom_frame:=map', 'odom_topic:=/loc3r/odometry'
    )
    values = parameters(launched.started['nav2'], 'global_costmap', '/global_costmap')
    assert (values['robot_radius'], values['obstacle_layer.enabled']) == (0.4, False)
    assert values['static_layer.map_topic'] == '/loc3r/bev'
    local = parameters(launched.started['nav2'], 'local_costmap', '/local_costmap')
    assert local['global_frame'] == 'map'
    navigator = parameters(launched.started['nav2'], 'bt_navigator', '/')
    assert (navigator['odom_topic'], navigator['bt_loop_duration']) == ('/loc3r/odometry', 10)


def test_where_nav2_is_missing_the_line_that_installs_it_is_told(prefix: Prefix):
    launched = prefix.launch('nav2')
    assert launched.code == 1
    assert re.search(
        r'nav2_bringup is not installed.*apt install ros-\w+-nav2-bringup', launched.output
    )
