# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A scene as a video has shown it: what was seen, when first, and what can be named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import FloorPlan
from loc3r_ros.world.questions.distances import closest_distance
from loc3r_ros.world.questions.landmarks import Landmarks
from loc3r_ros.world.scene import Item, Scene

CLEAR = 0.002
"""An item is seen clearly where it fills this share of an image (25 x 25 pixels of 640 x 480)."""

PLURAL = ('books',)
"""Categories that are several things by their name: asked of neither by number nor as 'the'."""


@dataclass(frozen=True, eq=False)
class Visit:
    """A scene and the pixels that a video gave to each of its items.

    Attributes:
        scene: the room.
        times: (N,) of the video's frames, ascending, s.
        pixels: (N, K + 1) pixel counts by instance for K items; column 0 counts pixels that show
            none. Each row adds up to the size of the image.
        T_map_optical: (N, 4, 4) camera poses; without them nothing is asked about the camera.
        boxes: (N, K + 1, 4) left, top, right and bottom of each instance's pixels, the last two
            exclusive, all zero where it is unseen; without them nothing is asked about regions.

    Raises:
        InputError: the shapes do not fit together.
    """

    scene: Scene
    times: Array
    pixels: NDArray[np.int64]
    T_map_optical: Array | None = None
    boxes: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        expected = (len(self.times), len(self.scene.items) + 1)
        if self.pixels.shape != expected or not len(self.times):
            raise InputError(
                f'pixel counts of shape {self.pixels.shape}: expected {expected}, a row for each'
                ' of one or more frames and a column for each instance from 0'
            )
        if self.T_map_optical is not None and self.T_map_optical.shape != (expected[0], 4, 4):
            raise InputError(
                f'camera poses of shape {self.T_map_optical.shape}: expected'
                f' {(expected[0], 4, 4)}, a 4x4 matrix for each frame'
            )
        if self.boxes is not None and self.boxes.shape != (*expected, 4):
            raise InputError(
                f'boxes of shape {self.boxes.shape}: expected {(*expected, 4)}, four borders for'
                ' each frame and instance'
            )

    @staticmethod
    def of(
        scene: Scene,
        times: Array,
        instances: NDArray[np.integer],
        T_map_optical: Array | None = None,
    ) -> Visit:
        """What a video's instance images (N, H, W) show of a scene, all that can be told of it."""
        items = len(scene.items)
        pixels, boxes = count_pixels(instances, items), find_boxes(instances, items)
        return Visit(scene, times, pixels, T_map_optical, boxes)

    @cached_property
    def clear(self) -> NDArray[np.bool_]:
        """(N, K + 1) whether an instance is seen clearly in a frame."""
        return np.asarray(self.pixels >= CLEAR * self.pixels.sum(1, keepdims=True))

    @cached_property
    def named(self) -> dict[str, tuple[Item, ...]]:
        """Items by category, where the category's name says which items are meant.

        Every instance must have been seen clearly, or a count of them would be a guess. A name that
        ends another's is left out: a coffee table is a table too.
        """
        clear = np.any(self.clear, axis=0)
        groups: dict[str, tuple[Item, ...]] = {}
        for item in self.scene.furniture:
            groups[item.category] = (*groups.get(item.category, ()), item)
        return {
            name: items
            for name, items in groups.items()
            if name not in PLURAL
            and all(clear[item.instance] for item in items)
            and not any(other.endswith(' ' + name) for other in groups)
        }

    @cached_property
    def unique(self) -> tuple[Item, ...]:
        """Items that 'the' and their category name."""
        return tuple(items[0] for items in self.named.values() if len(items) == 1)

    @cached_property
    def plan(self) -> FloorPlan:
        """What blocks the floor."""
        return FloorPlan(self.scene)

    @cached_property
    def landmarks(self) -> Landmarks:
        """All furniture on the floor plan."""
        return Landmarks(self.scene.furniture)

    def gap(self, a: Item, b: Item) -> float:
        """Distance between the closest points of two items, m."""
        key = (a.instance, b.instance) if a.instance < b.instance else (b.instance, a.instance)
        if key not in self._gaps:
            self._gaps[key] = closest_distance(a, b)
        return self._gaps[key]

    @cached_property
    def _gaps(self) -> dict[tuple[int, int], float]:
        return {}

    def appearance(self, name: str) -> tuple[float, float]:
        """When a category's first instance comes into view at all, and when clearly, s."""
        instances = [item.instance for item in self.named[name]]
        glimpsed, clear = (self.pixels > 0)[:, instances].any(1), self.clear[:, instances].any(1)
        return float(self.times[glimpsed.argmax()]), float(self.times[clear.argmax()])


def count_pixels(instances: NDArray[np.integer], items: int) -> NDArray[np.int64]:
    """Pixel counts (N, items + 1) of instance images (N, H, W)."""
    return np.stack([np.bincount(image.ravel(), minlength=items + 1) for image in instances])


def find_boxes(instances: NDArray[np.integer], items: int) -> NDArray[np.int64]:
    """(N, items + 1, 4) left, top, right, bottom of what each instance covers of images (N, H, W).

    Right and bottom are exclusive; all four are zero where an instance is unseen.
    """
    count, height, width = instances.shape
    frame, row, column = np.ogrid[:count, :height, :width]
    spans = []
    for place, length in ((column, width), (row, height)):
        covered = np.zeros((count, items + 1, length), bool)
        covered[frame, instances, place] = True
        last = length - covered[..., ::-1].argmax(-1)
        spans.append((covered.argmax(-1), np.where(covered.any(-1), last, 0)))
    (left, right), (top, bottom) = spans
    return np.stack([left, top, right, bottom], -1)
