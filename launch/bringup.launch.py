# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Pose, map and answers from one camera, live or recorded.

ros2 launch loc3r_ros bringup.launch.py camera:=realsense
ros2 launch loc3r_ros bringup.launch.py bag:=my_bag rviz:=true
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, ThisLaunchFileDir
from launch_ros.actions import Node

from loc3r_ros.ros.launching import ExistingFile, GivenParameters, IsGiven, choose_camera_topics

SHARE = Path(get_package_share_directory('loc3r_ros'))
CAMERAS = sorted(preset.stem for preset in SHARE.glob('config/cameras/*.yaml'))
YES_NO = ['true', 'false']

ARGUMENTS = [
    DeclareLaunchArgument(
        'namespace',
        default_value='loc3r',
        description='Namespace of the nodes and their topics.',
    ),
    DeclareLaunchArgument(
        'params_file',
        default_value=str(SHARE / 'config' / 'loc3r.yaml'),
        description='Parameters of the nodes. The arguments below that are parameters too go '
        'before it where they are given.',
    ),
    DeclareLaunchArgument(
        'use_sim_time',
        default_value='false',
        choices=YES_NO,
        description='Take the time from /clock; set by bag.',
    ),
    DeclareLaunchArgument(
        'log_level',
        default_value='info',
        choices=['debug', 'info', 'warn', 'error'],
        description='Least severity that the nodes log.',
    ),
    DeclareLaunchArgument(
        'autostart',
        default_value='',
        choices=['', *YES_NO],
        description='Configure and activate the nodes at start. Empty: as in params_file.',
    ),
    DeclareLaunchArgument(
        'composed',
        default_value='true',
        choices=YES_NO,
        description='All nodes in one process, where images pass by reference; else one each.',
    ),
    DeclareLaunchArgument(
        'camera',
        default_value='none',
        choices=['none', *CAMERAS],
        description="Whose driver's topics to take; the driver is started elsewhere. none: image, "
        'camera_info, depth and depth_camera_info in the namespace.',
    ),
    DeclareLaunchArgument(
        'image_topic',
        default_value='',
        description='Colour images. Empty, like the three below: as camera says, or found in bag.',
    ),
    DeclareLaunchArgument(
        'camera_info_topic',
        default_value='',
        description='Intrinsics of the colour images.',
    ),
    DeclareLaunchArgument(
        'depth_topic',
        default_value='',
        description='Depth images.',
    ),
    DeclareLaunchArgument(
        'depth_info_topic',
        default_value='',
        description='Intrinsics of the depth images.',
    ),
    DeclareLaunchArgument(
        'base_frame',
        default_value='',
        description='Frame of the robot. Empty: as in params_file.',
    ),
    DeclareLaunchArgument(
        'weights',
        default_value='',
        description='CUT3R weights, for cameras without depth. Empty: as in params_file, else the '
        "package's CUT3R-tiny; none: not even that.",
    ),
    DeclareLaunchArgument(
        'device',
        default_value='',
        description='What the networks run on (cpu, cuda, ...). Empty: as in params_file.',
    ),
    DeclareLaunchArgument(
        'vlm_weights',
        default_value='',
        description='Folder of the weights of Loc3R-VLM, for answers in words. Empty: as in '
        "params_file, else the package's Loc3R-tiny; none: no model.",
    ),
    DeclareLaunchArgument(
        'bag',
        default_value='',
        description='Recording to play with its clock. The nodes stay when it ends.',
    ),
    DeclareLaunchArgument(
        'bag_rate',
        default_value='1.0',
        description='Speed of the recording, in times of real time.',
    ),
    DeclareLaunchArgument(
        'bag_loop',
        default_value='1',
        description='How often the recording is played; 0: until interrupted.',
    ),
    DeclareLaunchArgument(
        'rviz',
        default_value='false',
        choices=YES_NO,
        description='Show the results in RViz.',
    ),
    DeclareLaunchArgument(
        'nav2',
        default_value='false',
        choices=YES_NO,
        description='Navigate on the map: nav2.launch.py, whose arguments can be given here too.',
    ),
]


def generate_launch_description():
    """The nodes, and beside them a recording, RViz or Nav2."""
    argument = {declared.name: LaunchConfiguration(declared.name) for declared in ARGUMENTS}
    node = {
        'package': 'loc3r_ros',
        'namespace': argument['namespace'],
        'parameters': [
            ExistingFile(argument['params_file'], 'params_file'),
            GivenParameters(
                *('use_sim_time', 'autostart', 'base_frame', 'use_depth'),
                *('weights', 'device', 'vlm_weights'),
            ),
        ],
        'remappings': [
            ('image', argument['image_topic']),
            ('camera_info', argument['camera_info_topic']),
            ('depth', argument['depth_topic']),
            ('depth_camera_info', argument['depth_info_topic']),
        ],
        'ros_arguments': ['--log-level', argument['log_level']],
        'output': 'screen',
    }
    together = IfCondition(argument['composed'])
    apart = UnlessCondition(argument['composed'])
    recorded = IfCondition(IsGiven('bag'))
    return LaunchDescription(
        [
            *ARGUMENTS,
            SetLaunchConfiguration('use_sim_time', 'true', condition=recorded),
            OpaqueFunction(function=choose_camera_topics),
            Node(executable='bringup', condition=together, **node),
            Node(executable='pose_encoder', condition=apart, **node),
            Node(executable='bev_mapper', condition=apart, **node),
            Node(executable='spatial_vlm', condition=apart, **node),
            Node(
                package='loc3r_ros',
                executable='play',
                arguments=[
                    argument['bag'],
                    *['--rate', argument['bag_rate']],
                    *['--loop', argument['bag_loop']],
                ],
                output='screen',
                condition=recorded,
            ),
            Node(
                package='rviz2',
                executable='rviz2',
                namespace=argument['namespace'],
                arguments=['-d', str(SHARE / 'config' / 'loc3r.rviz')],
                parameters=[{'use_sim_time': argument['use_sim_time']}],
                remappings=[('image', argument['image_topic'])],
                condition=IfCondition(argument['rviz']),
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource([ThisLaunchFileDir(), '/nav2.launch.py']),
                launch_arguments={
                    'map_topic': PathJoinSubstitution(['/', argument['namespace'], 'bev']),
                    'points_topic': PathJoinSubstitution(['/', argument['namespace'], 'points']),
                    'use_sim_time': argument['use_sim_time'],
                    'log_level': argument['log_level'],
                }.items(),
                condition=IfCondition(argument['nav2']),
            ),
        ]
    )
