# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r run --ask`: answers on the terminal, in the bag and in the summary, also after a kill."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from box_bag import shots, write_bag
from rosbags.typesys import get_types_from_msg
from scripted_engine import ScriptedEngine, agent_at

from loc3r_ros.bag import runner
from loc3r_ros.bag.metadata import offered_qos
from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.run_log import RunLog
from loc3r_ros.bag.trajectory import read_tum
from loc3r_ros.bag.typestore import ANSWER
from loc3r_ros.cli import main, recorded
from loc3r_ros.pipeline import Pipeline
from loc3r_ros.types import TrackingState

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 16
LAST_NS = shots(FRAMES)[-1].stamp_ns


@pytest.fixture(scope='module')
def bag(tmp_path_factory) -> Path:
    return write_bag(tmp_path_factory.mktemp('box') / 'walk', shots(FRAMES))


@pytest.fixture
def engine(monkeypatch) -> ScriptedEngine:
    made = ScriptedEngine()
    made.agent = agent_at(0.5, 0.25, 0.3, np.diag([0.04, 0.09, 1.0, 1e-4, 1e-4, 0.02]))
    monkeypatch.setattr(recorded, 'open_engine', lambda *_, **__: made)
    return made


def summary_of(out: Path) -> dict:
    return json.loads((out / 'summary.json').read_text())


def messages_of(out: Path, topic: str) -> list:
    with BagReader(out / 'bag') as reader:
        known = [topic] if topic in reader.topics else []
        return [(raw.log_ns, reader.decode(raw)) for raw in reader.read(known)]


def stamp_of(message) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_our_message_is_that_of_the_package():
    name = 'loc3r_ros/msg/Answer'
    own = get_types_from_msg(ANSWER, name)[name]
    assert own == get_types_from_msg((ROOT / 'msg/Answer.msg').read_text(), name)[name]
    assert 'durability: 1' in offered_qos('/loc3r/answer', name)  # transient local


def test_without_a_model_geometry_answers_and_a_refusal_fails_nothing(bag, tmp_path, capsys):
    out = tmp_path / 'out'
    asked = ['--ask', 'how big is the map?', '--ask', 'how far is the sofa?', '--localize', '']
    assert main(['run', str(bag), '-o', str(out), *asked]) == 0
    told = capsys.readouterr().out
    assert '> how big is the map?\n' in told and 'square metres have been mapped' in told
    assert '> how far is the sofa?\nno answer: no model loaded' in told
    size, sofa, camera = summary_of(out)['answers']
    assert (size['found'], sofa['found'], camera['found']) == (True, False, True)
    assert size['engine'] == 'no model loaded' and size['stamp_ns'] == LAST_NS
    last = read_tum(out / 'trajectory.tum').T[-1]
    assert (camera['pose']['x'], camera['pose']['y']) == pytest.approx((last[0, 3], last[1, 3]))
    assert sofa['answer'].startswith('no model loaded')


def test_the_bag_holds_what_the_node_publishes(bag, engine, tmp_path):
    out = tmp_path / 'out'
    asked = [
        '--ask',
        'what is this?',
        '--localize',
        'I stand at the sink',
        '--ask',
        'go to 1.5 0.5',
    ]
    assert main(['run', str(bag), '-o', str(out), *asked]) == 0
    (at, words), (_, goal) = messages_of(out, '/loc3r/answer')
    assert at == LAST_NS == stamp_of(words)
    assert (words.question, words.text) == ('what is this?', 'The red chair is behind you.')
    assert (words.engine, words.found, words.header.frame_id) == ('scripted', True, 'map')
    assert words.has_pose and goal.has_pose
    position = goal.pose.pose.position
    assert np.hypot(position.x - 1.5, position.y - 0.5) <= 0.1
    ((_, agent),) = messages_of(out, '/loc3r/agent_pose')
    assert (agent.pose.pose.position.x, agent.pose.pose.position.y) == (0.5, 0.25)
    assert np.diagonal(agent.pose.covariance.reshape(6, 6)) == pytest.approx(
        [0.04, 0.09, 1.0, 1e-4, 1e-4, 0.02]
    )


def test_the_engine_sees_every_keyframe_once_and_is_asked_at_the_end(bag, engine, tmp_path):
    out = tmp_path / 'out'
    assert main(['run', str(bag), '-o', str(out), '--ask', 'what?', '--ask', 'where?']) == 0
    kinds = [call[0] for call in engine.calls]
    keyframes = summary_of(out)['keyframes']
    assert kinds == ['observe'] * keyframes + ['wait', 'ask', 'ask', 'close']
    assert engine.asked() == ['what?', 'where?']
    images = {shot.stamp_ns * 1e-9: shot.rgb for shot in shots(FRAMES)}
    for view in engine.views:
        np.testing.assert_array_equal(view.rgb, images[view.stamp])
    assert summary_of(out)['latency_ms']['keyframes']['p95'] < 1e3


