# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Show videos, ask all about them, write down what was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.episode import Episode, Place, Pose, Reply
from loc3r_ros.evaluation.journal import Journal
from loc3r_ros.evaluation.localization import yaw_of
from loc3r_ros.evaluation.subject import Asked, Subject
from loc3r_ros.evaluation.video_tasks import VSI_BENCH, VSTI_BENCH
from loc3r_ros.geometry import Array
from loc3r_ros.training.bank import Bank, Video
from loc3r_ros.training.loc3r_examples import asked
from loc3r_ros.types import AgentPose
from loc3r_ros.vlm.situated import bev_in_map
from loc3r_ros.world.questions.question import Situation
from loc3r_ros.world.questions.situated import KINDS, offered
from loc3r_ros.world.splits import scene_of

SITUATED_TASKS = tuple(f'situated_{kind}' for kind in KINDS)

TASKS: Mapping[str, Sequence[str]] = {
    'localization': (),
    'vsi': VSI_BENCH.types,
    'vsti': VSTI_BENCH.types,
    'situated': SITUATED_TASKS,
}
"""What can be examined, and the tasks of its questions."""


def examine(
    subject: Subject,
    bank: Bank,
    seeds: Iterable[int],
    parts: Sequence[str] = tuple(TASKS),
    journal: Journal[Episode] | None = None,
) -> Iterator[Episode]:
    """Episodes of scenes, one after another as they are done; half of them are hand-held.

    Args:
        subject: looks and answers.
        bank: makes the videos, or has them.
        seeds: of the scenes.
        parts: names of `TASKS`.
        journal: has what was done before, and gets what is new.

    Raises:
        InputError: an unknown part.
    """
    tasks_of(parts)
    for seed in seeds:
        episode = journal.records.get(seed) if journal else None
        if episode is None:
            episode = _examine(subject, bank, seed, parts)
            if journal:
                journal.add(episode)
        yield episode


def tasks_of(parts: Sequence[str]) -> set[str]:
    """Tasks of the questions that these parts ask.

    Raises:
        InputError: there is no such part.
    """
    if unknown := set(parts) - set(TASKS):
        raise InputError(f'{", ".join(sorted(unknown))}: no part; use {", ".join(TASKS)}')
    return {task for part in parts for task in TASKS[part]}


def _examine(subject: Subject, bank: Bank, seed: int, parts: Sequence[str]) -> Episode:
    number, scene = seed % 2, scene_of(seed)
    video = bank.video(seed, number)
    subject.watch(video, seed, number)
    T_map_bev = bev_in_map(video.footage.T_map_optical[0])
    width, depth = scene.size[:2].tolist()
    return Episode(
        seed,
        number,
        float(yaw_of(T_map_bev)),
        (width, depth),
        tuple((float(x), float(y)) for x, y in (room.size for room in scene.rooms)),
        _places(subject, video, T_map_bev) if 'localization' in parts else (),
        _replies(subject, video, tasks_of(parts)),
    )


def _places(subject: Subject, video: Video, T_map_bev: Array) -> tuple[Place, ...]:
    told = subject.localize([_wording(s, k) for k, s in enumerate(video.situations)])
    return tuple(
        Place((*situation.position, situation.yaw), *_told(agent, T_map_bev))
        for situation, agent in zip(video.situations, told, strict=True)
    )


def _replies(subject: Subject, video: Video, tasks: set[str]) -> tuple[Reply, ...]:
    questions = [question for question in video.questions if question.task in tasks]
    told = subject.answer(
        [
            Asked(asked(q), _wording(q.situation, k) if q.situation else '')
            for k, q in enumerate(questions)
        ]
    )
    return tuple(
        Reply(q.task, q.answer, words, len(q.options or offered(q)))
        for q, words in zip(questions, told, strict=True)
    )


def _wording(situation: Situation, k: int) -> str:
    """Wordings in turn: each is enough alone."""
    return situation.wordings[k % len(situation.wordings)]


def _told(agent: AgentPose, T_map_bev: Array) -> tuple[Pose | None, Pose | None]:
    """The pose and, along the axes that a model speaks of, its sigma."""
    if not agent.found:
        return None, None
    x, y = agent.T_map_agent[:2, 3].tolist()
    told = x, y, float(yaw_of(agent.T_map_agent))
    if np.isnan(agent.covariance).any():
        return told, None
    R = T_map_bev[:2, :2]
    along, across = np.sqrt(np.diag(R.T @ agent.covariance[:2, :2] @ R)).tolist()
    return told, (along, across, float(np.sqrt(agent.covariance[5, 5])))
