# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Nav2's own costmap on our map and points, with our parameters; where nav2_costmap_2d is."""

from __future__ import annotations

import os
import random
import unittest
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import launch_testing
import numpy as np
import pytest
import yaml
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node
from launch_testing.actions import ReadyToTest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from listener import Listener
from nav_msgs.msg import OccupancyGrid
from recorded_drive import record

SHARE = Path(get_package_share_directory('loc3r_ros'))
ARGUMENTS = {'map_topic': '/loc3r/bev', 'points_topic': '/loc3r/points', 'odom_frame': 'map'}
COSTMAPS = {'global_costmap': 'static', 'local_costmap': 'rolling'}
"""Sections of nav2.yaml, and the names under which they are tested."""


def parameters(section: str, folder: Path) -> str:
    """A file with what config/nav2.yaml and nav2_bringup would set for a costmap."""
    text = (SHARE / 'config/nav2.yaml').read_text()
    for name, value in ARGUMENTS.items():
        text = text.replace(f'$(var {name})', value)
    inflation = {'plugin': 'nav2_costmap_2d::InflationLayer', 'inflation_radius': 0.3}
    values = {
        **yaml.safe_load(text)[section][section]['ros__parameters'],
        **{'resolution': 0.05, 'robot_radius': 0.2, 'inflation_layer': inflation},
        **{'update_frequency': 2.0, 'publish_frequency': 2.0, 'always_send_full_costmap': True},
        **{'rolling_window': section == 'local_costmap', 'width': 6, 'height': 6},
    }
    file = folder / f'{section}.yaml'
    file.write_text(yaml.safe_dump({'/**': {'ros__parameters': values}}))
    return str(file)


@pytest.mark.launch_test
def generate_test_description() -> tuple[LaunchDescription, dict[str, Any]]:
    """A robot that drives the same way again and again, and two costmaps beside it."""
    os.environ['ROS_DOMAIN_ID'] = str(random.randint(1, 101))
    folder = Path(mkdtemp())
    record(folder / 'bag')
    bringup = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / 'launch/bringup.launch.py')),
        launch_arguments={'bag': str(folder / 'bag'), 'bag_rate': '0.3', 'bag_loop': '0'}.items(),
    )
    costmaps = [
        Node(
            package='nav2_costmap_2d',
            executable='nav2_costmap_2d',
            namespace=name,
            parameters=[parameters(section, folder), {'use_sim_time': True}],
        )
        for section, name in COSTMAPS.items()
    ]
    return LaunchDescription([bringup, *costmaps, ReadyToTest()]), {'listener': Listener()}


class TestCostmap(unittest.TestCase):
    """While the robot drives."""

    def test_the_costmaps_hold_our_obstacles(self, listener: Listener, proc_output: Any) -> None:
        # Not before there is a clock, or the costmaps have waited for TF since 1970.
        assert listener.wait_for('/tf', 5)
        for name in COSTMAPS.values():
            for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
                request = ChangeState.Request(transition=Transition(id=transition))
                assert listener.call(f'/{name}/costmap/change_state', ChangeState, request).success
        self.holds_the_map(listener)
        self.marks_and_clears(listener)
        said = ' '.join(
            event.text.decode()
            for name in proc_output.process_names()
            if 'costmap' in name
            for event in proc_output[name]
        )
        assert 'Initialized plugin "static_layer"' in said
        for complaint in ('ERROR', 'malformed', 'incompatible QoS', 'Robot is out of bounds'):
            assert complaint not in said, said

    def holds_the_map(self, listener: Listener) -> None:
        """The static layer has our obstacles, cell by cell, but for what came since."""
        ours = listener.latched(
            '/loc3r/bev', OccupancyGrid, lambda grid: len(lethal_cells(grid)) > 300
        )

        def holds_ours(grid: Any) -> bool:
            shared = lethal_cells(grid) & lethal_cells(ours)
            return len(shared) > 0.9 * len(lethal_cells(ours))

        listener.latched('/static/costmap', OccupancyGrid, holds_ours)

    def marks_and_clears(self, listener: Listener) -> None:
        """The voxel layer has walls, and free space between them and the robot."""
        grid = listener.latched(
            '/rolling/costmap', OccupancyGrid, lambda grid: len(lethal_cells(grid)) > 100
        )
        assert cells(grid).shape == (120, 120)
        assert np.count_nonzero(cells(grid) == 0) > 3000


def cells(grid: Any) -> np.ndarray:
    return np.array(grid.data, np.int8).reshape(grid.info.height, grid.info.width)


def lethal_cells(grid: Any) -> set[tuple[int, int]]:
    """Row and column, counted from the origin of the map."""
    corner = grid.info.origin.position
    offset = np.round(np.array([corner.y, corner.x]) / 0.05).astype(int)
    return set(map(tuple, np.argwhere(cells(grid) == 100) + offset))


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """After SIGINT."""

    def test_we_end_with_zero(self, proc_info: Any, listener: Listener) -> None:
        listener.close()
        for process in ('bringup', 'play'):
            launch_testing.asserts.assertExitCodes(proc_info, process=process)
