# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""SQA3D: situated questions with the agent's pose. Ma et al., arXiv 2210.07474; CC BY 4.0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.localization import sqa3d_agent
from loc3r_ros.evaluation.readers.fields import Field, read_json
from loc3r_ros.evaluation.situated_answers import question_kind
from loc3r_ros.geometry import Array


@dataclass(frozen=True, eq=False)
class Sqa3dQuestion:
    """One question with its situation.

    Attributes:
        question_id: joins questions and annotations.
        scene_id: ScanNet's name of the scan.
        situation: where the agent is, in words.
        alternatives: other wordings of the situation, none to two.
        question: about the scene as that agent sees it.
        answers: the true answers; one in the published files.
        T_centre_agent: (4, 4) float64, agent with x along its view, in the frame of the scan
            before axis alignment with its origin at the centre of the scan's bounding box.
    """

    question_id: int
    scene_id: str
    situation: str
    alternatives: tuple[str, ...]
    question: str
    answers: tuple[str, ...]
    T_centre_agent: Array

    @property
    def kind(self) -> str:
        """Kind of question, as the published tables group them."""
        return question_kind(self.question)


def read_sqa3d(questions: Path, annotations: Path) -> list[Sqa3dQuestion]:
    """Questions in their order in the file, joined with their annotations by question_id.

    Args:
        questions: such as `v1_balanced_questions_test_scannetv2.json`.
        annotations: such as `v1_balanced_sqa_annotations_test_scannetv2.json`.

    Raises:
        InputError: a file cannot be read, a field is missing or of the wrong kind, an id occurs
            twice, or a question has no annotation; the message names file and field.
    """
    known = _by_id(read_json(annotations)['annotations'])
    joined = []
    for question_id, row in _by_id(read_json(questions)['questions']).items():
        if question_id not in known:
            raise InputError(
                f'{row.file}: {row.name}.question_id {question_id} has no annotation in '
                f'{annotations}; give both files of the same split'
            )
        joined.append(_question(question_id, row, known[question_id]))
    return joined


def situations(questions: Iterable[Sqa3dQuestion]) -> list[Sqa3dQuestion]:
    """The first question of each (scene, situation): what localization is scored on."""
    first: dict[tuple[str, str], Sqa3dQuestion] = {}
    for question in questions:
        first.setdefault((question.scene_id, question.situation), question)
    return list(first.values())


def _by_id(rows: Field) -> dict[int, Field]:
    found: dict[int, Field] = {}
    for row in rows:
        question_id = row['question_id'].integer()
        if question_id in found:
            row['question_id'].fail('an id of its own')
        found[question_id] = row
    return found


def _question(question_id: int, row: Field, annotation: Field) -> Sqa3dQuestion:
    scene_id = row['scene_id'].text()
    if annotation['scene_id'].text() != scene_id:
        annotation['scene_id'].fail(f'{scene_id}, as in the questions')
    return Sqa3dQuestion(
        question_id,
        scene_id,
        row['situation'].text(),
        row['alternative_situation'].texts(),
        row['question'].text(),
        tuple(answer['answer'].text() for answer in annotation['answers']),
        _agent(annotation),
    )


def _agent(annotation: Field) -> Array:
    # By key: the files write x, y, z, w, but the documentation's example w first.
    quaternion = [annotation['rotation'][key].number() for key in ('_x', '_y', '_z', '_w')]
    position = [annotation['position'][key].number() for key in ('x', 'y', 'z')]
    if abs(sum(v * v for v in quaternion) - 1) > 1e-3:
        annotation['rotation'].fail('a unit quaternion')
    return sqa3d_agent(position, quaternion)
