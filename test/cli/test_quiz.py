# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From a recorded drive to a graded report: the questions, their truth, and honest counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scripted_engine import ScriptedEngine

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.trajectory import read_poses
from loc3r_ros.cli import main, recorded
from loc3r_ros.geometry import exp_so3, invert, pose
from loc3r_ros.types import AgentPose
from loc3r_ros.world.questions.question import Question
from loc3r_ros.world.quiz import NAME, PLACE, read_quiz, write_quiz
from loc3r_ros.world.robot import T_BASE_CAMERA, T_CAMERA_OPTICAL

TRUTH = '/ground_truth/pose'


@pytest.fixture(scope='module')
def room(tmp_path_factory) -> Path:
    """A robot that looks around in a room, at few and small images."""
    path = tmp_path_factory.mktemp('world') / 'room'
    options = ['--seed', '7', '--seconds', '9', '--rate', '3', '--size', '160x120']
    assert main(['world', 'record', str(path), *options]) == 0
    return path


class Knowing(ScriptedEngine):
    """Knows all answers but says the wrong letter once, and stands where told but for an offset."""

    def __init__(self, room: Path, offset: tuple[float, float]) -> None:
        super().__init__()
        self.quiz = read_quiz(room / NAME)
        self.offset = offset
        with BagReader(room) as reader:
            T_world_optical = read_poses(reader, TRUTH).T[0]
        # The run's map begins at the robot's base.
        self.T_map_world = invert(T_world_optical @ invert(T_BASE_CAMERA @ T_CAMERA_OPTICAL))

    def ask(self, question, situation=''):
        (known,) = [q for q in self.quiz if q.text in question and q.task != PLACE]
        assert situation == (known.situation.text if known.situation else '')
        assert all(option in question for option in known.options)
        wrong = known.task == 'obj_appearance_order'
        return iter(['Z' if wrong else known.answer])

    def localize(self, situation):
        told = [q.situation for q in self.quiz if q.situation is not None]
        where = next(known for known in told if known.text == situation)
        at = np.array(where.position) + self.offset
        T = self.T_map_world @ pose(exp_so3((0.0, 0.0, where.yaw)), (*at, 0.0))
        return AgentPose(True, T, np.diag([0.04, 0.04, 1.0, 1e-4, 1e-4, 0.02]))


def test_a_recording_comes_with_five_questions_and_three_places(room):
    questions = read_quiz(room / NAME)
    answers = [q for q in questions if q.task != PLACE]
    places = [q for q in questions if q.task == PLACE]
    assert len({q.task for q in answers}) == len(answers) == 5
    assert len({q.situation.text for q in places}) == len(places) == 3
    assert all(q.answer for q in answers)


def run(room: Path, out: Path, *options: str) -> dict:
    asked = ['--ground-truth', TRUTH, '--quiz', str(room / NAME)]
    assert main(['run', str(room), '-o', str(out), *asked, *options]) == 0
    return json.loads((out / 'summary.json').read_text())


def test_what_was_told_is_compared_with_what_is_true(room, tmp_path, monkeypatch, capsys):
    engine = Knowing(room, offset=(0.3, 0.4))
    monkeypatch.setattr(recorded, 'open_engine', lambda *_, **__: engine)
    summary = run(room, tmp_path / 'out')
    wrong = sum(q.task == 'obj_appearance_order' for q in engine.quiz)
    assert summary['quiz'] == {
        'asked': 8,
        'right': 8 - wrong,
        'answers': 5,
        'answers_right': 5 - wrong,
        'places': 3,
        'places_right': 3,
    }
    for answer in summary['answers'][5:]:
        assert answer['distance_m'] == pytest.approx(0.5, abs=0.05)
        assert answer['angle_deg'] < 2.0
    said = capsys.readouterr().out
    assert f'quiz: {8 - wrong} of 8 right' in said and said.count('; true: ') == 8
    page = (tmp_path / 'out/report.html').read_text()
    assert page.count('badge bad') == wrong
    assert page.count('class="true"') == 3 + sum(
        q.situation is not None and q.task != PLACE for q in engine.quiz
    )


def test_the_small_model_is_asked_too_and_its_wrong_answers_are_wrong(
    room, shipped_weights, tmp_path
):
    """With random weights nothing but luck is right."""
    short = tmp_path / 'short.jsonl'
    write_quiz(read_quiz(room / NAME)[4:6], short)
    asked = ['--ground-truth', TRUTH, '--quiz', str(short)]
    assert main(['run', str(room), '-o', str(tmp_path / 'out'), *asked]) == 0
    summary = json.loads((tmp_path / 'out/summary.json').read_text())
    words, place = summary['answers']
    assert words['engine'].startswith('Loc3R-VLM') and not words['right']
    assert place['right'] == (place['distance_m'] <= 1.0 and place['angle_deg'] <= 30.0)


def test_what_cannot_be_asked_is_refused(room, tmp_path, capsys):
    out = ['-o', str(tmp_path / 'out')]
    assert main(['run', str(room), *out, '--quiz', str(room / NAME)]) == 2
    assert 'add --ground-truth TOPIC' in capsys.readouterr().err
    both = [*out, '--ground-truth', TRUTH, '--quiz']
    assert main(['run', str(room), *both, str(tmp_path / 'none.jsonl')]) == 2
    assert 'no questions there' in capsys.readouterr().err
    goal = tmp_path / 'goal.jsonl'
    write_quiz([Question('goal', 'Go to the sofa.', (), 'sofa', place=(1.0, 0.0, 0.0))], goal)
    assert main(['run', str(room), *both, str(goal)]) == 2
    assert 'of the kind goal cannot be asked here' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
