# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A scene as a video has shown it: what was seen, when first, and what can be named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array
from loc3r_ros.world.floorplan import OVERHEAD, FloorPlan
from loc3r_ros.world.questions.distances import Pieces
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
        scene: the room, or the flat of several.
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
        return self._named(self.scene.furniture)

    @cached_property
    def unique(self) -> tuple[Item, ...]:
        """Items that 'the' and their category name."""
        return tuple(items[0] for items in self.named.values() if len(items) == 1)

    @cached_property
    def rooms(self) -> tuple[tuple[str, tuple[Item, ...]], ...]:
        """For each room its name, and the items that 'the' and their category name within it.

        Where the name does not tell the room from all others it is '', and the items are those that
        are the only ones of their category in the whole scene.
        """
        names = [room.name for room in self.scene.rooms]
        told = [name if len(names) > 1 and names.count(name) == 1 else '' for name in names]
        rooms = []
        for k, name in enumerate(told):
            here = [item for item in self.scene.furniture if self.room_of(item) == k]
            groups = (
                self._named(here).values() if name else [(i,) for i in self.unique if i in here]
            )
            rooms.append((name, tuple(items[0] for items in groups if len(items) == 1)))
        return tuple(rooms)

    def room_of(self, item: Item) -> int:
        """Index of the scene's room that an item is in."""
        return int(self._rooms[self.index[item.instance]])

    @cached_property
    def index(self) -> dict[int, int]:
        """Place of each instance among the furniture."""
        return {item.instance: k for k, item in enumerate(self.scene.furniture)}

    @cached_property
    def _rooms(self) -> NDArray[np.intp]:
        return nearest_room(self.scene, self.landmarks.centre)

    def _named(self, items: Sequence[Item]) -> dict[str, tuple[Item, ...]]:
        clear = np.any(self.clear, axis=0)
        groups: dict[str, tuple[Item, ...]] = {}
        for item in items:
            groups[item.category] = (*groups.get(item.category, ()), item)
        return {
            name: group
            for name, group in groups.items()
            if name not in PLURAL
            and all(clear[item.instance] for item in group)
            and not any(other.endswith(' ' + name) for other in groups)
        }

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
            first, second = (self._pieces[self.index[instance]] for instance in key)
            self._gaps[key] = first.gap(second)
        return self._gaps[key]

    @cached_property
    def _pieces(self) -> list[Pieces]:
        return [Pieces.of(item) for item in self.scene.furniture]

    @cached_property
    def _gaps(self) -> dict[tuple[int, int], float]:
        return {}

    def appearance(self, name: str) -> tuple[float, float]:
        """When a category's first instance comes into view at all, and when clearly, s."""
        instances = [item.instance for item in self.named[name]]
        glimpsed, clear = (self.pixels > 0)[:, instances].any(1), self.clear[:, instances].any(1)
        return float(self.times[glimpsed.argmax()]), float(self.times[clear.argmax()])


def overhead(item: Item) -> bool:
    """Whether it hangs so high that nobody can stand by it or go to it."""
    return bool(item.T_map_item[2, 3] >= OVERHEAD)


def nearest_room(scene: Scene, places: Array) -> NDArray[np.intp]:
    """(...,) index of the room that places (..., 2) are in, or in a doorway the nearest."""
    low, high = (
        np.array([getattr(room, side) for room in scene.rooms]) for side in ('low', 'high')
    )
    at = places[..., None, :]
    beyond = np.maximum(np.maximum(low - at, at - high), 0.0)
    return np.asarray(np.linalg.norm(beyond, axis=-1).argmin(-1))


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
