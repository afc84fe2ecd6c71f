# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""TF in and out: the mount, odometry at an image's stamp, time that falls back, one parent each."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest
from rclpy.parameter import Parameter as RosParameter
from ros.harness import LATCHED
from tf2_msgs.msg import TFMessage

from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, invert, pose
from loc3r_ros.ingest.mount import Mount
from loc3r_ros.ros.conversion import SteadyQuaternion, matrix_of, messages
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.map_transform import MapTransform
from loc3r_ros.ros.pose_table import TABLE
from loc3r_ros.ros.tf import TfTree

S = 10**9
T_BASE_CAMERA = pose(exp_so3([0, 0.2, 0.1]), [0.1, 0.02, 0.3]) @ T_BODY_OPTICAL
T_FOOT_BASE = pose(np.eye(3), [0, 0, 0.1])


class Listener(Stage):
    def __init__(self, **options) -> None:
        super().__init__('listener', TABLE, **options)

    def activate(self) -> None:
        self.tf = TfTree(self)
        self.transform = MapTransform(self, self.tf)


@pytest.fixture
def make(ros):
    def listener(**values) -> Listener:
        overrides = [RosParameter(name, value=value) for name, value in values.items()]
        node = Listener(parameter_overrides=overrides)
        assert node.start()
        ros.spin(node)
        return node

    return listener


def moved(x: float, yaw: float = 0.0) -> np.ndarray:
    return pose(exp_so3([0, 0, yaw]), [x, 0, 0])


class Robot:
    """Publishes the TF of a robot."""

    def __init__(self, ros) -> None:
        self._ros = ros

    def has(self, *links: tuple[str, str, np.ndarray]) -> None:
        make = messages()
        message = make.tf(*(make.transform_stamped(0, *link) for link in links))
        self._ros.publish('/tf_static', message, LATCHED)

    def stands(self, stamp_ns: int, T: np.ndarray, parent='odom', child='base_link') -> None:
        transform = messages().transform_stamped(stamp_ns, parent, child, T)
        # The test's own listener may be there too; the node's must be.
        self._ros.publish('/tf', messages().tf(transform), 100)


@pytest.fixture
def robot(ros):
    return Robot(ros)


def test_the_mount_is_that_of_the_static_tree(ros, make, robot):
    tf = make().tf
    assert tf.mount('camera', 'base_link') is None
    robot.has(('base_link', 'camera_link', T_BASE_CAMERA @ invert(T_BODY_OPTICAL)))
    robot.has(('camera_link', 'camera', T_BODY_OPTICAL))
    mount = ros.wait_for(lambda: tf.mount('camera', 'base_link'))
    np.testing.assert_allclose(mount.T_base_camera, T_BASE_CAMERA, atol=1e-12)
    assert mount.on_robot
    offline = Mount.find(tf.static, 'camera', 'base_link')
    assert (offline.T_base_camera == mount.T_base_camera).all()
    np.testing.assert_allclose(
        tf.lookup('/camera', '/base_link'), invert(T_BASE_CAMERA), atol=1e-12
    )
    assert tf.mount('camera', 'other_base') is None
    assert tf.root('camera')[0] == 'base_link'


