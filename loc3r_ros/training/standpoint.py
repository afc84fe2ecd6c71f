# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a question's answer depends on: where the things it names are for whoever asks.

"I stand by the bed and face the door. In which direction is the lamp?" is answered by where the
lamp is for somebody at the bed. A language model of billions works that out on the way to its
answer; the tiny one is taught to know it at the name of the lamp, before answers are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, log, nan, sin

from loc3r_ros.training.grounding import NOWHERE, Place

Around = tuple[float, float, float]
"""Ahead and left of who asks, together a unit vector, and `FOLD` times the logarithm of the
distance in metres; NaN where nobody can say."""

UNKNOWN: Around = (nan, nan, nan)

FOLD = 1.5
"""Makes logarithms of distances in a room about as large as directions."""

NEAREST_M = 0.1
"""What is nearer counts as that far."""


@dataclass(frozen=True)
class Standpoint:
    """Somebody's place.

    Attributes:
        position: (x, y), m.
        yaw: facing direction, rad; NaN: distances alone are known.
    """

    position: Place
    yaw: float = nan

    def around(self, place: Place) -> Around:
        """Where that is from here; NaN where `place` is NaN."""
        x, y = place[0] - self.position[0], place[1] - self.position[1]
        side = atan2(y, x) - self.yaw
        return cos(side), sin(side), FOLD * log(max(hypot(x, y), NEAREST_M)) if x == x else nan


def standpoints(task: str, mentioned: Sequence[Place]) -> list[Standpoint | None]:
    """From where each of the things that a question names is to be seen, in the order of naming.

    Args:
        task: its kind, as in VSI-Bench.
        mentioned: (x, y) of the things, m, NaN where unknown; as often as they are named.

    Returns:
        for each of them who sees it; None for those that tell who that is, and for other tasks.
    """
    known = [*mentioned, *[NOWHERE] * 4]
    rest = len(mentioned)
    if task in ('object_abs_distance', 'object_rel_distance'):
        rules: list[Standpoint | None] = [None, *[Standpoint(known[0])] * rest]
    elif task.startswith('object_rel_direction'):
        rules = [None, None, *[_facing(known[0], known[1])] * rest]
    elif task == 'route_planning':
        # By the start, facing; to reach the goal it goes straight to `via`, then to the goal.
        start, face, _, via = known[:4]
        rules = [None, None, None, _facing(start, face), _from(start, via), *[None] * rest]
    else:
        rules = [None] * rest
    return rules[:rest]


def _facing(position: Place, face: Place) -> Standpoint:
    return Standpoint(position, atan2(face[1] - position[1], face[0] - position[0]))


def _from(start: Place, via: Place) -> Standpoint:
    """By `via`, as one comes from `start`."""
    return Standpoint(via, atan2(via[1] - start[1], via[0] - start[0]))
