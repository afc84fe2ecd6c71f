# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From a question to its reply, where no ROS is."""

from __future__ import annotations

import numpy as np
import pytest
from scripted_engine import COVARIANCE, ScriptedEngine, agent_at, hall, step_at

from loc3r_ros.answers.record import record
from loc3r_ros.bag.witness import Witness
from loc3r_ros.types import Target, TrackingState
from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.no_model import NoModel

STAMP = 5_000_000_000


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def witness(engine) -> Witness:
    made = Witness(lambda _pose, _grid: engine)
    made.see(STAMP, step_at(STAMP, x=-1.0))
    made.know(STAMP, hall())
    return made


def test_words_come_one_by_one_and_make_the_reply(witness, engine):
    heard = []
    reply = witness.answering.ask(' what is this? ', '', say=heard.append)
    assert heard == engine.words and reply.text == ''.join(heard)
    assert (reply.found, reply.engine, reply.stamp_ns) == (True, 'scripted', STAMP)
    assert 0.0 < reply.first_word <= reply.duration
    assert engine.asked() == ['what is this?']


def test_a_goal_by_its_coordinates_is_not_looked_for_by_a_model(witness, engine):
    engine.target = Target(True, np.array([3.0, 3.0, 0.0]), 'somewhere else')
    reply = witness.answering.ask('go to 2.0 -1.5', '')
    assert reply.goal is not None and (reply.goal.pose.x, reply.goal.pose.y) == (2.0, -1.5)
    assert reply.goal.pose.yaw == pytest.approx(np.arctan2(-1.5, 3.0))
    assert "not against Nav2's costmap: a recording has none" in reply.text
    assert not any(call[0] == 'ground' for call in engine.calls)
    reply = witness.answering.ask('go to 500000 0', '')
    assert not reply.found and 'is no place in a map' in reply.text


def test_a_place_that_was_asked_for_is_told_in_words(witness, engine):
    engine.agent = agent_at(1.0, 0.5, np.pi / 2, np.diag([0.09, 0.16, 1.0, 1.0, 1.0, 0.04]))
    reply = witness.answering.localize('I stand at the sink')
    assert reply.text == '' and reply.found
    assert 'x = 1.00 m, y = 0.50 m' in reply.told and 'facing 90 degrees' in reply.told
    # sqrt(0.09 + 0.16) m, and 0.2 rad.
    assert 'about 0.50 m' in reply.told and 'about 11 degrees' in reply.told
    told = record(reply)
    assert told['answer'] == reply.told and told['pose_of'] == 'agent'
    want = {'x': 1.0, 'y': 0.5, 'yaw': np.pi / 2, 'sigma_x': 0.3, 'sigma_y': 0.4, 'sigma_yaw': 0.2}
    assert told['pose'] == pytest.approx(want)


def test_a_refusal_is_a_reply_with_the_reason_and_without_a_pose(witness, engine):
    engine.ask_error = NoAnswerError('I have not seen enough')
    engine.agent = agent_at(1.0, 0.5)
    reply = witness.answering.ask('what is left of me?', 'at the sink')
    assert (reply.found, reply.told) == (False, 'I have not seen enough')
    engine.target = Target(False, np.zeros(3), reason='I see no sofa')
    reply = witness.answering.ask('go to the sofa', '')
    assert (reply.found, reply.told, reply.goal) == (False, 'I see no sofa', None)
    assert 'pose' not in record(reply)


def test_a_new_epoch_empties_the_engine_and_the_map(witness, engine):
    witness.see(STAMP + 10, step_at(1_000, epoch=1))
    assert engine.calls[-2:] == [('reset',), ('observe', 1)]
    assert witness.grid is None


def test_what_an_engine_does_not_take_in_is_counted_and_told(witness, engine):
    engine.observe = lambda _view: 1 / 0
    for k in range(3):
        witness.see(STAMP + k + 1, step_at(STAMP + k + 1))
    (told,) = witness.problems
    assert told.startswith('scripted did not take in (ZeroDivisionError') and '3 keyframes' in told


def test_a_recording_that_is_known_whole_waits_for_what_its_engine_does(witness, engine):
    assert engine.calls == [('observe', 0), ('wait',)]
    witness.close()
    assert engine.calls[-1] == ('close',)


def test_without_a_model_geometry_answers():
    witness = Witness(NoModel)
    witness.see(STAMP, step_at(STAMP, x=1.0, y=0.5, yaw=np.pi / 2))
    assert 'nothing has been mapped yet' in witness.answering.ask('how big is the map?', '').text
    witness.know(STAMP, hall())
    assert '64.0 square metres' in witness.answering.ask('how big is the map?', '').text
    reply = witness.answering.localize('')
    np.testing.assert_array_equal(reply.agent.covariance, COVARIANCE)
    witness.see(STAMP + 1, step_at(STAMP + 1, state=TrackingState.LOST))
    assert 'the camera is lost' in witness.answering.localize('').text
