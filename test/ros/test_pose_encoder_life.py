# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The life of the node that localizes: epochs, saved states, activation, weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from loc3r_ros.msg import Status
from nav_msgs.msg import Path
from rclpy.parameter import Parameter as RosParameter
from ros.box_camera import PERIOD_NS, T_BASE_CAMERA, BoxCamera, shot, stamp_of
from ros.localizing import Watcher, offline, start_encoder
from std_srvs.srv import Trigger

from loc3r_ros.ingest.transforms import pose_matrix
from loc3r_ros.localizer import Localizer
from loc3r_ros.ros.pose_encoder import PoseEncoder
from loc3r_ros.types import Frame

S = 10**9


@pytest.fixture
def make(ros, tmp_path):
    return lambda **values: start_encoder(ros, tmp_path, **values)


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
    ros.wait_for(lambda: watcher.statuses[-1].engine.startswith('tiny.safetensors: torch '))
    assert list(watcher.statuses[-1].problems) == ['no camera_info on /camera_info yet']
    assert ros.call('/save_state', Trigger).success
    change(ros, Transition.TRANSITION_DEACTIVATE)
    assert node._encoder is None, 'freed'
    change(ros, Transition.TRANSITION_ACTIVATE)
    camera.mount()
    assert watcher.walks(camera, [3], depth=False, info=False).epoch == 1
    assert ros.call('/load_state', Trigger).message.startswith('epoch 2')
