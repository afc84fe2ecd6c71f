# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Question files: small ones written here, each with one thing wrong, and the published ones."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.readers.beacon3d import read_beacon3d
from loc3r_ros.evaluation.readers.scanqa import read_scanqa
from loc3r_ros.evaluation.readers.sqa3d import Sqa3dQuestion, read_sqa3d, situations
from loc3r_ros.evaluation.readers.vsi_bench import VsiQuestion, read_vsi_bench

QUESTION = {
    'scene_id': 'room1',
    'situation': 'I stand at the sink.',
    'alternative_situation': ['The sink is in front of me.'],
    'question': 'Is the door open?',
    'question_id': 7,
}
ANNOTATION = {
    'scene_id': 'room1',
    'question_id': 7,
    'answers': [{'answer': 'yes'}],
    'rotation': {'_w': sqrt(0.5), '_x': 0, '_y': 0, '_z': sqrt(0.5)},
    'position': {'x': 1.5, 'y': -2, 'z': 0},
}
CHOICE = {
    'dataset': 'scannet',
    'scene_name': 'room1',
    'question_type': 'object_rel_distance',
    'question': 'Which is nearest?',
    'ground_truth': 'B',
    'options': ['A. sofa', 'B. table'],
}
NUMBER = CHOICE | {'question_type': 'object_counting', 'ground_truth': '3', 'options': None}
SCAN = {
    'question_id': 'room1_12_2_spatial_1',
    'scene_id': 'room1',
    'question': 'Where is it?',
    'answers': ['on the table', 'table'],
    'object_ids': [12],
    'object_names': ['cup'],
}


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


def sqa3d(folder: Path, question: dict[str, Any], annotation: dict[str, Any]) -> Any:
    return read_sqa3d(
        write(folder / 'questions.json', {'questions': [question]}),
        write(folder / 'annotations.json', {'annotations': [annotation]}),
    )


def changed(record: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    record = copy.deepcopy(record)
    change(record)
    return record


def test_sqa3d_joins_by_id_and_poses_the_agent(tmp_path: Path) -> None:
    other = QUESTION | {'question_id': 8, 'question': 'How many chairs?'}
    annotations = [ANNOTATION | {'question_id': 8}, ANNOTATION]
    first, second = read_sqa3d(
        write(tmp_path / 'q.json', {'questions': [QUESTION, other]}),
        write(tmp_path / 'a.json', {'annotations': annotations}),
    )
    assert (first.question_id, second.question_id) == (7, 8)
    assert (first.kind, second.kind) == ('is', 'how')
    assert first.answers == ('yes',)
    assert first.alternatives == ('The sink is in front of me.',)
    assert first.T_centre_agent[:3, 3].tolist() == [1.5, -2.0, 0.0]
    assert first.T_centre_agent[:3, 0] == pytest.approx([0.0, -1.0, 0.0])
    assert situations([first, second]) == [first]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda a: a.pop('position'), r'annotations\.json: annotations\[0\]\.position is missing'),
        (lambda a: a['position'].update(x='1'), r'position\.x must be a number'),
        (lambda a: a['position'].update(y=float('nan')), r'position\.y must be a finite'),
        (lambda a: a['rotation'].update(_w=2), r'rotation must be a unit quaternion'),
        (lambda a: a.update(answers=['yes']), r'answers\[0\] must be an object'),
        (lambda a: a.update(question_id='7'), r'question_id must be a whole number'),
        (lambda a: a.update(question_id=True), r'question_id must be a whole number'),
        (lambda a: a.update(scene_id='room2'), r'scene_id must be room1'),
        (lambda a: a.update(question_id=9), r'questions\[0\]\.question_id 7 has no annotation'),
    ],
)
def test_sqa3d_names_the_broken_field(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        sqa3d(tmp_path, QUESTION, changed(ANNOTATION, change))


def test_sqa3d_refuses_an_id_that_occurs_twice(tmp_path: Path) -> None:
    questions = write(tmp_path / 'q.json', {'questions': [QUESTION, QUESTION]})
    annotations = write(tmp_path / 'a.json', {'annotations': [ANNOTATION]})
    with pytest.raises(InputError, match=r'questions\[1\]\.question_id must be an id of its own'):
        read_sqa3d(questions, annotations)


def test_vsi_bench_in_each_of_its_forms(tmp_path: Path) -> None:
    lines = tmp_path / 'test.jsonl'
    lines.write_text(json.dumps(CHOICE) + '\n\n' + json.dumps(NUMBER) + '\n', encoding='utf-8')
    expected = [
        VsiQuestion(
            'scannet',
            'room1',
            'object_rel_distance',
            'Which is nearest?',
            'B',
            ('A. sofa', 'B. table'),
        ),
        VsiQuestion('scannet', 'room1', 'object_counting', 'Which is nearest?', '3'),
    ]
    assert read_vsi_bench(lines) == expected
    assert read_vsi_bench(write(tmp_path / 'a.json', [CHOICE, NUMBER])) == expected
    assert read_vsi_bench(write(tmp_path / 'b.json', {'questions': [CHOICE, NUMBER]})) == expected


@pytest.mark.parametrize(
    ('record', 'message'),
    [
        (CHOICE | {'ground_truth': 'C'}, r'\[0\]\.ground_truth must be the letter of one of 2'),
        (CHOICE | {'options': None}, r'\[0\]\.options must be a list'),
        (CHOICE | {'question_type': 'colour'}, r'\[0\]\.question_type must be one of object_count'),
        (NUMBER | {'ground_truth': 'three'}, r'\[0\]\.ground_truth must be a positive number'),
        (NUMBER | {'ground_truth': '0'}, r'\[0\]\.ground_truth must be a positive number'),
        ('B', r'\[0\] must be an object'),
    ],
)
def test_vsi_bench_names_the_broken_field(tmp_path: Path, record: object, message: str) -> None:
    with pytest.raises(InputError, match=r'a\.json: ' + message):
        read_vsi_bench(write(tmp_path / 'a.json', [record]))


def test_vsi_bench_names_the_broken_line(tmp_path: Path) -> None:
    lines = tmp_path / 'test.jsonl'
    lines.write_text(json.dumps(CHOICE) + '\n{"dataset":\n', encoding='utf-8')
    with pytest.raises(InputError, match=r'test\.jsonl, line 2 is not JSON'):
        read_vsi_bench(lines)


def test_a_kind_of_file_that_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'\.jsonl or \.json'):
        read_vsi_bench(tmp_path / 'test.parquet')


