# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How well questions are answered, beside who answers without looking."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.evaluation.bootstrap import Interval, bootstrap_intervals
from loc3r_ros.evaluation.episode import Episode, Reply
from loc3r_ros.evaluation.situated_answers import KINDS, exact_match, refined_match
from loc3r_ros.evaluation.table import Cell, Table
from loc3r_ros.evaluation.video_tasks import VideoBenchmark

Frequent = Mapping[str, str]
"""By task the answer that is given to all of its questions."""

BLIND = (
    '"frequency" gives to all questions of a type the answer that was the most frequent in '
    'training scenes, or the median where that is a number'
)

MEAN = 'mean over the tasks'

_Rows = NDArray[np.int64]


def video_table(
    benchmark: VideoBenchmark, episodes: Sequence[Episode], frequent: Frequent
) -> Table | None:
    """Scores by task and their mean over the tasks; None where nothing of it was asked."""
    scenes, replies = _replies(episodes, benchmark.types)
    if not replies:
        return None
    types = np.array([reply.task for reply in replies])
    scores = 100 * np.array([_scores(benchmark, reply, frequent) for reply in replies])
    names = (*benchmark.tasks, MEAN)

    def figures(rows: _Rows) -> list[float]:
        means = [benchmark.summarize(types[rows], column) for column in scores[rows].T]
        lead = means[0].overall - means[1].overall
        return [*(x for mean in means for x in (*mean.per_task.values(), mean.overall)), lead]

    *cells, lead = map(_known, bootstrap_intervals(figures, scenes))
    columns = (cells[k :: len(names)] for k in range(len(names)))
    asked = [int(np.isin(types, kinds).sum()) for kinds in benchmark.tasks.values()]
    table: dict[str, tuple[Cell, ...]] = {
        name: (count, *column)
        for name, count, column in zip(names, (*asked, len(replies)), columns, strict=True)
    }
    table['lead over frequency'] = (None, lead, None, None)
    note = (
        f'{len(replies)} questions in {len(set(scenes))} scenes. {BLIND}; "chance" draws one of '
        'the options.'
    )
    heads = ('questions', 'model, %', 'frequency, %', 'chance, %')
    return Table(f'{benchmark.name} tasks', note, heads, table)


def _scores(
    benchmark: VideoBenchmark, reply: Reply, frequent: Frequent
) -> tuple[float, float, float]:
    """Of the model, of the frequent answer, and of chance, which a number has none of."""
    guess = frequent.get(reply.task, '')
    said, blind = (benchmark.score(reply.task, x, reply.truth) for x in (reply.told, guess))
    return said, blind, 1 / reply.options if reply.options else nan


def situated_table(episodes: Sequence[Episode], frequent: Frequent) -> Table | None:
    """Exact and refined match by kind of question and over all; None where nothing was asked."""
    scenes, replies = _replies(episodes, [f'situated_{kind}' for kind in KINDS])
    if not replies:
        return None
    scores = [_matches(reply, frequent.get(reply.task, '')) for reply in replies]
    columns = 100 * np.array(scores, np.float64).T

    def row(asked: _Rows) -> tuple[Cell, ...]:
        if not asked.size:
            return (0, *len(columns) * (None,))
        means = bootstrap_intervals(
            lambda rows: columns[:, asked[rows]].mean(1).tolist(), [scenes[k] for k in asked]
        )
        return (len(asked), *means)

    tasks = np.array([reply.task for reply in replies])
    table = {kind: row(np.flatnonzero(tasks == f'situated_{kind}')) for kind in KINDS}
    table['all'] = row(np.arange(len(replies)))
    note = (
        f'{len(replies)} questions in {len(set(scenes))} scenes. {BLIND}; "guess" draws one of '
        'what the question offers ("the sofa or the fridge?"), or is the frequent one if none is.'
    )
    heads = ('EM', 'frequency, EM', 'guess, EM', 'EM-R', 'frequency, EM-R')
    return Table(
        'Situated questions', note, ('questions', *(f'{head}, %' for head in heads)), table
    )


def _matches(reply: Reply, frequent: str) -> tuple[float, ...]:
    """Exact match of the model, the frequent answer and a guess; refined match of the first two."""
    told, often = (
        [match(words, [reply.truth]) for match in (exact_match, refined_match)]
        for words in (reply.told, frequent)
    )
    guess = 1 / reply.options if reply.options else often[0]
    return told[0], often[0], guess, told[1], often[1]


def _replies(episodes: Sequence[Episode], tasks: Collection[str]) -> tuple[list[int], list[Reply]]:
    """Scenes and replies of these tasks."""
    of = [(e.seed, reply) for e in episodes for reply in e.replies if reply.task in tasks]
    return [seed for seed, _ in of], [reply for _, reply in of]


def _known(cell: Interval) -> Interval | None:
    return None if isnan(cell.value) else cell
