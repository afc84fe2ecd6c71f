# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""ScanQA: questions about a scan and its objects. Azuma et al., arXiv 2112.10482."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.evaluation.readers.fields import Field, read_json


@dataclass(frozen=True)
class ScanQuestion:
    """One question about a scan.

    Attributes:
        question_id: such as `val-scene0015-0`.
        scene_id: name of the scan.
        question: in words.
        answers: the true answers, each as good as the others.
        object_ids: instances of the scan that the question is about.
        object_names: their categories, in the same order.
    """

    question_id: str
    scene_id: str
    question: str
    answers: tuple[str, ...]
    object_ids: tuple[int, ...]
    object_names: tuple[str, ...]


def read_scanqa(path: Path) -> list[ScanQuestion]:
    """Questions in their order in the file, `ScanQA_v1.0_train.json` or `..._val.json`.

    The test splits have no answers, so nothing can be scored on them here.

    Raises:
        InputError: the file cannot be read, or a field is missing or of the wrong kind; the
            message names file and field.
    """
    return [scan_question(row) for row in read_json(path)]


def scan_question(row: Field) -> ScanQuestion:
    """One record, with at least one answer and a name for every object."""
    answers = row['answers'].texts()
    if not answers:
        row['answers'].fail('at least one answer')
    ids = tuple(field.integer() for field in row['object_ids'])
    names = row['object_names'].texts()
    if len(names) != len(ids):
        row['object_names'].fail(f'one name for each of {len(ids)} object_ids')
    return ScanQuestion(
        row['question_id'].text(),
        row['scene_id'].text(),
        row['question'].text(),
        answers,
        ids,
        names,
    )
