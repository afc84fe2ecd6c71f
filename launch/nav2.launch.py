# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Nav2 on the map of this package: its own navigation launch with layers that we feed.

There is no AMCL and no map_server: pose_encoder publishes map -> odom, bev_mapper the map.

ros2 launch loc3r_ros nav2.launch.py odom_topic:=/odom
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from loc3r_ros.ros.launching import MergedParameters, ShareOf

SHARE = Path(get_package_share_directory('loc3r_ros'))

ARGUMENTS = [
    DeclareLaunchArgument(
        'map_topic',
        default_value='/loc3r/bev',
        description='Occupancy grid for the static layer.',
    ),
    DeclareLaunchArgument(
        'points_topic',
        default_value='/loc3r/points',
        description='Point cloud for the obstacle and voxel layers.',
    ),
    DeclareLaunchArgument(
        'odom_topic',
        default_value='/odom',
        description="The robot's odometry, for its speed; /loc3r/odometry where it has none.",
    ),
    DeclareLaunchArgument(
        'odom_frame',
        default_value='odom',
        description='Frame of the local costmap; map where the robot has no odometry.',
    ),
    DeclareLaunchArgument(
        'nav2_params_file',
        default_value='',
        description='Your parameters of Nav2 (robot_radius, speeds, ...). They go before those of '
        'config/nav2.yaml, and these before the defaults of nav2_bringup.',
    ),
    DeclareLaunchArgument(
        'use_sim_time',
        default_value='false',
        choices=['true', 'false'],
        description='Take the time from /clock.',
    ),
    DeclareLaunchArgument(
        'log_level',
        default_value='info',
        choices=['debug', 'info', 'warn', 'error'],
        description='Least severity that Nav2 logs.',
    ),
]


def generate_launch_description():
    """nav2_bringup's navigation, with our parameters."""
    nav2 = ShareOf('nav2_bringup')
    return LaunchDescription(
        [
            *ARGUMENTS,
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource([nav2, '/launch/navigation_launch.py']),
                # All that might otherwise come from a launch file around this one.
                launch_arguments={
                    'namespace': '',
                    'params_file': MergedParameters(
                        [nav2, '/params/nav2_params.yaml'],
                        str(SHARE / 'config' / 'nav2.yaml'),
                        LaunchConfiguration('nav2_params_file'),
                    ),
                    'use_sim_time': LaunchConfiguration('use_sim_time'),
                    'autostart': 'true',
                    'log_level': LaunchConfiguration('log_level'),
                }.items(),
            ),
        ]
    )