def test_scanqa_and_beacon3d(tmp_path: Path) -> None:
    path = write(tmp_path / 'qa.json', [SCAN])
    (scan,) = read_scanqa(path)
    assert scan.answers == ('on the table', 'table')
    assert (scan.object_ids, scan.object_names) == ((12,), ('cup',))
    (beacon,) = read_beacon3d(path)
    assert (beacon.object_id, beacon.number, beacon.tag) == (12, 2, 'spatial')
    assert beacon.needs_knowledge
    assert beacon.answers == scan.answers


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'answers': []}, r'\[0\]\.answers must be at least one'),
        ({'answers': 'yes'}, r'\[0\]\.answers must be a list'),
        ({'object_ids': [1.5]}, r'\[0\]\.object_ids\[0\] must be a whole number'),
        ({'object_names': []}, r'\[0\]\.object_names must be one name for each of 1'),
        ({'question': None}, r'\[0\]\.question must be text'),
        ({'question_id': 'room2_12_2_spatial_1'}, r'\[0\]\.question_id must be room1_'),
        ({'question_id': 'room1_x_2_spatial_1'}, r'\[0\]\.question_id must be room1_'),
        ({'question_id': 'room1'}, r'\[0\]\.question_id must be room1_'),
        ({'question_id': 'room1_12_2_spatial_2'}, r'\[0\]\.question_id must be an id that ends'),
    ],
)
def test_beacon3d_names_the_broken_field(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=r'qa\.json: ' + message):
        read_beacon3d(write(tmp_path / 'qa.json', [SCAN | change]))


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'{"a": ', 'is not JSON'),
        (b'[' * 100_000, 'is not JSON'),
        (b'\xff\xfe', 'cannot be read as text'),
        (b'{}', 'the file must be a list'),
        (None, 'cannot be read as text'),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / 'qa.json'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r'qa\.json.*' + message):
        read_scanqa(path)


def published(shared_dir: Path, *parts: str) -> Path:
    path = shared_dir.joinpath('data', 'qa', *parts)
    if not path.exists():
        pytest.skip(f'no published questions at {path}')
    return path


@pytest.fixture(scope='module')
def sqa3d_test(shared_dir: Path) -> list[Sqa3dQuestion]:
    name = 'v1_balanced_{}_test_scannetv2.json'
    return read_sqa3d(
        published(shared_dir, 'SQA3D', name.format('questions')),
        published(shared_dir, 'SQA3D', name.format('sqa_annotations')),
    )


@pytest.mark.shared
def test_published_sqa3d(sqa3d_test: list[Sqa3dQuestion]) -> None:
    assert len(sqa3d_test) == 1936
    assert len({question.scene_id for question in sqa3d_test}) == 37
    assert len(situations(sqa3d_test)) == 395
    assert Counter(question.kind for question in sqa3d_test) == {
        'what': 599,
        'is': 357,
        'others': 334,
        'how': 266,
        'which': 194,
        'can': 186,
    }
    first = sqa3d_test[0]
    assert (first.scene_id, first.answers) == ('scene0153_00', ('down',))
    # yaw 2 atan2(0.99957, -0.02920) = 183.35 degrees; the view is half a turn further
    assert np.rad2deg(np.arctan2(*first.T_centre_agent[1::-1, 0])) == pytest.approx(3.35, abs=0.01)


@pytest.mark.shared
def test_published_agents_stand_upright_on_the_ground(sqa3d_test: list[Sqa3dQuestion]) -> None:
    T = np.array([question.T_centre_agent for question in sqa3d_test])
    assert np.abs(T[:, :3, 2] - [0.0, 0.0, 1.0]).max() < 1e-9
    assert np.abs(T[:, 2, 3]).max() == 0.0
    assert np.abs(T[:, :2, 3]).max() < 10.0


@pytest.mark.shared
def test_published_vsi_bench(shared_dir: Path) -> None:
    questions = read_vsi_bench(published(shared_dir, 'VSI-Bench', 'scene0207_02_questions.json'))
    assert len(questions) == 31
    assert Counter(len(question.options) for question in questions) == {0: 18, 4: 10, 3: 3}


@pytest.mark.shared
def test_published_scanqa(shared_dir: Path) -> None:
    questions = read_scanqa(published(shared_dir, 'ScanQA', 'ScanQA_v1.0_val.json'))
    assert len(questions) == 2441
    assert len({question.scene_id for question in questions}) == 39


@pytest.mark.shared
@pytest.mark.parametrize(
    ('domain', 'objects'), [('scannet', 227), ('3rscan', 127), ('multiscan', 61)]
)
def test_published_beacon3d(shared_dir: Path, domain: str, objects: int) -> None:
    questions = read_beacon3d(published(shared_dir, 'Beacon3D', f'{domain}_qa.json'))
    per_object = Counter((question.scene_id, question.object_id) for question in questions)
    assert len(per_object) == objects
    assert set(per_object.values()) == {3}
