# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Lookup in the static TF tree."""

from __future__ import annotations

import logging

import numpy as np

from loc3r_ros.bag.typestore import messages
from loc3r_ros.geometry import exp_so3, invert, pose
from loc3r_ros.ingest.transforms import StaticTransforms, pose_matrix

A_B = pose(exp_so3([0.1, 0.2, 0.3]), [1.0, 2.0, 3.0])
B_C = pose(exp_so3([-0.4, 0.0, 1.3]), [0.0, -2.0, 0.5])
A_D = pose(exp_so3([0.0, 0.0, 3.1]), [5.0, 0.0, 0.0])


def tree():
    make = messages()
    return StaticTransforms(
        [
            make.tf(make.transform_stamped(0, 'a', 'b', A_B)),
            make.tf(
                make.transform_stamped(0, 'b', '/c', B_C), make.transform_stamped(0, 'a', 'd', A_D)
            ),
        ]
    )


def test_chains_in_both_directions():
    np.testing.assert_allclose(tree().lookup('a', 'c'), A_B @ B_C, atol=1e-12)
    np.testing.assert_allclose(tree().lookup('c', 'a'), invert(A_B @ B_C), atol=1e-12)
    np.testing.assert_allclose(tree().lookup('d', 'c'), invert(A_D) @ A_B @ B_C, atol=1e-12)
    np.testing.assert_array_equal(tree().lookup('/b', 'b'), np.eye(4))


def test_what_is_not_connected_is_none():
    assert tree().lookup('a', 'elsewhere') is None
    assert tree().lookup('elsewhere', 'a') is None
    np.testing.assert_array_equal(StaticTransforms().lookup('x', 'x'), np.eye(4))


def test_frames():
    assert tree().frames == ['a', 'b', 'c', 'd']


def test_the_last_word_counts_and_a_zero_rotation_does_not(caplog):
    make = messages()
    broken = make.transform_stamped(0, 'a', 'b', A_D)
    broken.transform.rotation.w = broken.transform.rotation.z = 0.0
    broken.transform.rotation.x = broken.transform.rotation.y = 0.0
    with caplog.at_level(logging.WARNING):
        known = StaticTransforms(
            [
                make.tf(make.transform_stamped(0, 'a', 'b', B_C)),
                make.tf(make.transform_stamped(0, 'a', 'b', A_B)),
                make.tf(broken),
            ]
        )
    np.testing.assert_allclose(known.lookup('a', 'b'), A_B, atol=1e-12)
    assert 'a -> b: quaternion' in caplog.text


def test_pose_matrix_is_the_inverse_of_the_message():
    np.testing.assert_allclose(pose_matrix(messages().pose(B_C)), B_C, atol=1e-12)
