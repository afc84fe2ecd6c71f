# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Header and frames, read once, and the texts that go on from there."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from loc3r_ros.vlm.cache import CacheShape, PrefixCache
from loc3r_ros.vlm.keyframes import KeyFrame
from loc3r_ros.vlm.model.heads import PlaneGaussian
from loc3r_ros.vlm.model.loc3r import Loc3rVlm


@dataclass(eq=False)
class Text:
    """What is said after the video: it grows by the words of the answer.

    Attributes:
        ids: tokens.
        read: how many of them the cache holds.
    """

    ids: list[int]
    read: int = field(default=0, init=False)


class Prefix:
    """The part of the prompt that questions share: [header, frame, frame, ...] in a cache.

    A text is read behind it, and goes when another one or a frame comes; whoever lost its place
    so is read again, from the same prefix or from the longer one. Hence a text holds nothing that
    has to be given back, and nobody waits for one that was abandoned.

    Not thread-safe.

    Args:
        model: reads; on its device, in its dtype.
        header: tokens before the video.
        capacity: positions for header, frames and text.

    Attributes:
        frames: those that were read.
        layouts: of each frame, where its patches lie: PlaneGaussian of shape (grid * grid,).
    """

    def __init__(self, model: Loc3rVlm, header: list[int], capacity: int) -> None:
        shape = CacheShape.of(model.config.text, capacity)
        newline = model.newline
        self._cache = PrefixCache(shape, device=newline.device, dtype=newline.dtype)
        self._model = model
        self._header = header
        self.clear()

    @property
    def length(self) -> int:
        """Tokens of header and frames."""
        return self._length

    @property
    def bytes(self) -> int:
        """Bytes held beside the frames' embeddings: the cache and the layouts."""
        tensors = [t for layout in self.layouts for t in (layout.mean, layout.log_sigma)]
        return self._cache.bytes + sum(t.numel() * t.element_size() for t in tensors)

    def clear(self) -> None:
        """Forget header and frames."""
        self.frames: list[KeyFrame] = []
        self.layouts: list[PlaneGaussian] = []
        self._length = 0
        self._reader: Text | None = None

    def append(self, frame: KeyFrame) -> None:
        """Read one more frame. If that fails, nothing has changed."""
        self._make_room()
        embeddings = frame.embeddings
        with torch.inference_mode():
            if not self._length:
                embeddings = torch.cat([self._embed(self._header), embeddings])
            hidden = self._decode(embeddings)
            layout = self._model.layout(self._model.patch_states(hidden))
        self.frames.append(frame)
        self.layouts.append(layout)
        self._length = self._cache.length

    def read(self, text: Text) -> Tensor:
        """Read what is new in a text, or all of it if it has lost its place.

        Returns:
            (n, width) hidden states of the n tokens that were read, the last one's included.
        """
        if self._reader is not text:
            self._make_room()
            text.read = 0
        self._reader = None  # until this has gone well
        with torch.inference_mode():
            hidden = self._decode(self._embed(text.ids[text.read :]))
        text.read = len(text.ids)
        self._reader = text
        return hidden

    def _make_room(self) -> None:
        self._reader = None
        self._cache.truncate(self._length)

    def _embed(self, ids: list[int]) -> Tensor:
        return self._model.embed(torch.tensor(ids, device=self._model.newline.device))

    def _decode(self, embeddings: Tensor) -> Tensor:
        hidden = self._model.decode(embeddings[None], self._cache, self._cache.length)
        return hidden[0]
