# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The types of message fields: their defaults, what may be assigned, and their form in rosbags.

What is accepted and how it is held follows the classes that rosidl generates, with
`ROS_PYTHON_CHECK_FIELDS=1`: an int is no float, a numpy scalar is no Python number (but float64 is
a float), primitive sequences are `array.array`, primitive arrays of fixed length are numpy arrays.
"""

from __future__ import annotations

import array
import math
from collections.abc import Callable, Sequence, Set
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype

TYPECODES = {
    'int8': 'b', 'uint8': 'B', 'char': 'B', 'int16': 'h', 'uint16': 'H', 'int32': 'i',
    'uint32': 'I', 'int64': 'q', 'uint64': 'Q', 'float32': 'f', 'float64': 'd',
}  # fmt: skip


class Scalar:
    """A number, bool, byte (`bytes` of length 1) or string."""

    def __init__(self, base: str, bound: int = 0) -> None:
        self.base = base
        self.bound = bound
        self.type = {
            'bool': bool,
            'byte': bytes,
            'string': str,
            'float32': float,
            'float64': float,
        }.get(base, int)
        if self.type is int:
            limits = np.iinfo(TYPECODES[base])
            self.limits = int(limits.min), int(limits.max)

    def default(self) -> Any:
        return b'\x00' if self.base == 'byte' else self.type()

    def check(self, value: Any) -> Any:
        assert isinstance(value, self.type), f'must be of type {self.type.__name__}, not {value!r}'
        if self.type is int:
            assert self.limits[0] <= value <= self.limits[1], f'{value} is no {self.base}'
        elif self.base == 'float32':
            largest = float(np.finfo(np.float32).max)
            assert not abs(value) > largest or math.isinf(value), f'{value} is no float32'
        elif self.base == 'byte':
            assert len(value) == 1, f'must have length 1, not {value!r}'
        elif self.base == 'string':
            assert not self.bound or len(value) <= self.bound, f'longer than {self.bound}'
        return value

    def to_wire(self, value: Any) -> Any:
        return value[0] if self.base == 'byte' else value

    def from_wire(self, value: Any) -> Any:
        return bytes([value]) if self.base == 'byte' else self.type(value)


class Nested:
    """A message in a message; `find` gives its class (late, for classes are made on demand)."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self.find = find

    def default(self) -> Any:
        return self.find()()

    def check(self, value: Any) -> Any:
        assert isinstance(value, self.find()), f'must be a {self.find().__name__}, not {value!r}'
        return value

    def to_wire(self, value: Any) -> Any:
        return value.to_wire()

    def from_wire(self, value: Any) -> Any:
        return self.find().from_wire(value)


class Many:
    """A sequence (`length` None; `bound` 0 for no limit) or an array of fixed `length`."""

    def __init__(self, item: Scalar | Nested, length: int | None, bound: int = 0) -> None:
        self.item = item
        self.length = length
        self.bound = bound
        self.typecode = TYPECODES.get(item.base) if isinstance(item, Scalar) else None

    def default(self) -> Any:
        if self.length is None:
            return array.array(self.typecode) if self.typecode else []
        if self.typecode:
            return np.zeros(self.length, self.typecode)
        return [self.item.default() for _ in range(self.length)]

    def check(self, value: Any) -> Any:
        prepared = np.ndarray if self.length is not None else array.array
        if self.typecode and isinstance(value, prepared):
            kind = value.dtype.char if isinstance(value, np.ndarray) else value.typecode
            assert np.dtype(kind) == np.dtype(self.typecode), f'must be of {self.typecode!r}'
            self._check_length(len(value))
            return value
        assert isinstance(value, Sequence | Set) and not isinstance(value, str), (
            f'must be a sequence, not {type(value).__name__}'
        )
        self._check_length(len(value))
        for item in value:
            self.item.check(item)
        if not self.typecode:
            return value
        if self.length is None:
            return array.array(self.typecode, value)
        return np.array(value, self.typecode)

    def _check_length(self, length: int) -> None:
        assert self.length in (None, length), f'must have {self.length} items, not {length}'
        assert not self.bound or length <= self.bound, f'must have at most {self.bound} items'

    def to_wire(self, value: Any) -> Any:
        value = self.check(value)  # a list may have been changed since it was assigned
        if self.typecode:
            return np.asarray(value)
        items = [self.item.to_wire(item) for item in value]
        if isinstance(self.item, Scalar) and self.item.base != 'string':
            return np.array(items, {'bool': np.bool_, 'byte': np.uint8}[self.item.base])
        return items

    def from_wire(self, value: Any) -> Any:
        if self.typecode and self.length is None:
            return array.array(self.typecode, value.tobytes())
        if self.typecode:
            return np.array(value, self.typecode)
        return [self.item.from_wire(item) for item in value]


FieldType = Scalar | Nested | Many


def field_type(description: Any, find: Callable[[str], Any]) -> FieldType:
    """The type of a field as rosbags describes it; `find` gives the class of a message's name."""
    kind, detail = description
    if kind == Nodetype.BASE:
        return Scalar(*detail)
    if kind == Nodetype.NAME:
        return Nested(lambda: find(detail))
    item = field_type(detail[0], find)
    assert not isinstance(item, Many)
    if kind == Nodetype.ARRAY:
        return Many(item, detail[1])
    return Many(item, None, detail[1])
