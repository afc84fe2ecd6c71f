"""Approximate pairing of colour and depth in a stream, with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar('Item')

_WAITING_IMAGES = 30
_WAITING_DEPTHS = 60


@dataclass(frozen=True, eq=False)
class _Stamped(Generic[Item]):
    stamp_ns: int
    item: Item


class Pairing(Generic[Item]):
    """Joins each image with its depth: the two are each other's nearest, within `slop_ns`.

    Images come out in the order they went in. One is held back until what follows can no longer
    change its partner, at most `_WAITING_IMAGES` of them, as when a depth sensor has died. Time
    may run backwards in either stream: a pair is decided by stamps alone.

    Args:
        slop_ns: greatest difference of the stamps of a pair, ns.
        has_depth: whether depth will come at all; without, an image waits for the next one only.
    """

    def __init__(self, slop_ns: int, *, has_depth: bool = True) -> None:
        self.slop_ns = slop_ns
        self._has_depth = has_depth
        self._images: deque[_Stamped[Item]] = deque()
        self._depths: deque[_Stamped[Item]] = deque(maxlen=_WAITING_DEPTHS)
        self._before: int | None = None

    def add_image(self, stamp_ns: int, item: Item) -> None:
        """The next image."""
        self._images.append(_Stamped(stamp_ns, item))

    def add_depth(self, stamp_ns: int, item: Item) -> None:
        """The next depth image."""
        self._depths.append(_Stamped(stamp_ns, item))

    def pairs(self, *, last: bool = False) -> Iterator[tuple[Item, Item | None]]:
        """Images whose partner is settled, each with its depth or None.

        Args:
            last: nothing follows, so everything is settled.
        """
        while self._images and (last or self._is_settled()):
            image = self._images.popleft()
            depth = self._partner(image)
            if depth is not None:
                self._depths.remove(depth)
            self._before = image.stamp_ns
            self._forget()
            yield image.item, depth.item if depth is not None else None

    def _is_settled(self) -> bool:
        if len(self._images) < 2 or not self._has_depth:
            return len(self._images) >= 2
        # A depth beyond the following image is nearer to that one, so no later image matters.
        has_passed = any(d.stamp_ns >= self._images[0].stamp_ns for d in self._depths)
        return has_passed or len(self._images) > _WAITING_IMAGES

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
        """Drop depth that is too old for the next image."""
        if not self._images:
            return
        oldest = self._images[0].stamp_ns - self.slop_ns
        while self._depths and self._depths[0].stamp_ns < oldest:
            self._depths.popleft()
