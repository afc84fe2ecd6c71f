# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that answers, with a scripted engine: goals, where no Nav2 runs."""

from __future__ import annotations

import numpy as np
import pytest
from ros.answering_node import ask, posed, position, publish_map, start, yaw_of
from ros.harness import LATCHED
from scripted_engine import ScriptedEngine, hall
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import MarkerArray

from loc3r_ros.types import Target, TrackingState


def test_a_goal_is_resolved_to_a_free_pose_that_faces_it(ros):
    engine = ScriptedEngine()
    engine.target = Target(
        True, np.array([2.0, 0.0, 0.45]), 'red chair', np.array([0.5, 0.5, 0.9]), confidence=0.7
    )
    node, _ = start(ros, engine)
    publish_map(ros, hall(((1.75, -0.25), (2.25, 0.25))))
    ros.wait_for(lambda: node.scene.grid)
    found = ros.collect('/loc3r/detections', Detection3DArray, publishers=1)
    markers = ros.collect('/loc3r/markers', MarkerArray, LATCHED, publishers=1)
    response = ask(ros, 'Could you go to the red chair, please?')
    answer = response.answer
    assert response.success and answer.found and answer.has_pose
    assert ('ground', 'the red chair') in engine.calls and engine.asked() == []
    x, y, _ = position(answer.pose.pose)
    # The edge is at 1.75, the robot's radius 0.25, and the cells are 0.05.
    assert 1.40 <= x <= 1.50 and abs(y) < 0.15
    assert yaw_of(answer.pose.pose) == pytest.approx(np.arctan2(-y, 2.0 - x))
    assert answer.confidence == pytest.approx(0.7)
    assert "not against Nav2's costmap: it does not run" in answer.text
    assert min(np.diagonal(np.reshape(answer.pose.covariance, (6, 6)))) > 0
    ros.wait_for(lambda: found and markers)
    (detection,) = found[0].detections
    assert detection.results[0].hypothesis.class_id == 'red chair'
    assert detection.results[0].hypothesis.score == pytest.approx(0.7)
    assert detection.bbox.center.position.x == 2.0 and detection.bbox.size.z == 0.9
    shown = {(m.ns, m.id): m for m in markers[-1].markers}
    assert set(shown) == {('goal', 0), ('target', 0)}
    assert shown['goal', 0].pose.position.x == pytest.approx(x)
    assert shown['target', 0].text == 'red chair'


@pytest.mark.parametrize(
    ('target', 'boxes', 'said'),
    [
        (Target(False, np.zeros(3), reason='I see no red chair'), (), 'I see no red chair'),
        (Target(True, np.array([2.0, 0.0, 0.0])), (((-4, -4), (4, 4)),), 'no free place'),
        (Target(True, np.array([9.0, 0.0, 0.0])), (), 'outside the map'),
        (Target(True, np.array([3.0, 0.0, 0.0])), (((1.0, -4), (1.2, 4)),), 'no way'),
    ],
)
def test_a_goal_that_cannot_be_taken_is_not_found_and_says_why(ros, target, boxes, said):
    engine = ScriptedEngine()
    engine.target = target
    node, _ = start(ros, engine)
    publish_map(ros, hall(*boxes))
    ros.wait_for(lambda: node.scene.grid)
    response = ask(ros, 'go to the red chair')
    assert not response.success and said in response.message
    assert (response.answer.found, response.answer.has_pose) == (False, False)


def test_a_goal_needs_a_map_and_a_tracked_camera(ros):
    engine = ScriptedEngine()
    engine.target = Target(True, np.array([2.0, 0.0, 0.0]))
    node, _ = start(ros, engine)
    assert 'no map yet' in ask(ros, 'go to the red chair').message
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    node.take(posed(6 * 10**9, state=TrackingState.LOST))
    assert 'camera is lost' in ask(ros, 'go to the red chair').message
