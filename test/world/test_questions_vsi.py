# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions about furnished rooms: the same from the same seed, and of no use to the blind."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from question_scene import furnished, visit_all

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.evaluation.baselines import frequent_answers
from loc3r_ros.evaluation.video_tasks import VSI_BENCH
from loc3r_ros.world.questions.visit import Visit, count_pixels
from loc3r_ros.world.questions.vsi import VSI_TASKS, vsi_questions
from loc3r_ros.world.renderer import Renderer
from loc3r_ros.world.robot import optical_poses
from loc3r_ros.world.tour import Tour

ROOMS, COUNT = 5, 12


@pytest.fixture(scope='module')
def visits():
    """Rooms that a video shows item by item, in an order of its own."""
    rng = np.random.default_rng(1)
    scenes = [furnished(seed) for seed in range(ROOMS)]
    return [visit_all(s, first=rng.integers(0, 18, len(s.items)).tolist()) for s in scenes]


@pytest.fixture(scope='module')
def questions(visits):
    return [question for visit in visits for question in vsi_questions(visit, COUNT)]


def test_what_the_renderer_sees_can_be_asked_about():
    scene = furnished(0)
    camera = PinholeCamera(32, 24, 27.0, 27.0, 15.5, 11.5)
    view = Renderer(scene, 'cpu').render(camera, optical_poses(Tour(scene).poses([0.0]))[0])
    pixels = count_pixels(view.instance.numpy(), len(scene.items))
    assert pixels.sum() == 32 * 24
    assert 0 < len(Visit(scene, np.zeros(1), pixels).named) < 12


def test_every_type_is_asked(questions):
    counts = Counter(question.task for question in questions)
    assert set(counts) == set(VSI_BENCH.types) == set(VSI_TASKS)
    assert counts.pop('room_size_estimation') == ROOMS
    assert counts.pop('object_counting') >= 2 * ROOMS
    assert all(count >= 0.8 * ROOMS * COUNT for count in counts.values()), counts


def test_the_seed_alone_decides(visits):
    first = vsi_questions(visits[0], 4)
    assert vsi_questions(visits[0], 4) == first
    assert vsi_questions(visits[0], 4, seed=1) != first


def test_no_question_comes_twice(visits):
    for visit in visits:
        asked = Counter((q.task, q.text, q.answer) for q in vsi_questions(visit, COUNT))
        repeated = [key for key, times in asked.items() if times > 1]
        assert not repeated


def test_letters_are_even(questions):
    """Each letter's count lies within three standard deviations of an even deal."""
    for task in set(VSI_BENCH.types) - VSI_BENCH.numbers:
        asked = [question for question in questions if question.task == task]
        letters = [option[0] for option in asked[0].options]
        share = 1.0 / len(letters)
        spread = np.sqrt(len(asked) * share * (1.0 - share))
        for letter in letters:
            count = sum(question.answer == letter for question in asked)
            assert abs(count - share * len(asked)) <= 3.0 * spread, (task, letter)


def test_left_and_right_are_even(questions):
    for level in ('easy', 'medium', 'hard'):
        asked = [q for q in questions if q.task == f'object_rel_direction_{level}']
        said = Counter(q.options['ABCD'.index(q.answer)][3:] for q in asked)
        assert max(said.values()) - min(said.values()) <= ROOMS, said


def test_the_blind_do_not_profit(questions):
    """The best constant answer of each type, learnt from these very questions."""
    tasks, answers = zip(*((q.task, q.answer) for q in questions), strict=True)
    constant = frequent_answers(tasks, answers, VSI_BENCH.numbers)
    scores = [VSI_BENCH.score(q.task, constant[q.task], q.answer) for q in questions]
    summary = VSI_BENCH.summarize(tasks, scores)
    for task, score in summary.per_type.items():
        print(f'{task:30} {tasks.count(task):4} questions, blind {100 * score:5.1f} %')
    print(f'mean over the eight tasks: {100 * summary.overall:.1f} %')
    for task in set(VSI_BENCH.types) - VSI_BENCH.numbers:
        options = next(len(q.options) for q in questions if q.task == task)
        assert summary.per_type[task] <= 1.0 / options + 0.10, task
