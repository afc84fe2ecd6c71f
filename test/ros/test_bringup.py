# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The three nodes in one process: what one sees the others map and answer from."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from loc3r_ros.msg import Status
from loc3r_ros.srv import Ask, Localize
from nav_msgs.msg import OccupancyGrid
from rclpy.executors import MultiThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from ros.box_camera import T_BASE_CAMERA, BoxCamera, shot
from ros.harness import LATCHED
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker, MarkerArray

from loc3r_ros.pipeline import Pipeline
from loc3r_ros.ros import bringup
from loc3r_ros.ros.conversion import stamp_ns

FRAMES = 8


class Robot:
    """The nodes, and what they publish."""

    def __init__(self, ros, state_folder) -> None:
        self.ros = ros
        self.nodes = bringup.nodes()
        *others, self.encoder = self.nodes
        self.encoder.set_parameters([Parameter('state_folder', value=str(state_folder))])
        self.grids = ros.collect('/bev', OccupancyGrid, LATCHED)
        self.statuses = ros.collect(
            '/status', Status, QoSProfile(depth=100, durability=LATCHED.durability)
        )
        for node in self.nodes:
            assert node.start(), node.refusal
        ros.spin(*[n for n in self.nodes if n.threads == 1])
        for node in others:
            if node.threads > 1:
                ros.spin(node, executor=MultiThreadedExecutor(node.threads))
        self.camera = BoxCamera(ros)
        self.camera.mount()

    def sees(self, indices) -> int:
        """Show frames one by one; returns the stamp of the last."""
        for index in indices:
            stamp = self.camera.show(index)
            self.ros.wait_for(
                lambda stamp=stamp: (
                    self.nodes[0].scene.sight and self.nodes[0].scene.sight.stamp_ns == stamp
                )
            )
        return stamp

    def map_of(self, stamp: int) -> np.ndarray:
        """The cells of the grid with this stamp."""
        self.ros.wait_for(lambda: self.grids and stamp_ns(self.grids[-1]) == stamp, what='bev')
        last = self.grids[-1]
        return np.array(last.data, np.int8).reshape(last.info.height, last.info.width)


@pytest.fixture
def robot(ros, tmp_path) -> Robot:
    return Robot(ros, tmp_path / 'state')


def offline(indices) -> tuple[np.ndarray, np.ndarray]:
    """Last T_map_camera and cells of the pipeline."""
    pipeline = Pipeline(T_base_camera=T_BASE_CAMERA)
    for index in indices:
        step = pipeline.step(shot(index))
    return step.pose.T_map_camera, pipeline.grid().data


def test_pose_map_and_answer_are_of_one_stream(ros, robot):
    stamp = robot.sees(range(FRAMES))
    T_map_camera, cells = offline(range(FRAMES))
    np.testing.assert_array_equal(robot.map_of(stamp), cells)
    here = ros.call('/localize', Localize)
    assert here.success
    assert stamp_ns(here.pose) == stamp
    position = here.pose.pose.pose.position
    assert (position.x, position.y) == pytest.approx(tuple(T_map_camera[:2, 3]), abs=1e-6)
    told = ros.call('/ask', Ask, Ask.Request(question='What colour is the sofa?'))
    assert not told.success
    assert 'no model loaded' in told.message


def test_a_recording_that_loops_empties_the_map_and_the_display(ros, robot):
    markers = ros.collect('/markers', MarkerArray, LATCHED)
    robot.sees(range(20))
    stamp = robot.sees([0])
    ros.wait_for(lambda: markers and markers[-1].markers[-1].action == Marker.DELETEALL)
    _, cells = offline([0])
    np.testing.assert_array_equal(robot.map_of(stamp), cells)
    assert [s.epoch for s in robot.statuses][-1] == 1


def test_the_map_goes_with_the_state(ros, robot):
    before = robot.map_of(robot.sees(range(FRAMES)))
    assert ros.call('/save_state', Trigger).success
    assert ros.call('/reset_state', Trigger).success
    robot.map_of(robot.sees([30]))
    answer = ros.call('/load_state', Trigger)
    assert answer.success, answer.message
    ros.wait_for(lambda: robot.nodes[1].grid().data.shape == before.shape)
    np.testing.assert_array_equal(robot.nodes[1].grid().data, before)
    ros.wait_for(lambda: robot.statuses[-1].state == Status.LOST)
    robot.sees([31, FRAMES])  # an unknown place, then one it knows
    ros.wait_for(lambda: robot.statuses[-1].state == Status.TRACKING)


def test_each_part_reports_its_health(ros, robot):
    arrays = ros.collect('/diagnostics', DiagnosticArray)
    robot.sees(range(3))

    def levels() -> dict[str, bytes]:
        return {s.name: s.level for a in arrays[-6:] for s in a.status}

    parts = {'loc3r: input', 'loc3r: encoder', 'loc3r: map', 'loc3r: vlm'}
    ros.wait_for(lambda: parts <= levels().keys() and set(levels().values()) == {b'\0'})


def test_ten_lives_of_the_nodes_leave_the_memory_as_it_was(ros, robot):
    """Configure, activate, work, deactivate, clean up."""

    def change(*transitions: int) -> None:
        for node in robot.nodes:
            for transition in transitions:
                request = ChangeState.Request(transition=Transition(id=transition))
                assert ros.call(f'/{node.get_name()}/change_state', ChangeState, request).success

    sizes = []
    # What lives is counted: the memory of the process wanders by 20 MB as the allocator pleases.
    tracemalloc.start()
    try:
        for _ in range(12):
            robot.camera.mount()
            robot.sees(range(3))
            change(Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
            for heard in (robot.grids, robot.statuses):
                heard.clear()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
            change(Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[1] < 1e6, sizes
