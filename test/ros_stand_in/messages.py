# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Message, service and action classes as rclpy has them, and their way through CDR."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from ros_stand_in.definitions import typestore
from ros_stand_in.fields import FieldType, Many, field_type

_EMPTY = 'structure_needs_at_least_one_member'  # the octet of a message without fields

# Default values of the definitions, which rosbags does not keep.
_DEFAULTS = {'geometry_msgs/msg/Quaternion': {'w': 1.0}}


class Message:
    """Base of all message classes; the fields are properties that check what is assigned."""

    __slots__ = ()
    FIELDS: ClassVar[dict[str, FieldType]]
    STORE_NAME: ClassVar[str]

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - self.FIELDS.keys()
        assert not unknown, f'{type(self).__name__} has no fields {sorted(unknown)}'
        defaults = _DEFAULTS.get(self.STORE_NAME, {})
        for name, kind in self.FIELDS.items():
            if name not in values:
                setattr(self, name, defaults.get(name, kind.default()))
            elif isinstance(kind, Many) and kind.typecode and kind.length is not None:
                setattr(self, name, np.array(values[name], kind.typecode))  # as rosidl does
            else:
                setattr(self, name, values[name])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return False
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            if isinstance(kind, Many)
            else getattr(self, name) == getattr(other, name)
            for name, kind in self.FIELDS.items()
        )

    def __repr__(self) -> str:
        values = ', '.join(f'{name}={getattr(self, name)!r}' for name in self.FIELDS)
        return f'{type(self).__module__}.{type(self).__name__}({values})'

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        """Names of the fields; of their types only the class, enough for tools that iterate."""
        return {name: type(kind).__name__ for name, kind in cls.FIELDS.items()}

    def to_wire(self) -> Any:
        """The same message as rosbags' class."""
        values = {name: kind.to_wire(getattr(self, name)) for name, kind in self.FIELDS.items()}
        return typestore().types[self.STORE_NAME](**(values or {_EMPTY: 0}))

    @classmethod
    def from_wire(cls, wire: Any) -> Any:
        """A message of this class from rosbags' one."""
        return cls(**{n: kind.from_wire(getattr(wire, n)) for n, kind in cls.FIELDS.items()})


def to_cdr(message: Message) -> bytes:
    """Serialise, as on the wire."""
    return bytes(typestore().serialize_cdr(message.to_wire(), message.STORE_NAME))


def from_cdr(data: bytes, cls: type[Message]) -> Any:
    """A fresh message out of its serialised form."""
    return cls.from_wire(typestore().deserialize_cdr(data, cls.STORE_NAME))


@cache
def message_class(store_name: str) -> type[Message]:
    """The class of a message of the typestore."""
    package, _, name = store_name.split('/')
    constants, fields = typestore().fielddefs[store_name]
    kinds = {n: field_type(kind, message_class) for n, kind in fields if n != _EMPTY}
    body: dict[str, Any] = {n: _property(n, kind) for n, kind in kinds.items()}
    body |= {n: bytes([v]) if base == 'byte' else v for n, base, v in constants}
    body |= {
        '__slots__': tuple(f'_{n}' for n in kinds),
        '__module__': f'{package}.msg',
        'FIELDS': kinds,
        'STORE_NAME': store_name,
    }
    return type(name, (Message,), body)


def _property(name: str, kind: FieldType) -> property:
    slot = f'_{name}'

    def assign(message: Message, value: Any) -> None:
        try:
            setattr(message, slot, kind.check(value))
        except AssertionError as error:
            raise AssertionError(f"the '{name}' field {error}") from None

    return property(lambda message: getattr(message, slot), assign)


@cache
def interface(name: str) -> Any:
    """The class of `<package>/<kind>/<Name>`: a message, or what holds a service's or action's."""
    package, kind, base = name.split('/')

    def part(suffix: str) -> type[Message]:
        return message_class(f'{package}/msg/{base}_{suffix}')

    if kind == 'msg':
        return message_class(name)
    body: dict[str, Any] = {'__module__': f'{package}.{kind}', 'TYPE_NAME': name}
    if kind == 'srv':
        body |= {'Request': part('Request'), 'Response': part('Response')}
    else:
        body |= {suffix: part(suffix) for suffix in ('Goal', 'Result', 'Feedback')}
        service = {
            suffix: SimpleNamespace(
                TYPE_NAME=f'{name}_{suffix}',
                Request=part(f'{suffix}_Request'),
                Response=part(f'{suffix}_Response'),
            )
            for suffix in ('SendGoal', 'GetResult')
        }
        body['Impl'] = SimpleNamespace(
            SendGoalService=service['SendGoal'],
            GetResultService=service['GetResult'],
            CancelGoalService=interface('action_msgs/srv/CancelGoal'),
            FeedbackMessage=part('FeedbackMessage'),
        )
    return type(base, (), body)


def type_name(cls: Any) -> str:
    """`<package>/<kind>/<Name>` of an interface class."""
    return cls.TYPE_NAME if hasattr(cls, 'TYPE_NAME') else cls.STORE_NAME
