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

Around = tuple[float, ...]
"""Steps on the way to an answer, each easy to tell from those before; NaN where nobody can say:
the way from who asks to the thing, x and y in the frame of all places, in units of `REACH_M`;
cosine and sine of where they look in that frame; ahead and left of them, together a unit vector;
`FOLD` times the logarithm of the distance in metres."""

UNKNOWN: Around = (nan,) * 7

REACH_M = 2.0

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
        far = FOLD * log(max(hypot(x, y), NEAREST_M)) if x == x else nan
        way, facing = (x / REACH_M, y / REACH_M), (cos(self.yaw), sin(self.yaw))
        return *way, *facing, cos(side), sin(side), far


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
        rules = [None, *[_facing(known[0], known[1])] * rest]
    elif task == 'route_planning':
        # By the start, facing; to reach the goal it goes straight to `via`, then to the goal.
        start, face, _, via = known[:4]
        facing = _facing(start, face)
        rules = [None, facing, None, facing, _from(start, via), *[None] * rest]
    else:
        rules = [None] * rest
    return rules[:rest]


def _facing(position: Place, face: Place) -> Standpoint:
    return Standpoint(position, atan2(face[1] - position[1], face[0] - position[0]))


def _from(start: Place, via: Place) -> Standpoint:
    """By `via`, as one comes from `start`."""
    return Standpoint(via, atan2(via[1] - start[1], via[0] - start[0]))
