# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Approximate pairing of colour and depth in a stream, with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

Item = TypeVar('Item')

LARGEST_SLOP_NS = 50_000_000
STAMPS_FOR_THE_SLOP = 30

_WAITING_IMAGES = 30
_WAITING_DEPTHS = 60

_DEAD_AFTER = 60
"""Images without a depth between them, from which on no image waits for one."""

_KNOWN_AFTER = 10
"""Intervals of a stream that must be seen before the smallest of them is believed."""


def slop_for(depth_stamps_ns: Sequence[int]) -> int:
    """The slop, ns, that suits a depth stream: half its median interval, and at most 50 ms.

    Args:
        depth_stamps_ns: the first `STAMPS_FOR_THE_SLOP` or so; few or none are no error.
    """
    intervals = np.diff(depth_stamps_ns)
    intervals = intervals[intervals > 0]
    if not len(intervals):
        return LARGEST_SLOP_NS
    return min(int(np.median(intervals)) // 2, LARGEST_SLOP_NS)


@dataclass(frozen=True, eq=False)
class _Stamped(Generic[Item]):
    stamp_ns: int
    item: Item


class Pairing(Generic[Item]):
    """Joins each image with its depth: the two are each other's nearest, within `slop_ns`.

    Images come out in the order they went in, each as soon as what follows can no longer change
    its partner: at once where the stamps agree, or differ by less than half the smallest interval
    of both streams; else once the following image and a later depth are there. Time may run
    backwards in either stream: a pair is decided by stamps alone.

    Args:
        slop_ns: greatest difference of the stamps of a pair, ns; may be changed at any time.
        has_depth: whether depth will come at all; without, no image waits.
        waiting: images held back for depth at most, as when a depth sensor has died.
    """

    def __init__(
        self, slop_ns: int, *, has_depth: bool = True, waiting: int = _WAITING_IMAGES
    ) -> None:
        self.slop_ns = slop_ns
        self._has_depth = has_depth
        self._waiting = waiting
        self._images: deque[_Stamped[Item]] = deque()
        self._depths: deque[_Stamped[Item]] = deque(maxlen=_WAITING_DEPTHS)
        self._before: int | None = None
        self._since_depth = 0
        self._image_rate, self._depth_rate = _Intervals(), _Intervals()

    def add_image(self, stamp_ns: int, item: Item) -> None:
        """The next image."""
        self._image_rate.add(stamp_ns)
        self._since_depth += 1
        self._images.append(_Stamped(stamp_ns, item))
        if len(self._images) == 1:
            self._forget()

    def add_depth(self, stamp_ns: int, item: Item) -> None:
        """The next depth image."""
        self._depth_rate.add(stamp_ns)
        self._since_depth = 0
        self._depths.append(_Stamped(stamp_ns, item))

    def __len__(self) -> int:
        """How many images wait."""
        return len(self._images)

    def forget_above(self, stamp_ns: int) -> None:
        """Drop depth that is later than this: time has fallen back."""
        kept = [d for d in self._depths if d.stamp_ns <= stamp_ns]
        self._depths = deque(kept, maxlen=_WAITING_DEPTHS)
        self._before = None

    def pairs(self, *, last: bool = False) -> Iterator[tuple[Item, Item | None]]:
        """Images whose partner is settled, each with its depth or None.

        Args:
            last: nothing follows, so everything is settled.
        """
        while self._images:
            image = self._images[0]
            depth = self._partner(image)
            if not (last or self._is_settled(image, depth)):
                return
            self._images.popleft()
            if depth is not None:
                self._depths.remove(depth)
            self._before = image.stamp_ns
            if self._images:
                self._forget()
            yield image.item, depth.item if depth is not None else None

    def _is_settled(self, image: _Stamped[Item], depth: _Stamped[Item] | None) -> bool:
        if not self._has_depth or self._since_depth > _DEAD_AFTER:
            return True
        if depth is not None and self._is_beyond_doubt(abs(depth.stamp_ns - image.stamp_ns)):
            return True
        # A depth beyond the following image is nearer to that one, so no later image matters.
        has_passed = any(d.stamp_ns >= image.stamp_ns for d in self._depths)
        return (has_passed and len(self._images) >= 2) or len(self._images) > self._waiting

    def _is_beyond_doubt(self, distance: int) -> bool:
        """Whether neither stream's next message can be nearer than this."""
        smallest = min(self._image_rate.smallest, self._depth_rate.smallest)
        return distance == 0 or 2 * distance < smallest

    def _partner(self, image: _Stamped[Item]) -> _Stamped[Item] | None:
        depth = self._nearest(image.stamp_ns)
        if depth is None:
            return None
        distance = abs(depth.stamp_ns - image.stamp_ns)
        if self._before is not None and abs(depth.stamp_ns - self._before) <= distance:
            return None
        if any(abs(depth.stamp_ns - other.stamp_ns) < distance for other in self._images):
            return None
        return depth

    def _nearest(self, stamp_ns: int) -> _Stamped[Item] | None:
        near = [d for d in self._depths if abs(d.stamp_ns - stamp_ns) <= self.slop_ns]
        return min(near, key=lambda d: abs(d.stamp_ns - stamp_ns), default=None)

    def _forget(self) -> None:
        """Drop depth that is too old for the first image."""
        oldest = self._images[0].stamp_ns - self.slop_ns
        while self._depths and self._depths[0].stamp_ns < oldest:
            self._depths.popleft()


class _Intervals:
    """The smallest interval of a stream, once enough of them are known."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._count = 0
        self._smallest = 0

    @property
    def smallest(self) -> int:
        """In ns; 0 while too little is known."""
        return self._smallest if self._count >= _KNOWN_AFTER else 0

    def add(self, stamp_ns: int) -> None:
        interval = 0 if self._last is None else stamp_ns - self._last
        self._last = stamp_ns
        if interval > 0:
            self._smallest = min(interval, self._smallest) if self._count else interval
            self._count += 1
