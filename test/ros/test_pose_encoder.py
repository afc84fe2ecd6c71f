# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that localizes: it publishes what the localizer says, whatever happens around it."""

from __future__ import annotations

import json
from time import monotonic, sleep

import numpy as np
import pytest
from box_room import CAMERA
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from loc3r_ros.msg import PoseToken, Status
from nav_msgs.msg import Odometry, Path
from rclpy.parameter import Parameter as RosParameter
from rclpy.qos import QoSProfile
from ros.box_camera import OPTICAL, PERIOD_NS, T_BASE_CAMERA, BoxCamera, shot, stamp_of
from ros.harness import LATCHED
from sensor_msgs.msg import CameraInfo, PointCloud2
from sensor_msgs_py.point_cloud2 import read_points
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import invert
from loc3r_ros.ingest.mount import moved_covariance
from loc3r_ros.ingest.transforms import pose_matrix, transform_matrix
from loc3r_ros.localizer import Localizer
from loc3r_ros.ros.conversion import messages, stamp_ns
from loc3r_ros.ros.pose_encoder import PoseEncoder
from loc3r_ros.types import Frame

S = 10**9


@pytest.fixture
def make(ros, tmp_path):
    def encoder(**values) -> PoseEncoder:
        values = {'state_folder': str(tmp_path / 'state'), 'tf_wait_s': 0.3, **values}
        overrides = [RosParameter(name, value=value) for name, value in values.items()]
        node = PoseEncoder(parameter_overrides=overrides)
        assert node.start()
        ros.spin(node)
        return node

    return encoder


class Watcher:
    """What the node publishes."""

    def __init__(self, ros) -> None:
        self._ros = ros
        self.tokens = ros.collect('/pose_token', PoseToken, 100, publishers=1)
        self.statuses = ros.collect(
            '/status', Status, QoSProfile(depth=100, durability=LATCHED.durability)
        )

    def sees(self, stamp: int, epoch: int | None = None) -> PoseToken:
        """Wait for the token of an image."""

        def found():
            tokens = [t for t in self.tokens if stamp_ns(t) == stamp]
            return [t for t in tokens if epoch in (None, t.epoch)]

        return self._ros.wait_for(found, what=f'token of {stamp}, epoch {epoch}')[-1]

    def walks(self, camera: BoxCamera, indices, **how) -> PoseToken:
        """Show frames one by one, each when the one before is done."""
        for index in indices:
            token = self.sees(camera.show(index, **how))
        return token

    def states(self) -> list[tuple[int, int]]:
        """(epoch, state) of each status, repetitions left out."""
        pairs = [(s.epoch, s.state) for s in self.statuses]
        return [p for k, p in enumerate(pairs) if k == 0 or p != pairs[k - 1]]


def by_stamp(received: list) -> dict:
    return {stamp_ns(message): message for message in received}


def offline(indices, T_base_camera=T_BASE_CAMERA) -> dict:
    localizer = Localizer(T_base_camera=T_base_camera)
    return {stamp_of(k): localizer.step(shot(k)) for k in indices}


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


def play(watcher: Watcher, ros, camera: BoxCamera, loop: int, order: str) -> None:
    """One round of a recording of five frames in 1.6 s."""
    stamps = [stamp_of(4 * index) for index in range(5)]
    for index, stamp in enumerate(stamps):
        if index == 0 and loop and order == 'image first':
            watcher.sees(camera.show(0, stamp_ns=stamp), loop)
        ros.set_time(stamp)
        if index == 0 and loop and order == 'straggler':
            camera.show(4, stamp_ns=stamps[-1] + PERIOD_NS)
        if index or not loop or order != 'image first':
            watcher.sees(camera.show(index, stamp_ns=stamp), loop)


