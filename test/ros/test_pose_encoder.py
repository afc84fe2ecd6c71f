# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that localizes: it publishes what the localizer says, whatever happens around it."""

from __future__ import annotations

from time import monotonic, sleep

import numpy as np
import pytest
from box_room import CAMERA
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from loc3r_ros.msg import Status
from nav_msgs.msg import Odometry, Path
from ros.box_camera import OPTICAL, T_BASE_CAMERA, BoxCamera, shot, stamp_of
from ros.localizing import Watcher, by_stamp, offline, start_encoder
from sensor_msgs.msg import CameraInfo, PointCloud2
from sensor_msgs_py.point_cloud2 import read_points
from tf2_msgs.msg import TFMessage

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import invert
from loc3r_ros.ingest.mount import moved_covariance
from loc3r_ros.ingest.transforms import pose_matrix, transform_matrix
from loc3r_ros.ros.conversion import messages, stamp_ns

S = 10**9


@pytest.fixture
def make(ros, tmp_path):
    return lambda **values: start_encoder(ros, tmp_path, **values)


def test_poses_are_those_of_the_localizer(ros, make):
    make()
    watcher, camera = Watcher(ros), BoxCamera(ros)
    poses = ros.collect('/pose', PoseWithCovarianceStamped, 100)
    odometry = ros.collect('/odometry', Odometry, 100)
    clouds = ros.collect('/points', PointCloud2, 100)
    camera.mount()
    watcher.walks(camera, range(6))
    want = offline(range(6))
    ros.wait_for(lambda: len(poses) == len(odometry) == len(clouds) == 6)
    poses, odometry, clouds = by_stamp(poses), by_stamp(odometry), by_stamp(clouds)
    for token in watcher.tokens:
        stamp = stamp_ns(token)
        step = want[stamp]
        np.testing.assert_allclose(pose_matrix(token.pose.pose), step.pose.T_map_camera, atol=1e-9)
        T_map_base = step.pose.T_map_camera @ invert(T_BASE_CAMERA)
        np.testing.assert_allclose(pose_matrix(poses[stamp].pose.pose), T_map_base, atol=1e-9)
        covariance = moved_covariance(step.pose.covariance, step.pose.T_map_camera, T_map_base)
        given = np.reshape(poses[stamp].pose.covariance, (6, 6))
        np.testing.assert_allclose(given, covariance, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(pose_matrix(odometry[stamp].pose.pose), T_map_base, atol=1e-9)
        points = read_points(clouds[stamp], field_names=['x', 'y', 'z'])
        np.testing.assert_array_equal(points['x'].reshape(-1), step.points_camera[:, 0])
        assert (token.index, token.epoch, token.state) == (step.index, 0, Status.TRACKING)
        assert token.keyframe == (step.pose.keyframe is not None)
    assert (poses[stamp].header.frame_id, clouds[stamp].header.frame_id) == ('map', OPTICAL)
    assert (token.header.frame_id, token.map_frame) == (OPTICAL, 'map')
    assert odometry[stamp].child_frame_id == 'base_link'
    assert max(np.linalg.norm(s.pose.T_map_camera[:3, 3]) for s in want.values()) > 0.3, 'it moves'


def test_images_wait_for_intrinsics_and_mount_and_none_is_lost(ros, make):
    make(tf_wait_s=30.0)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    for index in range(3):
        camera.show(index, info=False)
    sleep(0.3)
    camera.put('camera_info', messages().camera_info(stamp_of(2), OPTICAL, CAMERA))
    sleep(0.3)
    assert watcher.tokens == []
    camera.mount()
    watcher.sees(stamp_of(2))
    assert [stamp_ns(t) for t in watcher.tokens] == [stamp_of(k) for k in range(3)]
    want = offline(range(3))[stamp_of(2)]
    np.testing.assert_allclose(
        pose_matrix(watcher.tokens[2].pose.pose), want.pose.T_map_camera, atol=1e-9
    )


def test_images_wait_for_the_intrinsics_of_depth_where_somebody_publishes_them(ros, make):
    make(tf_wait_s=30.0)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    ros.publisher('/depth_camera_info', CameraInfo)
    info = messages().camera_info(stamp_of(0), OPTICAL, CAMERA)
    camera.put('camera_info', info)
    camera.put('image', messages().image(stamp_of(0), OPTICAL, shot(0).rgb))
    camera.put('depth', messages().image(stamp_of(0), OPTICAL, shot(0).depth))
    sleep(0.3)
    assert watcher.tokens == []
    camera.put('depth_camera_info', info)
    assert watcher.sees(stamp_of(0)).state == Status.TRACKING


def test_without_the_robots_tf_the_cameras_own_root_is_posed_until_it_appears(ros, make, caplog):
    make()
    watcher, camera = Watcher(ros), BoxCamera(ros)
    transforms = ros.collect('/tf', TFMessage, 100)
    camera.mount(np.eye(4), base='camera_link')
    watcher.walks(camera, range(3))
    (told,) = [r.message for r in caplog.records if 'no static TF from base_link' in r.message]
    assert 'to camera_optical within 0.3 s: the pose that is published is that of camera_' in told
    assert {t.transforms[0].child_frame_id for t in transforms} == {'camera_link'}
    camera.mount(T_BASE_CAMERA, base='base_link')
    ros.wait_for(lambda: watcher.walks(camera, [3]).epoch == 1)
    assert sum('a new epoch begins' in r.message for r in caplog.records) == 1
    want = offline([3])[stamp_of(3)].pose.T_map_camera
    np.testing.assert_allclose(pose_matrix(watcher.tokens[-1].pose.pose), want, atol=1e-9)
    ros.wait_for(lambda: transforms[-1].transforms[0].child_frame_id == 'base_link')


def test_without_depth_and_weights_it_says_so_and_waits(ros, make):
    make()
    watcher, camera = Watcher(ros), BoxCamera(ros)
    poses = ros.collect('/pose', PoseWithCovarianceStamped, 100)
    for index in range(12):
        camera.show(index, depth=False)
    watcher.sees(stamp_of(5))
    assert {t.state for t in watcher.tokens} == {Status.INITIALISING}
    problem = 'image without depth near in time on /depth'
    ros.wait_for(lambda: any(problem in p for p in watcher.statuses[-1].problems))
    assert watcher.statuses[-1].state == Status.INITIALISING
    told = ros.wait_for(lambda: ros.logged('/depth (sensor_msgs/msg/Image): no publisher'))
    assert 'or set weights to a trained CUT3R' in told[0].text
    assert poses == []
    watcher.walks(camera, range(12, 15))
    assert watcher.tokens[-1].state == Status.TRACKING


@pytest.mark.parametrize('goes_on', [False, True])
def test_no_transform_while_lost_unless_asked_for(ros, make, goes_on):
    make(publish_tf_when_lost=goes_on, tf_wait_s=0.0)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    transforms = ros.collect('/tf', TFMessage, 100)
    poses = ros.collect('/pose', PoseWithCovarianceStamped, 100)
    watcher.walks(camera, range(2))
    for second in range(1, 30):
        stamp = stamp_of(0) + second * S
        token = watcher.sees(camera.show(2, stamp_ns=stamp, covered=True))
        if token.state == Status.LOST:
            break
    assert token.state == Status.LOST
    ros.wait_for(lambda: by_stamp(poses).get(stamp))
    last = by_stamp(poses)[stamp]
    assert last.pose.covariance[0] >= 100.0, 'nothing is known'
    ros.wait_for(lambda: watcher.statuses[-1].state == Status.LOST)
    seen = [stamp_ns(m.transforms[0]) for m in transforms]
    assert (stamp in seen) == goes_on
    T = transform_matrix(transforms[-1].transforms[0].transform)
    np.testing.assert_allclose(T, pose_matrix(last.pose.pose), atol=0.2)


def test_the_path_is_bounded_and_published_once_a_second(ros, make):
    make(path_poses=10)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    paths = ros.collect('/path', Path, 100, publishers=1)
    camera.mount()
    begun = monotonic()
    watcher.walks(camera, range(12))
    assert len(paths) <= monotonic() - begun + 1
    sleep(1.1)
    watcher.walks(camera, [12])
    ros.wait_for(lambda: stamp_ns(paths[-1]) == stamp_of(12))
    stamps = [stamp_ns(pose) for pose in paths[-1].poses]
    assert 5 <= len(stamps) <= 10
    assert stamps[0] == stamp_of(0)
    assert len(set(np.diff(stamps))) == 1, 'evenly spread'


def test_status_and_diagnostics_tell_the_figures(ros, make):
    node = make(diagnostics_period_s=0.2)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    diagnostics = ros.collect('/diagnostics', DiagnosticArray, 100)
    camera.mount()
    watcher.walks(camera, range(4))
    ros.wait_for(lambda: watcher.statuses[-1].frames == 4)
    status = watcher.statuses[-1]
    assert (status.state, status.epoch, status.engine) == (Status.TRACKING, 0, 'depth only')
    assert status.state_age == pytest.approx(0.3)
    assert (status.dropped, status.late) == (0, 0)
    assert 0.0 < status.latency_p50 <= status.latency_p95 < 10.0
    assert status.keyframes == len(node._live.localizer.tracker.map) >= 1
    assert status.inliers > 20
    assert 5e7 < status.memory < 1e11
    assert list(status.problems) == []

    def figures(part: str) -> dict[str, str]:
        (found,) = [s for s in diagnostics[-1].status if s.name == f'loc3r: {part}']
        return {v.key: v.value for v in found.values}

    ros.wait_for(lambda: diagnostics and figures('encoder')['frames'] == '4')
    camera_figures, encoder_figures = figures('input'), figures('encoder')
    assert camera_figures['topic'] == '/image'
    assert (camera_figures['images'], camera_figures['dropped']) == ('4', '0')
    assert (encoder_figures['epoch'], encoder_figures['engine']) == ('0', 'depth only')
    assert float(encoder_figures['state_age_s']) == pytest.approx(0.3)
    assert float(encoder_figures['latency_p95_ms']) > 0.0
    watcher.sees(camera.show(4))
    camera.show(3)
    ros.wait_for(lambda: watcher.statuses[-1].late == 1)


def test_listeners_get_each_processed_image_by_reference(ros, make):
    node = make()
    posed: list = []
    node.listeners.append(posed.append)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    watcher.walks(camera, range(3))
    ros.wait_for(lambda: len(posed) == 3)
    assert [p.stamp_ns for p in posed] == [stamp_of(k) for k in range(3)]
    assert [p.step.index for p in posed] == [0, 1, 2]
    assert posed[0].camera_frame == OPTICAL
    np.testing.assert_array_equal(posed[2].step.frame.rgb, shot(2).rgb)


def test_what_fails_with_one_image_is_told_and_the_next_is_processed(ros, make, caplog):
    node = make()
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    watcher.walks(camera, [0])
    step, failures = node._live.step, [InputError('too dark; light it'), ZeroDivisionError('bad')]

    def failing(*arguments):
        if failures:
            raise failures.pop(0)
        return step(*arguments)

    node._live.step = failing
    for index, told in ((1, 'too dark; light it'), (2, 'ZeroDivisionError: bad')):
        camera.show(index)
        ros.wait_for(lambda told=told: told in watcher.statuses[-1].problems)
    assert watcher.walks(camera, [3]).index == 1
    assert sum('Traceback' in (r.exc_text or '') for r in caplog.records) == 1
