# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Replies to questions whose answers are known: what is true, and whether it was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import atan2, degrees, hypot, isnan, nan, pi, radians, remainder
from typing import Any, Literal

from loc3r_ros.evaluation.situated_answers import exact_match
from loc3r_ros.evaluation.video_tasks import (
    choice_accuracy,
    mean_relative_accuracy,
    parse_number,
)
from loc3r_ros.geometry import Array, exp_so3, pose
from loc3r_ros.types import AgentPose

RIGHT_NUMBER = 0.5
"""A number is right from this mean relative accuracy on: where it is off by 30 % at most."""

RIGHT_M, RIGHT_RAD = 1.0, radians(30.0)
"""A place is right within both, the wider ones of the figures published for SQA3D."""

RULE = (
    'Right is: the letter of the true option; a number that is off by 30 % at most (mean relative '
    'accuracy of 0.5); the true words exactly; a place within 1 m and 30° of the true one.'
)


@dataclass(frozen=True)
class Truth:
    """What is true of something that is asked.

    Attributes:
        metric: how an answer is scored; `pose`: only a place is asked for.
        answer: a letter, a number, words; empty for a pose.
        told: the answer in full, as an option with its letter.
        pose: x and y, m, and yaw, rad, of whoever asks, in the frame of the ground truth; None
            where nobody in particular does.
    """

    metric: Literal['choice', 'number', 'words', 'pose']
    answer: str = ''
    told: str = ''
    pose: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Grade:
    """How a reply compares.

    Attributes:
        is_place: whether a place was asked for, not an answer.
        is_right: by `RULE`.
        score: 0 to 1 by the metric of the benchmark; of a place 0 or 1.
        truth: in words.
        true_pose: x, y (m) and yaw (rad) in `map` of whoever asks; None where nobody does, or where
            nothing ties `map` to the ground truth.
        distance_m, angle_rad: of the told pose from the true one; NaN where either is not known.
    """

    is_place: bool
    is_right: bool
    score: float
    truth: str
    true_pose: tuple[float, float, float] | None = None
    distance_m: float = nan
    angle_rad: float = nan

    @property
    def off(self) -> str:
        """How far the told pose is from the true one, in words."""
        if isnan(self.distance_m):
            return 'no place told'
        return f'{self.distance_m:.2f} m and {degrees(self.angle_rad):.0f}° off'

    def record(self) -> dict[str, Any]:
        """As summary.json holds it, beside the reply."""
        out: dict[str, Any] = {'truth': self.truth, 'right': self.is_right, 'score': self.score}
        if self.true_pose is not None:
            x, y, yaw = self.true_pose
            out['true_pose'] = {'x': x, 'y': y, 'yaw': yaw}
            out['distance_m'], out['angle_deg'] = self.distance_m, degrees(self.angle_rad)
        return out


def grade(truth: Truth, told: str, agent: AgentPose, T_map_truth: Array | None) -> Grade | None:
    """Compare.

    Args:
        truth: what is true.
        told: the answer; empty where there is none.
        agent: where whoever asks stands, as it was told.
        T_map_truth: (4, 4), frame of the ground truth in `map`; None: not known.

    Returns:
        None for a place that cannot be compared, since nothing ties `map` to the ground truth.
    """
    true = None if truth.pose is None or T_map_truth is None else _in_map(truth.pose, T_map_truth)
    distance, angle = nan, nan
    if true is not None and agent.found:
        x, y, yaw = planar(agent.T_map_agent)
        distance = hypot(x - true[0], y - true[1])
        angle = abs(remainder(yaw - true[2], 2 * pi))
    if truth.metric == 'pose':
        if true is None:
            return None
        right = distance <= RIGHT_M and angle <= RIGHT_RAD
        return Grade(True, right, float(right), in_words(*true), true, distance, angle)
    score = _score(truth, told)
    right = score >= (RIGHT_NUMBER if truth.metric == 'number' else 1.0)
    return Grade(False, right, score, truth.told or truth.answer, true, distance, angle)


def planar(T: Array) -> tuple[float, float, float]:
    """x, y (m) and yaw (rad) of a pose (4, 4)."""
    return float(T[0, 3]), float(T[1, 3]), atan2(T[1, 0], T[0, 0])


def in_words(x: float, y: float, yaw: float) -> str:
    """A pose in `map`, short."""
    return f'x = {x:.2f} m, y = {y:.2f} m, facing {degrees(yaw):.0f}°'


def tally(grades: Iterable[Grade | None]) -> dict[str, int]:
    """How many answers and places there are, and how many of them are right."""
    known = [grade for grade in grades if grade is not None]
    places = [grade for grade in known if grade.is_place]
    answers = [grade for grade in known if not grade.is_place]
    return {
        'asked': len(known),
        'right': sum(grade.is_right for grade in known),
        'answers': len(answers),
        'answers_right': sum(grade.is_right for grade in answers),
        'places': len(places),
        'places_right': sum(grade.is_right for grade in places),
    }


def told_tally(counts: dict[str, int]) -> str:
    """`4 of 8 right: 3 of 5 answers, 1 of 3 places`."""
    return (
        f'{counts["right"]} of {counts["asked"]} right: {counts["answers_right"]} of '
        f'{counts["answers"]} answers, {counts["places_right"]} of {counts["places"]} places'
    )


def _score(truth: Truth, told: str) -> float:
    if truth.metric == 'choice':
        return choice_accuracy(told, truth.answer)
    if truth.metric == 'number':
        return mean_relative_accuracy(parse_number(told), float(truth.answer))
    return float(exact_match(told, [truth.answer]))


def _in_map(true: tuple[float, float, float], T_map_truth: Array) -> tuple[float, float, float]:
    x, y, yaw = true
    T = T_map_truth @ pose(exp_so3((0.0, 0.0, yaw)), (x, y, 0.0))
    return planar(T)
