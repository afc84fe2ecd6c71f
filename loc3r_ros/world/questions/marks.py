# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Things that a question points at in frames of the video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from loc3r_ros.errors import InputError
from loc3r_ros.world.questions.question import Question, Region
from loc3r_ros.world.questions.visit import Visit
from loc3r_ros.world.scene import Item

FILL = 0.4
"""A thing fills this share of its box, or the box would point at something else too."""

VIEW = 0.5
"""It is marked where it shows this share of the most pixels that any frame has of it."""


class Marks:
    """The things of a visit that a box can point at.

    Attributes:
        visit: the visit.
        rng: source of all that is drawn.
        items: the things.

    Raises:
        InputError: the visit has no boxes.
    """

    def __init__(self, visit: Visit, rng: np.random.Generator) -> None:
        self.visit, self.rng = visit, rng
        if visit.boxes is None:
            raise InputError(
                'a visit without boxes has no regions to point at: make it with Visit.of, from'
                ' instance images'
            )
        self._boxes = visit.boxes
        sides = visit.boxes[..., 2:] - visit.boxes[..., :2]
        well = np.maximum(FILL * sides.prod(-1), VIEW * visit.pixels.max(0))
        self._usable = visit.clear & (visit.pixels >= well)
        found = self._usable.any(0)
        self.items = [item for item in visit.scene.furniture if found[item.instance]]

    def draw(self, number: int) -> list[Item]:
        """Some of the things, none twice."""
        return [self.items[k] for k in self.rng.permutation(len(self.items))[:number]]

    def ask(self, question: Question, items: Sequence[Item]) -> Question:
        """The question with its regions, each in a frame that shows the thing well."""
        regions = tuple(self._region(item) for item in items)
        marked = ', '.join(f'Region [{k}] in frame {r.frame + 1}' for k, r in enumerate(regions))
        text = f'Marked: {marked} of {len(self.visit.times)}. {question.text}'
        return replace(question, text=text, regions=regions)

    def _region(self, item: Item) -> Region:
        frames = np.flatnonzero(self._usable[:, item.instance])
        frame = int(frames[self.rng.integers(len(frames))])
        left, top, right, bottom = self._boxes[frame, item.instance].tolist()
        return Region(frame, (left, top, right, bottom), item.instance)
