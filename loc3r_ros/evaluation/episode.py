# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What was said about one video, beside what is true: all that a report is made of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from loc3r_ros.errors import InputError

Pose = tuple[float, float, float]
"""x and y in `map`, m, and heading, rad."""


@dataclass(frozen=True)
class Place:
    """Where somebody stands that was described in words.

    Attributes:
        true: the pose that was described.
        told: what a model says; None: it said nothing that is a place.
        sigma: standard deviations along x and y of the model's own BEV frame, m, and of the
            heading, rad; None where it states none.
    """

    true: Pose
    told: Pose | None
    sigma: Pose | None = None


@dataclass(frozen=True)
class Reply:
    """An answer in words.

    Attributes:
        task: of the question; it says how the answer is scored.
        truth: the right answer.
        told: what a model said.
        options: how many answers the question itself offers; 0 for an open one.
    """

    task: str
    truth: str
    told: str
    options: int = 0


@dataclass(frozen=True)
class Episode:
    """One video of a scene and all that was asked about it.

    Attributes:
        seed, number: of the video.
        bearing: heading of the BEV frame's x axis in `map`, rad.
        box: sides of the box around all rooms, m; its centre is the origin of `map`.
        sides: of each room, m.
        places: in the order of the video's situations.
        replies: in the order of the video's questions.
    """

    seed: int
    number: int
    bearing: float
    box: tuple[float, float]
    sides: tuple[tuple[float, float], ...]
    places: tuple[Place, ...]
    replies: tuple[Reply, ...]

    def to_json(self) -> str:
        """One line; every number comes back as it was."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Episode:
        """The episode of a line.

        Raises:
            InputError: the line is none; it says why.
        """
        try:
            row = json.loads(line)
            row['box'] = tuple(row['box'])
            row['sides'] = tuple(tuple(sides) for sides in row['sides'])
            row['places'] = tuple(_place(**place) for place in row['places'])
            row['replies'] = tuple(Reply(**reply) for reply in row['replies'])
            return cls(**row)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'{line[:60]!r} is no result of a video ({error!r})') from error


def _place(true: list[float], told: list[float] | None, sigma: list[float] | None = None) -> Place:
    def pose(values: list[float] | None) -> Pose | None:
        if values is None:
            return None
        x, y, yaw = values
        return x, y, yaw

    x, y, yaw = true
    return Place((x, y, yaw), pose(told), pose(sigma))
