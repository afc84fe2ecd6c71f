# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that maps: alone from topics, by reference in one process, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
from box_room import circle, frame_at
from loc3r_ros.msg import PoseToken
from nav2_msgs.srv import SaveMap
from nav_msgs.msg import OccupancyGrid
from ros.harness import LATCHED

from loc3r_ros.localizer import Localizer
from loc3r_ros.mapping.map_file import load_map
from loc3r_ros.mapping.mapper import Mapper
from loc3r_ros.ros.bev_mapper import BevMapper
from loc3r_ros.ros.bus import Posed
from loc3r_ros.ros.conversion import STATE_NUMBERS, messages
from loc3r_ros.ros.scan_input import scan_of

WALK = circle()[:6]
CAMERA = 'camera_optical'


@pytest.fixture(scope='module')
def posed() -> list[Posed]:
    """A few steps in the box room, 0.1 s apart from second 5 on."""
    localizer = Localizer()
    frames = [frame_at(T, 5.0 + 0.1 * i) for i, T in enumerate(WALK)]
    return [Posed(round(f.stamp * 1e9), CAMERA, localizer.step(f)) for f in frames]


def expected_grid(posed: list[Posed]) -> np.ndarray:
    mapper = Mapper()
    for one in posed:
        mapper.step(one.step.scan)
    return mapper.grid().data


def token_of(posed: Posed):
    make, step = messages(), posed.step
    token = PoseToken()
    token.header = make.header(posed.stamp_ns, posed.camera_frame)
    token.map_frame = 'map'
    token.epoch = step.epoch
    token.state = STATE_NUMBERS[step.pose.state]
    token.pose.pose = make.pose(step.pose.T_map_camera)
    token.floor_height = float('nan') if step.floor_height is None else step.floor_height
    return token


def cloud_of(posed: Posed):
    step = posed.step
    return messages().point_cloud(
        posed.stamp_ns, posed.camera_frame, step.points_camera, step.colors
    )


def mapper_node(ros, **options) -> BevMapper:
    node = BevMapper(namespace='/loc3r', **options)
    node.start()
    ros.spin(node)
    return node


def cells(message) -> np.ndarray:
    return np.array(message.data, np.int8).reshape(message.info.height, message.info.width)


def scans(node: BevMapper) -> int:
    return node.status()[0].values['scans']


def test_by_reference_the_map_is_the_pipelines(ros, posed):
    node = mapper_node(ros, composed=True)
    for count, one in enumerate(posed, 1):
        node.take(one)
        ros.wait_for(lambda count=count: scans(node) == count)
    want = expected_grid(posed)
    grids = ros.collect('/loc3r/bev', OccupancyGrid, LATCHED)
    ros.wait_for(lambda: grids and grids[-1].header.stamp.nanosec == 500_000_000)
    last = grids[-1]
    np.testing.assert_array_equal(cells(last), want)
    assert (last.header.frame_id, last.header.stamp.sec) == ('map', 5)
    assert (want == 100).sum() > 100
    assert last.info.resolution == pytest.approx(0.05)
    assert last.info.origin.position.x / 0.05 == pytest.approx(
        round(last.info.origin.position.x / 0.05), abs=1e-6
    )


def test_alone_clouds_and_poses_of_topics_give_the_same(ros, posed):
    node = mapper_node(ros)
    for count, one in enumerate(posed, 1):
        ros.publish('/loc3r/pose_token', token_of(one))
        ros.publish('/loc3r/points', cloud_of(one))
        ros.wait_for(lambda count=count: scans(node) == count)  # one slot: the newest would win
    grids = ros.collect('/loc3r/bev', OccupancyGrid, LATCHED)
    ros.wait_for(lambda: grids and grids[-1].header.stamp.nanosec == 500_000_000)
    np.testing.assert_array_equal(cells(grids[-1]), expected_grid(posed))


def test_scan_of_messages_is_the_steps(ros, posed):
    want, got = posed[3].step.scan, scan_of(cloud_of(posed[3]), token_of(posed[3]))
    np.testing.assert_array_equal(got.points_camera, want.points_camera)
    np.testing.assert_allclose(got.T_map_camera, want.T_map_camera, atol=1e-12)
    assert (got.state, got.epoch, got.floor_height) == (want.state, 0, want.floor_height)


def test_who_joins_late_gets_the_map(ros, posed):
    node = mapper_node(ros, composed=True)
    early = ros.collect('/loc3r/bev', OccupancyGrid, LATCHED)
    node.take(posed[0])
    ros.wait_for(lambda: early)
    late = ros.collect('/loc3r/bev', OccupancyGrid, LATCHED)
    ros.wait_for(lambda: late)
    np.testing.assert_array_equal(cells(late[0]), cells(early[-1]))


def test_a_new_epoch_empties_the_map_at_once(ros, posed):
    node = mapper_node(ros, composed=True)
    grids = ros.collect('/loc3r/bev', OccupancyGrid, LATCHED)
    node.take(posed[0])
    ros.wait_for(lambda: grids and (cells(grids[-1]) == 100).any())
    localizer = Localizer()
    localizer.reset()
    nothing = frame_at(WALK[0], 1.0, depth=False)
    node.take(Posed(10**9, CAMERA, localizer.step(nothing)))
    ros.wait_for(lambda: grids[-1].header.stamp.sec == 1)
    assert (cells(grids[-1]) == -1).all()
    assert cells(grids[-1]).size > 0


def test_the_map_is_saved_for_map_server(ros, posed, tmp_path):
    node = mapper_node(ros, composed=True)
    for one in posed:
        node.take(one)
    ros.wait_for(lambda: node.grid() is not None and node.grid().stamp > 5.45)
    request = SaveMap.Request(map_url=f'file://{tmp_path}/room.yaml')
    assert ros.call('/loc3r/save_map', SaveMap, request).result is True
    np.testing.assert_array_equal(load_map(tmp_path / 'room.yaml').data, expected_grid(posed))


@pytest.mark.parametrize(
    ('fields', 'says'),
    [
        ({'map_url': ''}, 'give a path'),
        ({'map_url': '/tmp/m', 'image_format': 'png'}, 'allowed are pgm'),
        ({'map_url': '/tmp/m'}, 'nothing was mapped'),
    ],
)
def test_a_map_that_cannot_be_saved_is_refused_with_the_reason(ros, fields, says):
    mapper_node(ros, composed=True)
    assert ros.call('/loc3r/save_map', SaveMap, SaveMap.Request(**fields)).result is False
    ros.wait_for(lambda: ros.logged(says))


def test_the_map_goes_with_a_saved_state(ros, posed, tmp_path):
    node = mapper_node(ros, composed=True)
    for one in posed:
        node.take(one)
    ros.wait_for(lambda: node.grid().stamp > 5.45)
    node.save(tmp_path)
    node.trigger_deactivate()
    assert node.grid() is None
    node.trigger_activate()
    node.adopt(tmp_path, epoch=7)
    np.testing.assert_array_equal(node.grid().data, expected_grid(posed))
    (report,) = node.status()
    assert (report.values['epoch'], report.values['scans']) == (7, len(posed))


def test_a_setting_out_of_range_is_told_by_name(ros):
    node = BevMapper(namespace='/loc3r')
    results = node.set_parameters([_parameter('resolution_m', 3.0)])
    assert not results[0].successful
    assert '0.01' in results[0].reason
    node.destroy_node()


def _parameter(name: str, value: float):
    from rclpy.parameter import Parameter

    return Parameter(name, value=value)
