# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that answers, with a scripted engine: words, and what comes in their place."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest
from loc3r_ros.action import Query
from loc3r_ros.msg import Answer
from loc3r_ros.srv import Localize
from rclpy.parameter import Parameter
from ros.answering_node import (
    ABORTED,
    CANCELED,
    SUCCEEDED,
    TEXT,
    ask,
    posed,
    position,
    query,
    result,
    stamp_of,
    start,
    yaw_of,
)
from ros.harness import LATCHED
from scripted_engine import COVARIANCE, ScriptedEngine
from std_msgs.msg import String

from loc3r_ros.vlm.engine import NoAnswerError


def test_ask_gives_the_whole_answer(ros):
    node, engine = start(ros)
    node.take(posed(5_300_000_001, x=1.0, y=0.5, yaw=0.3, keyframe=False))
    response = ask(ros)
    answer = response.answer
    assert (response.success, response.message) == (True, '')
    assert (answer.text, answer.engine, answer.found) == (TEXT, 'scripted', True)
    assert (answer.question, answer.situation) == ('where is the red chair?', '')
    assert 0.0 < answer.first_word <= answer.duration
    assert np.isnan(answer.confidence)
    # Without a situation the asker is the camera, at its newest image.
    assert answer.has_pose and stamp_of(answer) == 5_300_000_001
    np.testing.assert_allclose(position(answer.pose.pose), (1.0, 0.5, 0.6))
    assert yaw_of(answer.pose.pose) == pytest.approx(0.3)
    np.testing.assert_allclose(np.reshape(answer.pose.covariance, (6, 6)), COVARIANCE)
    assert engine.asked() == ['where is the red chair?']


def test_the_answer_is_published_for_who_comes_late(ros):
    start(ros)
    ask(ros)
    answers = ros.collect('/loc3r/answer', Answer, LATCHED)
    ros.wait_for(lambda: answers)
    assert (answers[0].text, answers[0].header.frame_id) == (TEXT, 'map')


def test_a_question_on_the_topic_is_answered_on_the_topic(ros):
    start(ros)
    answers = ros.collect('/loc3r/answer', Answer, LATCHED, publishers=1)
    ros.publish('/loc3r/question', String(data='what is this?'))
    ros.wait_for(lambda: answers)
    assert (answers[0].question, answers[0].text, answers[0].found) == ('what is this?', TEXT, True)


def test_words_stream_as_feedback(ros):
    start(ros)
    heard = []
    status, answer = result(ros, query(ros, feedback=heard.append))
    assert status == SUCCEEDED and answer.answer.text == TEXT
    ros.wait_for(lambda: ''.join(f.words for f in heard) == TEXT)
    assert [f.words for f in heard if f.words] == ScriptedEngine().words
    assert [f.stage for f in heard[:2]] == [Query.Feedback.QUEUED, Query.Feedback.ANSWERING]
    assert answer.time_queued >= 0.0 and answer.time_answering > 0.0
    assert answer.time_queued + answer.time_answering == pytest.approx(answer.answer.duration)
    assert (answer.arrived, answer.time_navigating) == (False, 0.0)


def test_cancel_between_words_ends_the_answer(ros):
    engine = ScriptedEngine()
    engine.gates = {2: Event()}
    start(ros, engine)
    handle = query(ros)
    assert engine.reached[2].wait(10.0)
    canceling = ros.result(handle.cancel_goal_async())
    assert len(canceling.goals_canceling) == 1
    engine.gates[2].set()
    status, answer = result(ros, handle)
    assert status == CANCELED and answer.answer.found is False
    assert engine.said in (2, 3), 'the word that was on its way may still come'
    assert answer.answer.text in ('The red ', 'The red chair ')
    assert engine.open_answers == 0, 'the iterator is closed, so nothing is computed any more'
    engine.gates = {}
    assert ask(ros).answer.text == TEXT