@pytest.mark.parametrize('order', ['clock first', 'image first', 'straggler'])
def test_a_looped_recording_raises_the_epoch_once_a_round(ros, make, order):
    node = make(use_sim_time=True)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    paths = ros.collect('/path', Path, 100)
    camera.mount()
    for loop in range(3):
        play(watcher, ros, camera, loop, order)
    assert watcher.tokens[-1].epoch == 2
    first = [t for t in watcher.tokens if t.epoch == 0][:5]
    for loop in (1, 2):
        again = [t for t in watcher.tokens if t.epoch == loop][:5]
        assert [t.index for t in again] == list(range(5))
        np.testing.assert_allclose(
            pose_matrix(again[-1].pose.pose), pose_matrix(first[-1].pose.pose), atol=1e-9
        )
    ros.wait_for(lambda: (2, Status.TRACKING) in watcher.states())
    states = watcher.states()
    for loop in (1, 2):
        begun = states.index((loop, Status.INITIALISING))
        assert states[begun - 1 : begun + 2] == [
            (loop - 1, Status.RESETTING),
            (loop, Status.INITIALISING),
            (loop, Status.TRACKING),
        ]
    assert len(paths[-1].poses) <= 6, 'emptied'
    assert node.status()[0].values['rounds'] == 2


def test_a_jump_forward_changes_nothing(ros, make):
    make(use_sim_time=True)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    ros.set_time(stamp_of(0))
    watcher.walks(camera, range(2))
    ros.set_time(stamp_of(0) + 3600 * S)
    token = watcher.sees(camera.show(2, stamp_ns=stamp_of(2) + 3600 * S))
    assert (token.epoch, token.index) == (0, 2)


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


def test_reset_save_and_load_answer_when_it_is_done(ros, make, tmp_path):
    node = make()
    watcher, camera = Watcher(ros), BoxCamera(ros)
    early = ros.call('/save_state', Trigger)
    assert not early.success
    assert 'no image has been processed yet' in early.message
    camera.mount()
    watcher.walks(camera, range(5))
    saved = ros.call('/save_state', Trigger)
    assert saved.success, saved.message
    about = json.loads((tmp_path / 'state' / 'localizer.json').read_text())
    assert (about['epoch'], about['index']) == (0, 5)
    assert ros.call('/reset_state', Trigger).success
    assert watcher.walks(camera, [10]).epoch == 1
    assert watcher.tokens[-1].index == 0
    loaded = ros.call('/load_state', Trigger)
    assert loaded.success, loaded.message
    token = watcher.walks(camera, [12])
    assert token.epoch == 2
    assert ros.call('/load_state', Trigger).success
    token = watcher.walks(camera, [4], stamp_ns=stamp_of(20))
    assert (token.epoch, token.state) == (3, Status.TRACKING), 'the place is known'
    want = offline(range(5))[stamp_of(4)].pose.T_map_camera
    np.testing.assert_allclose(pose_matrix(token.pose.pose), want, atol=0.02)

    about['settings']['tracker']['features'] = 17
    (tmp_path / 'state' / 'localizer.json').write_text(json.dumps(about))
    refused = ros.call('/load_state', Trigger)
    assert not refused.success
    assert 'use the same weights and settings' in refused.message
    assert watcher.walks(camera, [5], stamp_ns=stamp_of(21)).epoch == 3, 'it goes on as it was'
    assert node.state == 'active'


def test_what_is_saved_replaces_what_was_only_when_it_is_whole(ros, make, tmp_path):
    node = make()
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    watcher.walks(camera, range(2))
    assert ros.call('/save_state', Trigger).success

    class Full:
        def save(self, folder) -> None:
            raise OSError('the disk is full')

    node.companions.append(Full())
    watcher.walks(camera, [2])
    refused = ros.call('/save_state', Trigger)
    assert (refused.success, refused.message) == (False, 'the disk is full')
    about = json.loads((tmp_path / 'state' / 'localizer.json').read_text())
    assert about['index'] == 2


def test_the_path_is_bounded_and_published_once_a_second(ros, make):
    make(path_poses=10)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    paths = ros.collect('/path', Path, 100, publishers=1)
    camera.mount()
    begun = monotonic()
    watcher.walks(camera, range(24))
    assert len(paths) <= monotonic() - begun + 1
    sleep(1.1)
    watcher.walks(camera, [24])
    ros.wait_for(lambda: stamp_ns(paths[-1]) == stamp_of(24))
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


