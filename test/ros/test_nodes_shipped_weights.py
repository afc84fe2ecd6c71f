# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The nodes with the package's own weights: poses without depth, words for all."""

from __future__ import annotations

import numpy as np
import pytest
from ros.answering_node import ask, start
from ros.box_camera import BoxCamera, stamp_of
from ros.localizing import Watcher, offline, start_encoder

from loc3r_ros.hub import shipped
from loc3r_ros.ingest.transforms import pose_matrix


@pytest.fixture
def make(ros, tmp_path, shipped_weights):
    return lambda **values: start_encoder(ros, tmp_path, device='cpu', **values)


def test_beside_depth_the_encoder_does_not_run(ros, make):
    assert make()._encoder is None
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    watcher.walks(camera, range(4))
    alone = offline(range(4))
    for k, token in enumerate(watcher.tokens):
        np.testing.assert_array_equal(
            pose_matrix(token.pose.pose).round(9), alone[stamp_of(k)].pose.T_map_camera.round(9)
        )
        assert not len(token.token)
    assert watcher.statuses[-1].engine == 'depth only'


def test_a_camera_without_depth_gets_its_poses_from_them(ros, make):
    make(use_depth=False)
    watcher, camera = Watcher(ros), BoxCamera(ros)
    camera.mount()
    token = watcher.walks(camera, range(3), depth=False)
    assert token.scale_source == 'metric_model'
    assert watcher.tokens[0].keyframe
    assert watcher.statuses[-1].engine.startswith('CUT3R-tiny: ')
    assert ros.logged(f'CUT3R-tiny gives poses; {shipped.LIMITS}')


def test_none_turns_the_encoder_off(make):
    assert make(weights='none', use_depth=False)._encoder is None


def test_words_come_from_them_where_no_others_are_named(ros, shipped_weights):
    node, _ = start(ros, make_engine=None, parameters={'device': 'cpu'})
    assert node.answers_by_shipped
    assert ask(ros, 'what is this?').answer.engine.startswith('Loc3R-VLM')
    assert ros.logged(f'Loc3R-tiny answers; {shipped.LIMITS}')


def test_engine_none_answers_without(ros, shipped_weights):
    node, _ = start(ros, make_engine=None, parameters={'engine': 'none'})
    assert not node.answers_by_shipped
    assert ask(ros, 'where am I?').answer.engine == 'no model loaded'
