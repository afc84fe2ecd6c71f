# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Parameters: a name, a type and a value."""

from __future__ import annotations

import array
from enum import Enum
from typing import Any

from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType, ParameterValue

_ITEMS = {
    'BYTE_ARRAY': bytes,
    'BOOL_ARRAY': bool,
    'INTEGER_ARRAY': int,
    'DOUBLE_ARRAY': float,
    'STRING_ARRAY': str,
}
_SINGLES = {'BOOL': bool, 'INTEGER': int, 'DOUBLE': float, 'STRING': str}
_FIELDS = {
    'BOOL': 'bool_value', 'INTEGER': 'integer_value', 'DOUBLE': 'double_value',
    'STRING': 'string_value', 'BYTE_ARRAY': 'byte_array_value', 'BOOL_ARRAY': 'bool_array_value',
    'INTEGER_ARRAY': 'integer_array_value', 'DOUBLE_ARRAY': 'double_array_value',
    'STRING_ARRAY': 'string_array_value',
}  # fmt: skip


class Parameter:
    """One parameter with its value."""

    class Type(Enum):
        """Types; the values are those of rcl_interfaces/ParameterType."""

        NOT_SET = ParameterType.PARAMETER_NOT_SET
        BOOL = ParameterType.PARAMETER_BOOL
        INTEGER = ParameterType.PARAMETER_INTEGER
        DOUBLE = ParameterType.PARAMETER_DOUBLE
        STRING = ParameterType.PARAMETER_STRING
        BYTE_ARRAY = ParameterType.PARAMETER_BYTE_ARRAY
        BOOL_ARRAY = ParameterType.PARAMETER_BOOL_ARRAY
        INTEGER_ARRAY = ParameterType.PARAMETER_INTEGER_ARRAY
        DOUBLE_ARRAY = ParameterType.PARAMETER_DOUBLE_ARRAY
        STRING_ARRAY = ParameterType.PARAMETER_STRING_ARRAY

        @classmethod
        def from_parameter_value(cls, parameter_value: Any) -> Parameter.Type:
            if parameter_value is None:
                return cls.NOT_SET
            for name, kind in _SINGLES.items():  # bool before int, which it is too
                if isinstance(parameter_value, kind):
                    return cls[name]
            if isinstance(parameter_value, list | tuple | array.array):
                for name, kind in _ITEMS.items():  # an empty one is a BYTE_ARRAY, as in rclpy
                    if all(isinstance(v, kind) for v in parameter_value):
                        return cls[name]
            raise TypeError(f'{parameter_value!r} is of no type that a parameter may have')

        def check(self, parameter_value: Any) -> bool:
            if self is Parameter.Type.NOT_SET:
                return parameter_value is None
            if self.name in _SINGLES:
                return isinstance(parameter_value, _SINGLES[self.name])
            return isinstance(parameter_value, list | tuple | array.array) and all(
                isinstance(v, _ITEMS[self.name]) for v in parameter_value
            )

    def __init__(self, name: str, type_: Parameter.Type | None = None, value: Any = None) -> None:
        if type_ is None:
            type_ = Parameter.Type.from_parameter_value(value)
        if not isinstance(type_, Parameter.Type):
            raise TypeError(f'type must be an instance of {Parameter.Type!r}')
        if not type_.check(value):
            raise ValueError(f"Type '{type_}' and value '{value}' do not agree")
        self.name = name
        self.type_ = type_
        self.value = value

    def get_parameter_value(self) -> Any:
        message = ParameterValue(type=self.type_.value)
        if self.type_ is not Parameter.Type.NOT_SET:
            setattr(message, _FIELDS[self.type_.name], self.value)
        return message

    def to_parameter_msg(self) -> Any:
        return ParameterMsg(name=self.name, value=self.get_parameter_value())

    @classmethod
    def from_parameter_msg(cls, param_msg: Any) -> Parameter:
        type_ = cls.Type(param_msg.value.type)
        if type_ is cls.Type.NOT_SET:
            return cls(param_msg.name, type_)
        return cls(param_msg.name, type_, getattr(param_msg.value, _FIELDS[type_.name]))