def test_moving_transforms_at_a_time(ros, make, robot):
    tf = make().tf
    assert tf.lookup('odom', 'base_link') is None
    robot.stands(10 * S, moved(1.0, 0.0))
    robot.stands(11 * S, moved(2.0, 0.4))
    robot.has(('base_link', 'camera', T_BASE_CAMERA))
    ros.wait_for(lambda: tf.lookup('odom', 'camera', 11 * S) is not None)
    found = tf.lookup('odom', 'base_link', 10 * S + S // 4)
    np.testing.assert_allclose(found, moved(1.25, 0.1), atol=1e-9)
    np.testing.assert_allclose(tf.lookup('odom', 'base_link'), moved(2.0, 0.4), atol=1e-9)
    assert tf.lookup('odom', 'base_link', 12 * S) is None
    assert tf.lookup('odom', 'base_link', 9 * S) is None
    np.testing.assert_allclose(
        tf.lookup('odom', 'camera', 11 * S), moved(2.0, 0.4) @ T_BASE_CAMERA, atol=1e-9
    )


def test_a_looped_recording_never_meets_old_data(ros, make, robot, capfd):
    tf = make().tf
    for _ in range(3):
        for second in range(10, 40):
            robot.stands(second * S, moved(second))
        ros.wait_for(lambda: tf.lookup('odom', 'base_link', 39 * S) is not None)
        robot.stands(10 * S, moved(10.0))
        robot.stands(11 * S, moved(11.0))
        ros.wait_for(lambda: tf.lookup('odom', 'base_link', 11 * S) is not None)
        assert tf.lookup('odom', 'base_link', 39 * S) is None, 'emptied'
    assert 'TF_OLD_DATA' not in capfd.readouterr().err
    # A publisher of its own that is far behind empties nothing.
    robot.stands(5 * S, moved(0.0), 'map', 'slow')
    robot.stands(12 * S, moved(12.0))
    ros.wait_for(lambda: tf.lookup('odom', 'base_link', 12 * S) is not None)
    assert tf.lookup('odom', 'base_link', 11 * S) is not None


def test_what_is_later_than_the_time_fallen_back_to_is_forgotten(ros, make, robot):
    node = make()
    robot.stands(30 * S, moved(1.0))
    ros.wait_for(lambda: node.tf.lookup('odom', 'base_link') is not None)
    node.tf.fall_back(29 * S + S // 2)
    assert node.tf.lookup('odom', 'base_link') is not None
    node.tf.fall_back(10 * S)
    assert node.tf.lookup('odom', 'base_link') is None


def sent(ros) -> list:
    """(stamp ns, parent, child, T) of what the node publishes."""
    found: list = []

    def take(message) -> None:
        for t in message.transforms:
            if t.header.frame_id == 'map':
                stamp = t.header.stamp.sec * S + t.header.stamp.nanosec
                found.append((stamp, t.header.frame_id, t.child_frame_id, matrix_of(t.transform)))

    ros.node.create_subscription(TFMessage, '/tf', take, 100)
    ros.wait_for(lambda: ros.node.count_publishers('/tf') >= 1)
    return found


def test_odometry_is_corrected_at_the_stamp_of_the_image(ros, make, robot):
    node, tfs = make(), sent(ros)
    robot.has(('base_footprint', 'base_link', T_FOOT_BASE))
    robot.stands(10 * S, moved(1.0), child='base_footprint')
    robot.stands(11 * S, moved(2.0), child='base_footprint')
    ros.wait_for(lambda: node.tf.lookup('odom', 'base_link', 11 * S) is not None)
    T_map_base = moved(5.0, 1.0) @ T_FOOT_BASE
    node.transform.send(10 * S + S // 2, T_map_base, 'base_link')
    ros.wait_for(lambda: tfs)
    stamp, _, child, T = tfs[0]
    assert (stamp, child) == (10 * S + S // 2, 'odom')
    np.testing.assert_allclose(T @ moved(1.5) @ T_FOOT_BASE, T_map_base, atol=1e-9)


def test_late_odometry_is_waited_for_and_given_up(ros, make, robot):
    node, tfs = make(tf_tolerance_s=0.3), sent(ros)
    robot.stands(10 * S, moved(1.0))
    ros.wait_for(lambda: node.tf.lookup('odom', 'base_link') is not None)
    node.transform.send(11 * S, moved(4.0), 'base_link')
    node.transform.send(12 * S, moved(5.0), 'base_link')
    sleep(0.1)
    assert not tfs, 'odometry of the image is not there yet'
    robot.stands(11 * S, moved(2.0))
    ros.wait_for(lambda: tfs)
    np.testing.assert_allclose(tfs[0][3], moved(2.0), atol=1e-9)
    sleep(0.4)
    node.transform.send(13 * S, moved(6.0), 'base_link')
    robot.stands(13 * S, moved(3.0))
    ros.wait_for(lambda: len(tfs) == 2)
    assert [stamp // S for stamp, *_ in tfs] == [11, 13], 'that of 12 s came too late'


def test_without_odometry_the_top_of_the_robots_tree_is_placed(ros, make, robot):
    node, tfs = make(tf_wait_s=0.2), sent(ros)
    robot.has(('base_footprint', 'base_link', T_FOOT_BASE))
    ros.wait_for(lambda: node.tf.root('base_link')[0] == 'base_footprint')
    node.transform.send(10 * S, moved(1.0), 'base_link')
    sleep(0.25)
    assert not tfs, 'odometry may still come'
    node.transform.send(11 * S, moved(1.0) @ T_FOOT_BASE, 'base_link')
    ros.wait_for(lambda: tfs)
    assert [t[:3] for t in tfs] == [(11 * S, 'map', 'base_footprint')]
    np.testing.assert_allclose(tfs[0][3], moved(1.0), atol=1e-9)


def test_no_frame_gets_a_second_parent(ros, make, robot):
    node, tfs = make(tf_wait_s=0.0), sent(ros)
    robot.has(('map', 'odom', np.eye(4)))
    robot.stands(10 * S, moved(1.0))
    ros.wait_for(lambda: node.tf.lookup('map', 'base_link') is not None)
    before = len(tfs)
    for _ in range(2):
        node.transform.send(10 * S, moved(1.0), 'base_link')
    told = ros.wait_for(lambda: ros.logged('odom has a parent already', level=40))
    sleep(0.1)
    assert len(told) == len(ros.logged('odom has a parent already')) == 1
    assert 'publish_tf:=false' in told[0].text
    assert len(tfs) == before


def test_a_robot_that_is_fixed_to_the_map_is_not_placed_again(ros, make, robot):
    node, tfs = make(tf_wait_s=0.0), sent(ros)
    robot.has(('map', 'base_link', np.eye(4)))
    ros.wait_for(lambda: node.tf.root('base_link')[0] == 'map')
    node.transform.send(10 * S, moved(1.0), 'base_link')
    ros.wait_for(lambda: ros.logged('base_link has a parent already', level=40))
    assert tfs == []


def test_transforms_can_be_switched_off_and_on_again(ros, make, robot):
    node, tfs = make(tf_wait_s=0.0), sent(ros)
    for stamp, on in ((1, True), (2, False), (3, True)):
        node.set_parameters([RosParameter('publish_tf', value=on)])
        node.transform.send(stamp * S, moved(1.0), 'base_link')
    ros.wait_for(lambda: len(tfs) == 2)
    assert [stamp // S for stamp, *_ in tfs] == [1, 3]


def test_the_sign_of_a_quaternion_does_not_flip():
    steady, before = SteadyQuaternion(), None
    for yaw in np.linspace(0, 4 * np.pi, 100):
        message = messages().pose(moved(0.0, yaw))
        steady.keep(message.orientation)
        q = message.orientation
        now = np.array([q.x, q.y, q.z, q.w])
        np.testing.assert_allclose(
            now[2:] * np.sign(now @ [0, 0, np.sin(yaw / 2), np.cos(yaw / 2)]),
            [np.sin(yaw / 2), np.cos(yaw / 2)],
            atol=1e-9,
        )
        if before is not None:
            assert now @ before > 0.9
        before = now
