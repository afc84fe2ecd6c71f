# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The parameters of `pose_encoder`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loc3r_ros.ros import camera_input
from loc3r_ros.ros.parameters import Parameter
from loc3r_ros.tracking import TrackerConfig

_TRACKER = TrackerConfig()

TABLE = (
    Parameter('map_frame', 'map', 'Frame of the map, z up (REP 105).'),
    Parameter('odom_frame', 'odom', 'Frame of the odometry, where the robot publishes one.'),
    Parameter(
        'base_frame',
        'base_link',
        'Frame whose pose is published; static TF must lead from it to the camera.',
    ),
    Parameter(
        'publish_tf',
        True,
        'Publish map -> odom, or map -> base where nobody publishes odom -> base.',
        live=True,
    ),
    Parameter(
        'publish_tf_when_lost',
        False,
        'Go on publishing the last trusted transform while LOST.',
        live=True,
    ),
    Parameter(
        'tf_wait_s',
        0.5,
        'How long the first images wait for static TF, and TF for odometry (wall time).',
        range=(0.0, 60.0),
    ),
    Parameter(
        'tf_tolerance_s',
        0.2,
        'How late odometry may come for its image; after that the transform is left out.',
        range=(0.0, 5.0),
        live=True,
    ),
    *camera_input.TABLE,
    Parameter(
        'weights',
        '',
        'CUT3R weights file (loc3r weights --help); empty: depth alone tracks the camera, and with '
        '`use_depth` false CUT3R-tiny of the package, where it has it; none: not even that.',
    ),
    Parameter(
        'update_rule',
        'cut3r',
        'How CUT3R updates its state; ttt3r forgets less on long sequences.',
        choices=('cut3r', 'ttt3r'),
    ),
    Parameter(
        'engines',
        '',
        'Folder of exported CUT3R packages and the engines built of them (loc3r engine --help).',
    ),
    Parameter(
        'backend',
        'auto',
        'What computes CUT3R; auto: with `engines`, a TensorRT engine that passes its self-test, '
        'else the fastest that does; without, torch. compiled: torch.compile, anew at every start.',
        choices=('auto', 'torch', 'compiled', 'onnxruntime', 'tensorrt'),
    ),
    Parameter('device', 'auto', 'What CUT3R runs on (cpu, cuda, cuda:1); auto: a GPU if any.'),
    Parameter(
        'max_depth_m', _TRACKER.max_depth, 'Farther depth is not tracked.', range=(0.5, 50.0)
    ),
    Parameter('features', _TRACKER.features, 'Keypoints a frame at most.', range=(100, 5000)),
    Parameter(
        'max_keyframes',
        _TRACKER.max_keyframes,
        'Bound of the memory, 0.4 MB each; from then on no place is added.',
        range=(10, 100000),
    ),
    Parameter('max_points', 100000, 'Points of a cloud at most.', range=(100, 10**7), live=True),
    Parameter('path_poses', 1000, 'Poses of `path` at most.', range=(10, 100000)),
    Parameter(
        'state_folder', '~/.ros/loc3r_state', 'Where save_state writes and load_state reads.'
    ),
)


def tracker_config(settings: Mapping[str, Any]) -> TrackerConfig:
    """The settings of the tracker."""
    return TrackerConfig(
        features=settings['features'],
        max_depth=settings['max_depth_m'],
        max_keyframes=settings['max_keyframes'],
    )
