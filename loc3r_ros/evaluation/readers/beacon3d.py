# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Beacon3D: three questions on each object. Huang et al., arXiv 2503.22420; Apache-2.0.

Its files are ScanQA's with more in the id: `{scene}_{object}_{number}_{tag}_{extra}`. The published
score needs a language model as judge; what can be told without one is exact and refined match.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.evaluation.readers.fields import Field, read_json
from loc3r_ros.evaluation.readers.scanqa import ScanQuestion, scan_question


@dataclass(frozen=True)
class BeaconQuestion(ScanQuestion):
    """One question about one object of a scan.

    Attributes:
        object_id: the instance; an object counts as understood with all its questions right.
        number: which of the object's questions, from 0.
        tag: what is asked for: appearance, class, existence, functionality, geometry or spatial.
        needs_knowledge: whether more than the object's own description is needed.
    """

    object_id: int
    number: int
    tag: str
    needs_knowledge: bool


def read_beacon3d(path: Path) -> list[BeaconQuestion]:
    """Questions in their order in the file, such as `scannet_qa.json`.

    Raises:
        InputError: the file cannot be read, or a field is missing or of the wrong kind; the
            message names file and field.
    """
    return [_question(row) for row in read_json(path)]


def _question(row: Field) -> BeaconQuestion:
    base = scan_question(row)
    scene, *parts = base.question_id.rsplit('_', 4)
    if scene != base.scene_id or len(parts) != 4 or not all(p.isdecimal() for p in parts[:2]):
        row['question_id'].fail(f'{base.scene_id}_(object)_(number)_(tag)_(0 or 1)')
    object_id, number, tag, extra = int(parts[0]), int(parts[1]), parts[2], parts[3]
    if extra not in ('0', '1'):
        row['question_id'].fail('an id that ends in _0 or _1')
    return BeaconQuestion(
        **vars(base), object_id=object_id, number=number, tag=tag, needs_knowledge=extra == '1'
    )
