# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The whole bringup on a short recording, in one process and in three."""

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
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing.actions import ReadyToTest
from listener import Listener
from loc3r_ros.msg import Status
from loc3r_ros.srv import Localize
from nav_msgs.msg import OccupancyGrid
from recorded_drive import FRAMES, record

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.cli import main


@pytest.mark.launch_test
@launch_testing.parametrize('composed', ['true', 'false'])
def generate_test_description(composed: str) -> tuple[LaunchDescription, dict[str, Any]]:
    """Listen first, then start everything."""
    os.environ['ROS_DOMAIN_ID'] = str(random.randint(1, 101))
    folder = Path(mkdtemp())
    record(folder / 'bag')
    main(['run', str(folder / 'bag'), '-o', str(folder / 'out')])
    share = Path(get_package_share_directory('loc3r_ros'))
    bringup = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share / 'launch/bringup.launch.py')),
        # Slowly, for a machine that does much else.
        launch_arguments={
            'bag': str(folder / 'bag'),
            'bag_rate': '0.3',
            'composed': composed,
            # As in a checkout without the package's own weights.
            **{'weights': 'none', 'vlm_weights': 'none'},
        }.items(),
    )
    context = {'listener': Listener(), 'offline': poses_of(folder / 'out/bag')}
    return LaunchDescription([bringup, ReadyToTest()]), context


def poses_of(bag: Path) -> dict[int, tuple[float, float, float]]:
    """Positions that `loc3r run` found, by stamp."""
    with BagReader(bag) as reader:
        return dict(placed(reader.decode(raw)) for raw in reader.read(['/loc3r/pose']))


def placed(message: Any) -> tuple[int, tuple[float, float, float]]:
    stamp, at = message.header.stamp, message.pose.pose.position
    return stamp.sec * 10**9 + stamp.nanosec, (at.x, at.y, at.z)


class TestBringup(unittest.TestCase):
    """While the nodes run; the recording may have ended."""

    def test_every_pose_is_that_of_the_run_without_ros(
        self, listener: Listener, offline: dict[int, tuple[float, float, float]]
    ) -> None:
        live = dict(placed(message) for message in listener.wait_for('/loc3r/pose', FRAMES))
        assert len(offline) == FRAMES
        assert live.keys() == offline.keys()
        off = [np.linalg.norm(np.subtract(live[t], offline[t])) for t in offline]
        assert max(off) < 1e-3
        assert all(m.header.frame_id == 'map' for m in listener.heard['/loc3r/pose'])

    def test_odometry_and_tf_say_the_same_as_the_pose(self, listener: Listener) -> None:
        poses = dict(map(placed, listener.wait_for('/loc3r/pose', FRAMES)))
        assert dict(map(placed, listener.wait_for('/loc3r/odometry', FRAMES))) == poses
        # None for the first images, before it is known that there is no odometry.
        sent = [t for message in listener.heard['/tf'] for t in message.transforms]
        assert len(sent) >= FRAMES // 2
        assert {(t.header.frame_id, t.child_frame_id) for t in sent} == {('map', 'base_link')}
        for transform in sent:
            stamp, shift = transform.header.stamp, transform.transform.translation
            at = poses[stamp.sec * 10**9 + stamp.nanosec]
            assert np.allclose(at, (shift.x, shift.y, shift.z), atol=1e-9)

    def test_who_joins_late_gets_the_map_and_the_status(self, listener: Listener) -> None:
        listener.wait_for('/loc3r/pose', FRAMES)
        grid = listener.latched('/loc3r/bev', OccupancyGrid)
        info, cells = grid.info, np.array(grid.data, np.int8)
        assert grid.header.frame_id == 'map'
        assert cells.size == info.width * info.height > 0
        assert info.resolution == pytest.approx(0.05)
        for corner in (info.origin.position.x, info.origin.position.y):
            assert corner / 0.05 == pytest.approx(round(corner / 0.05), abs=1e-6)
        assert np.count_nonzero(cells == 0) > 100
        assert np.count_nonzero(cells == 100) > 10
        status = listener.latched('/loc3r/status', Status)
        assert (status.epoch, status.state) == (0, Status.TRACKING)

    def test_the_status_counts_every_image(self, listener: Listener) -> None:
        listener.wait_for('/loc3r/pose', FRAMES)
        listener.wait_for('/diagnostics', len(listener.heard['/diagnostics']) + 4)
        status = listener.latched('/loc3r/status', Status)
        assert (status.frames, status.dropped, status.late) == (FRAMES, 0, 0)
        assert status.state_age == pytest.approx(0.1 * (FRAMES - 1))
        assert status.engine == 'depth only'

    def test_the_camera_is_localized_without_a_model(self, listener: Listener) -> None:
        last = listener.wait_for('/loc3r/pose', FRAMES)[-1]
        answer = listener.call('/loc3r/localize', Localize, Localize.Request(situation=''))
        assert answer.success, answer.message
        found = answer.pose.pose.pose.position
        # The agent is the camera, 0.2 m before the middle of the robot.
        at = last.pose.pose.position
        assert np.hypot(found.x - at.x, found.y - at.y) == pytest.approx(0.2, abs=0.02)

    def test_every_part_tells_of_its_health(self, listener: Listener) -> None:
        listener.wait_for('/diagnostics', 3)
        names = {status.name for m in listener.heard['/diagnostics'] for status in m.status}
        assert {'loc3r: encoder', 'loc3r: map', 'loc3r: vlm'} <= names


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """After SIGINT to all that still ran."""

    def test_every_process_ends_with_zero(self, proc_info: Any, listener: Listener) -> None:
        listener.close()
        launch_testing.asserts.assertExitCodes(proc_info)
        ended = {name.rstrip('-0123456789') for name in proc_info.process_names()}
        assert ended in (
            {'play', 'bringup'},
            {'play', 'pose_encoder', 'bev_mapper', 'spatial_vlm'},
        )