def change(ros, transition: int) -> None:
    """By its service, and so in the thread of its executor."""
    request = ChangeState.Request(transition=Transition(id=transition))
    assert ros.call('/pose_encoder/change_state', ChangeState, request).success


def test_each_activation_begins_an_epoch_and_leaves_nothing_behind(ros, make):
    node = make()
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    kinds = ('publishers', 'subscriptions', 'timers', 'services', 'clients')

    def entities() -> dict[str, int]:
        return {kind: len(list(getattr(node, kind))) for kind in kinds}

    active = entities()
    for epoch in range(3):
        ros.wait_for(lambda: ros.node.count_subscribers('/image') == 1)
        camera.mount()
        assert watcher.walks(camera, [epoch]).epoch == epoch
        change(ros, Transition.TRANSITION_DEACTIVATE)
        ros.wait_for(lambda: ros.node.count_subscribers('/image') == 0)
        change(ros, Transition.TRANSITION_ACTIVATE)
        assert entities() == active


def test_weights_that_are_not_there_are_refused_with_the_remedy(ros, tmp_path):
    overrides = [RosParameter('weights', value=str(tmp_path / 'none.safetensors'))]
    node = PoseEncoder(parameter_overrides=overrides)
    assert not node.start()
    assert node.state == 'unconfigured'
    assert 'none.safetensors' in node.refusal
    node.destroy_node()


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


@pytest.fixture(scope='module')
def weights(tmp_path_factory) -> str:
    """A checkpoint of the tiny network; its poses mean nothing."""
    torch = pytest.importorskip('torch')
    from loc3r_ros.cut3r import Cut3r, tiny
    from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint

    torch.manual_seed(0)
    model = Cut3r(tiny('linear'))
    tensors = {k: torch.randn_like(v) * 0.1 for k, v in model.state_dict().items()}
    path = tmp_path_factory.mktemp('weights') / 'tiny.safetensors'
    write_checkpoint(Checkpoint(tiny('linear'), tensors), path)
    return str(path)


def test_an_encoder_needs_neither_depth_nor_intrinsics(ros, make, weights):
    from loc3r_ros.cut3r import PoseEncoder as Cut3rEncoder

    node = make(weights=weights, use_depth=False, device='cpu')
    watcher, camera = Watcher(ros), BoxCamera(ros)
    poses = ros.collect('/pose', PoseWithCovarianceStamped, 100)
    camera.mount()
    watcher.walks(camera, range(3), depth=False, info=False)
    encoder = Cut3rEncoder.load(weights)
    localizer = Localizer(encoder=encoder, T_base_camera=T_BASE_CAMERA)
    for token in watcher.tokens:
        frame = shot(token.index)
        step = localizer.step(Frame(frame.stamp, frame.rgb))
        np.testing.assert_allclose(token.token, step.observation.camera_token, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            pose_matrix(token.pose.pose), step.pose.T_map_camera, rtol=1e-4, atol=1e-5
        )
        assert token.weights == encoder.fingerprint
        assert token.confidence == pytest.approx(step.observation.confidence_camera.mean(), 1e-3)
        assert token.scale_source == 'metric_model'
    ros.wait_for(lambda: len(poses) == 3)
    ros.wait_for(lambda: watcher.statuses[-1].engine == 'tiny.safetensors on cpu')
    assert list(watcher.statuses[-1].problems) == ['no camera_info on /camera_info yet']
    assert ros.call('/save_state', Trigger).success
    change(ros, Transition.TRANSITION_DEACTIVATE)
    assert node._encoder is None, 'freed'
    change(ros, Transition.TRANSITION_ACTIVATE)
    camera.mount()
    assert watcher.walks(camera, [3], depth=False, info=False).epoch == 1
    assert ros.call('/load_state', Trigger).message.startswith('epoch 2')


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