def test_cancel_while_queued_leaves_the_engine_alone(ros):
    engine = ScriptedEngine()
    engine.gates = {1: Event()}
    node, _ = start(ros, engine)
    first = query(ros, 'first?')
    assert engine.reached[1].wait(10.0)
    second = query(ros, 'second?')
    ros.wait_for(lambda: node.status()[0].values['waiting'] == 1)
    ros.result(second.cancel_goal_async())
    status, answer = result(ros, second)
    assert status == CANCELED
    assert answer.time_queued > 0.0 and answer.time_answering == pytest.approx(0.0, abs=0.05)
    engine.gates[1].set()
    assert result(ros, first)[0] == SUCCEEDED
    assert engine.asked() == ['first?']


def test_four_wait_and_the_next_is_told_to_come_again(ros):
    engine = ScriptedEngine()
    engine.gates = {0: Event()}
    node, _ = start(ros, engine)
    handles = [query(ros, f'{n}?') for n in range(5)]
    ros.wait_for(lambda: node.status()[0].values['waiting'] == 4)
    response = ask(ros, 'sixth?')
    assert not response.success and 'busy' in response.message
    status, answer = result(ros, query(ros, 'seventh?'))
    assert status == ABORTED and 'busy' in answer.answer.text
    engine.gates[0].set()
    assert [result(ros, handle)[0] for handle in handles] == [SUCCEEDED] * 5
    assert engine.asked() == [f'{n}?' for n in range(5)]
    assert node.set_parameters([Parameter('max_waiting', value=0)])[0].successful
    assert not node.set_parameters([Parameter('max_waiting', value=5)])[0].successful


@pytest.mark.parametrize(
    ('question', 'situation', 'said'),
    [
        ('', '', 'question is empty'),
        (' \n ', '', 'question is empty'),
        ('a' * 2001, '', '2001 characters; 2000 are allowed'),
        ('what?', 'b' * 2001, 'situation has 2001'),
        ('what\x07?', '', 'control characters'),
    ],
    ids=['empty', 'blank', 'long', 'long situation', 'bell'],
)
def test_what_is_no_question_is_refused_with_the_reason(ros, question, situation, said):
    _, engine = start(ros)
    response = ask(ros, question, situation)
    assert not response.success and said in response.message
    status, answer = result(ros, query(ros, question, situation=situation))
    assert status == ABORTED and said in answer.answer.text
    assert engine.asked() == []


@pytest.mark.parametrize('number', [0, 3])
def test_an_engine_that_raises_is_an_answer_with_the_reason(ros, number):
    engine = ScriptedEngine()
    engine.gates = {number: Event()}
    node, _ = start(ros, engine)
    future = query(ros)
    assert engine.reached[number].wait(10.0)
    engine.ask_error = RuntimeError('CUDA out of memory')
    engine.gates[number].set()
    status, answer = result(ros, future)
    assert status == ABORTED and not answer.answer.found
    assert answer.answer.text == 'answering failed: RuntimeError: CUDA out of memory'
    engine.ask_error, engine.gates = None, {}
    assert ask(ros).success, 'the node lives'
    assert node.status()[0].values['failed'] == 1


def test_an_engine_that_knows_no_answer_says_so(ros):
    engine = ScriptedEngine()
    engine.ask_error = NoAnswerError('I have not seen enough: drive around')
    node, _ = start(ros, engine)
    response = ask(ros)
    assert (response.success, response.message) == (False, 'I have not seen enough: drive around')
    assert (response.answer.found, response.answer.text) == (False, response.message)
    assert node.status()[0].values['failed'] == 0


def test_an_engine_that_says_nothing_has_not_answered(ros):
    engine = ScriptedEngine()
    engine.words = [' ', '']
    start(ros, engine)
    response = ask(ros)
    assert not response.success and 'scripted has nothing to say' in response.message
    assert np.isfinite(response.answer.duration)


def test_before_the_first_image_it_is_said_that_there_is_none(ros):
    node, engine = start(ros, seen=False)
    for response in (ask(ros), ros.call('/loc3r/localize', Localize)):
        assert not response.success and 'no image has been processed yet' in response.message
    assert engine.asked() == []
    (report,) = node.status()
    assert (report.level, report.message) == (1, 'no image has been processed yet')
    node.take(posed())
    ros.wait_for(lambda: ask(ros).success)
