# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""VSI-Bench: questions about a walk-through video. Yang et al., arXiv 2412.14171; Apache-2.0."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.readers.fields import Field, read_json, read_json_lines
from loc3r_ros.evaluation.video_tasks import VSI_BENCH, choice_accuracy, parse_number


@dataclass(frozen=True)
class VsiQuestion:
    """One question about a video.

    Attributes:
        dataset: arkitscenes, scannet or scannetpp.
        scene_name: of the video, in its data set.
        question_type: raw type, one of `VSI_BENCH.types`.
        question: without options and instructions.
        truth: letter of the right option, or the number, as text.
        options: with their letters, such as 'A. table'; none where a number is asked for.
    """

    dataset: str
    scene_name: str
    question_type: str
    question: str
    truth: str
    options: tuple[str, ...] = ()


def read_vsi_bench(path: Path) -> list[VsiQuestion]:
    """Questions in their order in the file.

    Args:
        path: `test.jsonl` of the data set, one record to a line; or a .json file with a list of
            records or an object with such a list as `questions`.

    Raises:
        InputError: the file cannot be read, or a record is not sound; names file and field.
    """
    if path.suffix == '.jsonl':
        return [_question(row) for row in read_json_lines(path)]
    if path.suffix != '.json':
        raise InputError(f'{path}: questions of VSI-Bench are read from .jsonl or .json')
    content = read_json(path)
    rows = content['questions'] if isinstance(content.value, dict) else content
    return [_question(row) for row in rows]


def _question(row: Field) -> VsiQuestion:
    kind = row['question_type'].text()
    if kind not in VSI_BENCH.types:
        row['question_type'].fail('one of ' + ', '.join(VSI_BENCH.types))
    truth = row['ground_truth'].text()
    options: tuple[str, ...] = ()
    if kind in VSI_BENCH.numbers:
        if not (parse_number(truth) or 0) > 0:
            row['ground_truth'].fail('a positive number, as text')
    else:
        options = row['options'].texts()
        if not any(choice_accuracy(option, truth) for option in options):
            row['ground_truth'].fail(f'the letter of one of {len(options)} options')
    return VsiQuestion(
        row['dataset'].text(),
        row['scene_name'].text(),
        kind,
        row['question'].text(),
        truth,
        options,
    )
