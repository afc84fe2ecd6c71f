# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From the name of a place to a pose that the robot can take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from loc3r_ros.answers.scene import Scene, Sight
from loc3r_ros.mapping.goal import GoalPose, Refusal, reachable_goals
from loc3r_ros.types import Target
from loc3r_ros.vlm.agent import camera_agent
from loc3r_ros.vlm.engine import NoAnswerError

ROBOT_RADIUS_M = 0.25
SNAP_RADIUS_M = 1.0
"""How far from its target a goal may lie."""

_CHOICES = 64
"""Poses that the costmap may choose from; at a robot's radius apart they fill its circle."""


@dataclass(frozen=True)
class Verdict:
    """What a costmap says of a choice of goals.

    Attributes:
        goal: the first that it lets pass, or None.
        checked: whether it could be asked.
        told: what was asked, or why nothing was.
    """

    goal: GoalPose | None
    checked: bool
    told: str


class GoalCheck(Protocol):
    """A second map, beside ours, that must let a goal pass."""

    def first_free(self, goals: Sequence[GoalPose], check: Callable[[], None]) -> Verdict:
        """The first of some goals, the best first, that it lets pass.

        Args:
            goals: at least one.
            check: called while waiting; what it raises ends the wait.
        """


class NoCostmap:
    """A `GoalCheck` where no Nav2 can run, as beside a recording."""

    def first_free(self, goals: Sequence[GoalPose], check: Callable[[], None]) -> Verdict:
        """The best, which nothing else is asked about."""
        return Verdict(goals[0], False, "not against Nav2's costmap: a recording has none")


@dataclass(frozen=True, eq=False)
class Goal:
    """A resolved goal.

    Attributes:
        target: what is to be faced.
        pose: where the robot shall stand.
        told: all of it in words, with what it was checked against.
    """

    target: Target
    pose: GoalPose
    told: str


class Goals:
    """Finds a free place before a target, on our map and on Nav2's where it runs.

    Args:
        scene: the map, and where the robot is.
        costmap: Nav2's.
        settings: `robot_radius_m` and `goal_snap_radius_m`, looked up anew for each goal.
    """

    def __init__(self, scene: Scene, costmap: GoalCheck, settings: Mapping[str, float]) -> None:
        self._scene = scene
        self._costmap = costmap
        self._settings = settings

    def resolve(self, target: Target, sight: Sight, check: Callable[[], None]) -> Goal:
        """Where to stand before a target.

        Args:
            target: where the engine says that it is.
            sight: where the camera is.
            check: called while waiting for Nav2; what it raises ends the wait.

        Raises:
            NoAnswerError: there is no such place.
        """
        if not target.found:
            raise NoAnswerError(target.reason)
        here = camera_agent(sight.pose)
        if not here.found:
            raise NoAnswerError(f'no way can be told: {here.reason}')
        grid = self._scene.grid
        if grid is None:
            raise NoAnswerError('there is no map yet: does bev_mapper run, and publish `bev`?')
        target_xy = (float(target.position[0]), float(target.position[1]))
        goals = reachable_goals(
            grid,
            target_xy,
            (float(here.T_map_agent[0, 3]), float(here.T_map_agent[1, 3])),
            robot_radius_m=self._settings['robot_radius_m'],
            snap_radius_m=self._settings['goal_snap_radius_m'],
            most=_CHOICES,
        )
        if isinstance(goals, Refusal):
            raise NoAnswerError(goals.reason)
        verdict = self._costmap.first_free(goals, check)
        if verdict.goal is None:
            raise NoAnswerError(
                f'{verdict.told}: {len(goals)} places before {target_xy} were tried'
            )
        return Goal(target, verdict.goal, _told(target, verdict.goal, verdict.told))


def _told(target: Target, goal: GoalPose, checked: str) -> str:
    x, y = target.position[:2]
    what = f'{target.label or "the target"} at ({x:.2f}, {y:.2f})'
    if goal.moved_m:
        what = f'({goal.x:.2f}, {goal.y:.2f}), {goal.moved_m:.2f} m before {what}, facing it'
    return f'The goal is {what}; checked against our map and {checked}.'
