# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the node answers live is what a witness of the recording answers."""

from __future__ import annotations

from hashlib import sha256

import pytest
from box_room import circle, frame_at
from ros.answering_node import ask, publish_map, start
from scripted_engine import ScriptedEngine

from loc3r_ros.answers.messages import answer_message
from loc3r_ros.bag.typestore import humble
from loc3r_ros.bag.typestore import messages as recorded_messages
from loc3r_ros.bag.witness import Witness
from loc3r_ros.pipeline import Pipeline
from loc3r_ros.ros.bus import Posed

QUESTIONS = ('what have you seen?', 'go to 1.5 0.5', 'go to 100 100', '')


class Rememberer(ScriptedEngine):
    """Says all that it was shown, and in which order."""

    def ask(self, question, situation=''):
        for view in self.views:
            seen = view.rgb.tobytes() + view.T_map_camera.tobytes()
            yield f'{view.stamp:.6f} {sha256(seen).hexdigest()} '


@pytest.fixture(scope='module')
def walk():
    pipeline = Pipeline()
    steps = [pipeline.step(frame_at(T, 5.0 + 0.1 * k)) for k, T in enumerate(circle()[:10])]
    return steps, pipeline.grid()


def test_the_same_questions_get_the_same_answers(ros, walk):
    steps, grid = walk
    stamps = [round(step.frame.stamp * 1e9) for step in steps]
    witness = Witness(lambda _pose, _grid: Rememberer())
    node, engine = start(ros, Rememberer(), seen=False)
    for stamp_ns, step in zip(stamps, steps, strict=True):
        witness.see(stamp_ns, step)
        node.take(Posed(stamp_ns, 'camera_optical', step))
    witness.know(stamps[-1], grid)
    publish_map(ros, grid, stamps[-1])
    keyframes = sum(step.pose.keyframe is not None for step in steps)
    ros.wait_for(lambda: node.scene.grid and len(engine.views) == keyframes)
    for question in QUESTIONS:
        live = ask(ros, question).answer
        reply = witness.answering.ask(question, '')
        recorded = answer_message(recorded_messages(), reply, 'map')
        told = reply.text.replace('a recording has none', 'it does not run')
        assert (live.text, live.found, live.has_pose) == (told, recorded.found, recorded.has_pose)
        for name in ('header.stamp.sec', 'header.stamp.nanosec', 'pose.pose.position.x'):
            # Cells are float32 on their way to the node.
            assert field(live, name) == pytest.approx(field(recorded, name), rel=1e-6)
        assert list(live.pose.covariance) == list(recorded.pose.covariance)
        assert len(humble().serialize_cdr(recorded, 'loc3r_ros/msg/Answer')) > 300


def field(message, name: str):
    for part in name.split('.'):
        message = getattr(message, part)
    return message
