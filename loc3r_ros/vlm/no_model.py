# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The engine where no language model is loaded: it tells what geometry alone can tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.types import AgentPose, OccupancyGrid, Target, TrackedPose, View
from loc3r_ros.vlm.agent import camera_agent, nowhere, whereabouts
from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.goal_words import place_of

IDENTITY = 'no model loaded'

REMEDY = (
    f'{IDENTITY}: words need a spatial language model. Without one this answers "where am I?", '
    '"how much has been mapped?" and goals by their coordinates ("go to 1.5 -2.0")'
)

_WHERE = re.compile(
    r"""\bwhere \s (?: am \s i | are \s (?:we|you) | is \s the \s (?:robot|camera) )\b
        | \b(?:my|your|our) \s (?:pose|position|location)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_MAPPED = re.compile(r'\bmapped\b|\bexplored\b|\bhow (much|big|large)\b.*\bmap\b', re.IGNORECASE)


class NoModel:
    """A `SpatialEngine` without a model.

    Args:
        pose: the newest tracked pose, or None before the first.
        grid: the map as it is now, or None before the first.
    """

    identity = IDENTITY

    def __init__(
        self,
        pose: Callable[[], TrackedPose | None],
        grid: Callable[[], OccupancyGrid | None] = lambda: None,
    ) -> None:
        self._pose = pose
        self._grid = grid

    def observe(self, view: View) -> None:
        """Nothing is learnt from images here."""

    def wait(self) -> None:
        """Nothing runs in the background."""

    def reset(self) -> None:
        """There is nothing to forget."""

    def close(self) -> None:
        """There is nothing to free."""

    def localize(self, situation: str) -> AgentPose:
        """The tracked pose of the camera; words cannot be placed."""
        if situation:
            return nowhere(f'{REMEDY}. An empty situation asks where the camera is')
        return camera_agent(self._pose())

    def ask(self, question: str, situation: str = '') -> Iterator[str]:
        """Answer where geometry knows the answer."""
        if situation:
            raise NoAnswerError(REMEDY)
        if _WHERE.search(question):
            return _words(self._whereabouts())
        if _MAPPED.search(question):
            return _words(self._coverage())
        raise NoAnswerError(REMEDY)

    def ground(self, description: str) -> Target:
        """The place of two coordinates, m in `map`."""
        return place_of(description) or Target(False, np.full(3, np.nan), reason=REMEDY)

    def _whereabouts(self) -> str:
        here = self.localize('')
        if not here.found:
            raise NoAnswerError(here.reason)
        return whereabouts(here)

    def _coverage(self) -> str:
        grid = self._grid()
        if grid is None or not (grid.data >= 0).any():
            raise NoAnswerError('nothing has been mapped yet')
        area = grid.resolution**2
        free, occupied = np.count_nonzero(grid.data == 0), np.count_nonzero(grid.data > 0)
        width, depth = _extent(grid.data >= 0) * grid.resolution
        return (
            f'{(free + occupied) * area:.1f} square metres have been mapped: {free * area:.1f} '
            f'free, {occupied * area:.1f} occupied, within {width:.1f} by {depth:.1f} m.'
        )


def _extent(known: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Columns and rows of the rectangle that holds all that is known."""
    spans = [np.flatnonzero(known.any(axis)) for axis in (0, 1)]
    return np.array([span[-1] - span[0] + 1 for span in spans])


def _words(text: str) -> Iterator[str]:
    """The words of a text, each with the space before it."""
    return iter(re.findall(r'\s*\S+', text))