def test_an_engine_that_takes_in_nothing_does_not_stop_the_run(bag, engine, tmp_path):
    out = tmp_path / 'out'
    engine.observe = lambda _view: 1 / 0
    assert main(['run', str(bag), '-o', str(out), '--ask', 'what?']) == 0
    summary = summary_of(out)
    assert summary['tracked'] == FRAMES
    assert any('scripted did not take in' in problem for problem in summary['problems'])


def test_a_model_that_is_asked_nothing_is_not_loaded(bag, tmp_path, capsys):
    assert main(['run', str(bag), '-o', str(tmp_path / 'out'), '--vlm', '/nowhere']) == 2
    assert 'add --ask or --localize' in capsys.readouterr().err
    asked = ['--vlm', '/nowhere', '--ask', 'what?']
    assert main(['run', str(bag), '-o', str(tmp_path / 'out'), *asked]) == 2
    assert '/nowhere: no weights of a language model there' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def same(views, others) -> bool:
    return len(views) == len(others) and all(
        a.stamp == b.stamp
        and a.epoch == b.epoch
        and np.array_equal(a.rgb, b.rgb)
        and np.array_equal(a.T_map_camera, b.T_map_camera)
        and a.camera == b.camera
        for a, b in zip(views, others, strict=True)
    )


def test_a_run_that_goes_on_shows_the_engine_what_it_saw_before(bag, engine, tmp_path, monkeypatch):
    whole, out = tmp_path / 'whole', tmp_path / 'out'
    asked = ['--ask', 'what?', '--localize', 'I stand at the sink']
    assert main(['run', str(bag), '-o', str(whole), *asked]) == 0
    views = list(engine.views)
    assert len(views) >= 3
    with monkeypatch.context() as patch:
        patch.setattr(runner, 'CHECKPOINT_S', 0.0)
        patch.setattr(RunLog, 'add', interrupted_at(12))
        assert main(['run', str(bag), '-o', str(out), *asked]) == 130
    assert 'answers' not in summary_of(out)
    engine.views.clear()
    engine.calls.clear()
    assert main(['run', str(bag), '-o', str(out), '--resume', *asked]) == 0
    assert same(engine.views, views)
    assert engine.asked() == ['what?']
    assert Counter(t for t in topics_of(out)) == Counter(topics_of(whole))
    assert (out / 'trajectory.tum').read_text() == (whole / 'trajectory.tum').read_text()


def test_interrupted_answers_are_asked_again_without_tracking_anew(
    bag, engine, tmp_path, monkeypatch
):
    out = tmp_path / 'out'
    asked = ['--ask', 'what?', '--ask', 'where?']
    first, engine.ask = engine.ask, interrupted_at_second(engine.ask)
    assert main(['run', str(bag), '-o', str(out), *asked]) == 130
    assert [answer['question'] for answer in summary_of(out)['answers']] == ['what?']
    engine.ask = first
    monkeypatch.setattr(Pipeline, 'step', lambda *_: pytest.fail('it was tracked already'))
    assert main(['run', str(bag), '-o', str(out), '--resume', *asked]) == 0
    answers = [m.question for _, m in messages_of(out, '/loc3r/answer')]
    assert answers == ['what?', 'where?']
    assert [answer['question'] for answer in summary_of(out)['answers']] == ['what?', 'where?']
    assert len(messages_of(out, '/loc3r/pose')) == FRAMES


def topics_of(out: Path) -> list[str]:
    with BagReader(out / 'bag') as reader:
        return [raw.topic for raw in reader.read(list(reader.topics))]


def interrupted_at(count: int):
    add = RunLog.add

    def add_and_stop(self, *args):
        add(self, *args)
        if len(self) == count:
            raise KeyboardInterrupt

    return add_and_stop


def interrupted_at_second(ask):
    calls = []

    def ask_once(question, situation=''):
        calls.append(question)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return ask(question, situation)

    return ask_once


def test_a_camera_that_is_lost_at_the_end_is_said(bag, engine, tmp_path, monkeypatch):
    """The newest pose goes into the answers as it is, not the last good one."""
    out = tmp_path / 'out'
    blind = shots(FRAMES)
    for shot in blind[-6:]:
        shot.rgb, shot.depth = np.zeros_like(shot.rgb), np.full_like(shot.depth, np.nan)
    path = write_bag(tmp_path / 'blind', blind)
    assert main(['run', str(path), '-o', str(out), '--localize', '']) == 0
    (answer,) = summary_of(out)['answers']
    if summary_of(out)['states'][TrackingState.LOST.value]:
        assert not answer['found'] and 'the camera is lost' in answer['answer']
    else:
        assert answer['pose']['sigma_x'] > 0.01
