# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""All questions about a visit: each with its metric, kept as JSON, and of no use to the blind."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from question_scene import furnished, room, visit_all

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.baselines import frequent_answers
from loc3r_ros.evaluation.situated_answers import KINDS
from loc3r_ros.evaluation.video_tasks import VSI_BENCH, VSTI_BENCH
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.world.questions.catalog import METRICS, catalog
from loc3r_ros.world.questions.storage import question_from_json, question_to_json
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.tour import Tour

ROOMS, COUNT = 3, 12


def visit(seed):
    """A room toured in 20 frames that show everything."""
    scene, tour = furnished(seed), Tour(furnished(seed))
    first = np.random.default_rng(seed).integers(0, 18, len(scene.items)).tolist()
    seen: Visit = visit_all(scene, first=first)
    poses = tour.camera_poses(np.linspace(0.0, tour.duration, len(seen.times)))
    boxes = np.where(seen.pixels[..., None] > 0, (5, 6, 15, 16), 0)
    return replace(seen, T_map_optical=poses, boxes=boxes)


@pytest.fixture(scope='module')
def visits():
    return [visit(seed) for seed in range(ROOMS)]


@pytest.fixture(scope='module')
def questions(visits):
    return [question for seen in visits for question in catalog(seen, COUNT)]


def test_metrics_are_those_of_the_evaluation():
    for benchmark in (VSI_BENCH, VSTI_BENCH):
        for task in benchmark.types:
            assert METRICS[task] == ('number' if task in benchmark.numbers else 'choice')
    assert {f'situated_{kind}' for kind in KINDS} == {t for t, m in METRICS.items() if m == 'words'}


def test_every_task_is_asked_and_has_a_metric(questions):
    counts = Counter(question.task for question in questions)
    assert set(counts) == set(METRICS)
    assert max(counts.values()) <= ROOMS * COUNT
    few = {'room_size_estimation', 'object_counting', 'situated_can', 'situated_how'}
    assert min(count for task, count in counts.items() if task not in few) >= 0.6 * ROOMS * COUNT


def test_answers_are_of_the_kind_that_the_metric_reads(questions):
    for question in questions:
        metric = METRICS[question.task]
        if metric == 'choice':
            letters = [option[:3] for option in question.options]
            assert letters == [f'{letter}. ' for letter in 'ABCD'[: len(letters)]]
            assert f'{question.answer}. ' in letters
            assert len(set(question.options)) == len(question.options)
        else:
            assert question.options == ()
        if metric == 'number':
            assert float(question.answer) > 0
        assert (question.place is not None) == (metric == 'place')


def test_nothing_is_asked_twice(visits):
    for seen in visits:
        asked = Counter(question_to_json(question) for question in catalog(seen, COUNT))
        assert max(asked.values()) == 1


def test_what_the_visit_does_not_know_is_not_asked(visits):
    bare = replace(visits[0], T_map_optical=None, boxes=None)
    tasks = {question.task for question in catalog(bare, 2)}
    assert tasks > set(VSI_BENCH.types)
    assert not tasks & set(VSTI_BENCH.types)
    assert not any(task.startswith('region') for task in tasks)


def test_the_seed_decides(visits):
    first = catalog(visits[0], 2)
    assert catalog(visits[0], 2) == first
    assert catalog(visits[0], 2, seed=1) != first


def test_every_machine_asks_the_same():
    """A digest of all questions about a made-up room; it changes only with the rules."""
    spots = {'sofa': (-2.03, -1.81), 'bed': (2.07, -1.52), 'door': (2.51, 1.54), 'box': (0.1, 1.93)}
    spots |= {'fridge': (-2.01, 1.53), 'rug': (0.31, 0.02), 'stool': (0.04, -2.02)}
    things = [(name, at, (0.5, 0.41, 0.2), 0.1) for name, at in spots.items()]
    things += [('chair', (1.1, 0.9)), ('chair', (-1.2, 0.4))]
    turned = [pose(exp_so3((0.0, 0.0, 0.3 * k)), (0.1 * k - 1.0, 0.1, 0.5)) for k in range(20)]
    seen = visit_all(room(*things), first=[2 * k for k in range(9)])
    boxes = np.where(seen.pixels[..., None] > 0, (5, 6, 15, 16), 0)
    asked = catalog(replace(seen, T_map_optical=turned @ T_BODY_OPTICAL, boxes=boxes), 4)
    # Poses are left out: their last digits are the processor's.
    said = [part for q in asked for part in (q.text, *q.options, q.answer)]
    assert len(asked) > 100
    assert sha256('|'.join(said).encode()).hexdigest()[:16] == '6d0c19c9c95262b3'


def test_questions_are_kept_as_json(questions):
    lines = [question_to_json(question) for question in questions]
    assert [question_from_json(line) for line in lines] == questions
    assert all('\n' not in line for line in lines)
    assert pickle.loads(pickle.dumps(questions)) == questions  # noqa: S301


@pytest.mark.parametrize(
    'spoil',
    [
        lambda row: row.pop('answer'),
        lambda row: row.update(colour='red'),
        lambda row: row.update(regions=[{'frame': 1}]),
        lambda row: row.update(situation={'text': 'Here.', 'wordings': [], 'position': [1]}),
    ],
)
def test_what_is_no_question_is_refused(questions, spoil):
    row = json.loads(question_to_json(questions[0]))
    spoil(row)
    with pytest.raises(InputError, match='is no question'):
        question_from_json(json.dumps(row))
    with pytest.raises(InputError, match='is no question'):
        question_from_json('[')


def test_blind_letters_stay_at_chance(questions):
    """The best constant letter of each task, learnt from these very questions."""
    tasks, answers = zip(*((q.task, q.answer) for q in questions), strict=True)
    constant = frequent_answers(tasks, answers)
    for task in (task for task, metric in METRICS.items() if metric == 'choice'):
        asked = [q for q in questions if q.task == task]
        right = np.mean([q.answer == constant[task] for q in asked])
        chance = 1.0 / len(asked[0].options)
        print(
            f'{task:30} {len(asked):3} questions, blind {100 * right:5.1f} % of {100 * chance:.0f}'
        )
        # A deal is uneven by one letter in each room.
        assert right <= chance + ROOMS / len(asked), task


def test_blind_words_stay_at_chance(questions):
    """The most frequent right option by its words: no direction, side or order is likelier."""
    for task in (task for task, metric in METRICS.items() if metric == 'choice'):
        asked = [q for q in questions if q.task == task and 'Region [0]' not in q.options[0]]
        said = Counter(q.options['ABCD'.index(q.answer)][3:] for q in asked)
        options = Counter(option[3:] for q in asked for option in q.options)
        if len(options) > 9 or not asked:
            continue  # names of things: see the test of each task
        chance = 1.0 / len(asked[0].options)
        # Of all that it was offered for, how often the likeliest answer was right.
        best = max(said[name] / options[name] for name in said)
        assert best <= chance + 2.0 * np.sqrt(chance / len(asked) * len(options)), (task, said)
