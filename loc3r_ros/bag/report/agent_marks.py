# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where answers point to: an ellipse and a fan of headings, each of two standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.answers.grading import Grade
from loc3r_ros.answers.messages import shown_pose
from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.report.axes import path
from loc3r_ros.bag.report.map_view import MapView
from loc3r_ros.bag.report.markup import Markup, element

Array = NDArray[np.float64]

SIGMAS = 2.0
"""In the plane this ellipse holds 86 of 100; the fan, in one dimension, 95."""

_FAN_M = 0.8
_WIDEST_M = 5.0
"""An ellipse that is wider would cover the map; it stands for `somewhere here`."""


@dataclass(frozen=True, eq=False)
class AgentMark:
    """One place on the map.

    Attributes:
        number: of the answer in the list, from 1.
        told: the answer.
        is_goal: a goal is chosen, not measured: it has neither ellipse nor fan.
        position: (2,) m.
        yaw: rad.
        ellipse: (m, 2) m, closed.
        fan: (m, 2) m, closed; the whole circle where nothing is known of the heading.
        true: x, y (m) and yaw (rad) of where it truly is; None where that is not known.
    """

    number: int
    told: str
    is_goal: bool
    position: Array
    yaw: float
    ellipse: Array
    fan: Array
    true: tuple[float, float, float] | None = None


def agent_marks(replies: Sequence[Reply], grades: Sequence[Grade | None] = ()) -> list[AgentMark]:
    """The marks of the replies that point somewhere, with what is true, where that is known."""
    marks = []
    for number, (reply, grade) in enumerate(zip_longest(replies, grades), 1):
        posed = shown_pose(reply)
        is_goal = reply.goal is not None
        # A question without a situation was asked from where the camera is, which is no answer.
        if posed is None or not (is_goal or reply.situation or not reply.question):
            continue
        T, covariance = posed
        at, yaw = T[:2, 3], float(np.arctan2(T[1, 0], T[0, 0]))
        ellipse = at + ellipse_of(covariance[:2, :2])
        fan = at + fan_of(yaw, float(np.sqrt(covariance[5, 5])))
        true = None if grade is None else grade.true_pose
        marks.append(AgentMark(number, reply.told, is_goal, at, yaw, ellipse, fan, true))
    return marks


def ellipse_of(covariance: Array) -> Array:
    """Outline (49, 2), m, of `SIGMAS` around zero, no wider than 10 m."""
    variances, axes = np.linalg.eigh(covariance)
    radii = np.minimum(SIGMAS * np.sqrt(np.maximum(variances, 0.0)), _WIDEST_M)
    turn = np.linspace(0.0, 2 * np.pi, 49)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1) * radii @ axes.T


def fan_of(yaw: float, sigma: float) -> Array:
    """Outline (m, 2), m, of the headings within `SIGMAS`, around zero."""
    half = min(SIGMAS * sigma, np.pi)
    turn = yaw + np.linspace(-half, half, 33)
    rim = _FAN_M * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.concatenate([np.zeros((1, 2)), rim, np.zeros((1, 2))])


def positions_of(marks: Sequence[AgentMark]) -> Array:
    """(k, 2) m, of what is told and of what is true."""
    true = [mark.true[:2] for mark in marks if mark.true is not None]
    return np.array([*(mark.position for mark in marks), *true]).reshape(-1, 2)


def doubt_layer(view: MapView, marks: Sequence[AgentMark]) -> Markup:
    """How sure the marks are; it lies below the trajectory, which it would hide."""
    shapes = [_doubt(view, mark) for mark in marks if not mark.is_goal]
    return element('g', *shapes, class_='agents')


def marks_layer(view: MapView, marks: Sequence[AgentMark]) -> Markup:
    """The marks on the map of the page, numbered as in the table."""
    return element(
        'g',
        *(_truth(view, mark) for mark in marks if mark.true is not None),
        *(_place(view, mark) for mark in marks),
        class_='agents',
    )


def _doubt(view: MapView, mark: AgentMark) -> Markup:
    return element(
        'g',
        element('path', class_='doubt', d=path(view(mark.ellipse))),
        element('path', class_='fan', d=path(view(mark.fan))),
        class_='agent',
    )


def _truth(view: MapView, mark: AgentMark) -> Markup:
    """A ring with the number where it truly is, and a line to it from where it was told."""
    assert mark.true is not None
    at, yaw = np.array(mark.true[:2]), mark.true[2]
    return element(
        'g',
        element('title', f'{mark.number}. where it truly is'),
        element('path', class_='off', d=path(view(np.stack([mark.position, at])))),
        *_disc(view, mark.number, at, yaw),
        class_='true',
    )


def _place(view: MapView, mark: AgentMark) -> Markup:
    return element(
        'g',
        element('title', f'{mark.number}. {mark.told}'),
        *_disc(view, mark.number, mark.position, mark.yaw),
        class_='goal' if mark.is_goal else 'agent',
    )


def _disc(view: MapView, number: int, at: Array, yaw: float) -> tuple[Markup, ...]:
    x, y = view(at)
    tip = at + 0.35 * np.array([np.cos(yaw), np.sin(yaw)])
    return (
        element('path', class_='ahead', d=path(view(np.stack([at, tip])))),
        element('circle', cx=f'{x:.1f}', cy=f'{y:.1f}', r=10),
        element('text', number, x=f'{x:.1f}', y=f'{y:.1f}'),
    )
