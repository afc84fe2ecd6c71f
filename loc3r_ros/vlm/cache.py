# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A key-value cache in one buffer of fixed size, whose front outlives every question."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.config import QwenShape


@dataclass(frozen=True)
class CacheShape:
    """What decides the size of a cache.

    Attributes:
        layers: of the decoder.
        kv_heads: heads of keys and values, which several heads of queries share.
        head_dim: width of a head.
        capacity: positions.
    """

    layers: int
    kv_heads: int
    head_dim: int
    capacity: int

    @classmethod
    def of(cls, text: QwenShape, capacity: int) -> CacheShape:
        """That of a language model."""
        return cls(text.layers, text.kv_heads, text.hidden_size // text.heads, capacity)

    def token_bytes(self, dtype: torch.dtype) -> int:
        """Bytes of one position: a key and a value for each head of each layer."""
        return self.layers * 2 * self.kv_heads * self.head_dim * dtype.itemsize

    def bytes(self, dtype: torch.dtype) -> int:
        """Bytes of the whole cache."""
        return self.capacity * self.token_bytes(dtype)


class PrefixCache:
    """Keys and values of a sequence, for `model.decoder`.

    Transformers' own `DynamicCache` concatenates, which copies all that is cached for every token;
    its `StaticCache` attends to the empty part too. Here new positions are written behind the old
    ones, and attention gets views of the filled part. What a question has written is taken back by
    `truncate`, which moves nothing.

    Args:
        shape: its size.
        device, dtype: of keys and values.
    """

    def __init__(self, shape: CacheShape, *, device: torch.device | str, dtype: torch.dtype):
        self.shape = shape
        self._store = torch.empty(
            (shape.layers, 2, shape.kv_heads, shape.capacity, shape.head_dim),
            device=device,
            dtype=dtype,
        )
        self._length = 0

    @property
    def length(self) -> int:
        """Positions that are filled."""
        return self._length

    @property
    def bytes(self) -> int:
        """Bytes held, filled or not."""
        return self._store.numel() * self._store.element_size()

    def truncate(self, length: int) -> None:
        """Forget all positions from `length` on."""
        if not 0 <= length <= self._length:
            raise ValueError(f'cannot truncate {self._length} positions to {length}')
        self._length = length

    def update(self, keys: Tensor, values: Tensor, layer_idx: int) -> tuple[Tensor, Tensor]:
        """Write one layer's new positions and return all of that layer's.

        The length grows with the last layer: a forward that fails half-way leaves it as it was.

        Args:
            keys, values: (1, kv_heads, n, head_dim).
            layer_idx: which layer; each is called once in a forward.

        Returns:
            Views (1, kv_heads, length + n, head_dim) into the buffer.

        Raises:
            InputError: the cache is full.
        """
        end = self._length + keys.shape[-2]
        if end > self.shape.capacity:
            raise InputError(
                f'the context is full: {end} tokens, and {self.shape.capacity} fit. '
                'Ask a shorter question, or hold fewer frames'
            )
        layer = self._store[layer_idx]
        layer[0, :, self._length : end] = keys[0]
        layer[1, :, self._length : end] = values[0]
        if layer_idx == self.shape.layers - 1:
            self._length = end
        return layer[0, None, :, :end], layer[1, None, :, :end]
