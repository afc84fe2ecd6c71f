# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""One table of parameters a node: declared, described, checked and documented from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.parameter import Parameter as RosParameter

from loc3r_ros.errors import InputError
from loc3r_ros.ros.params_file import file_warnings

Value = bool | int | float | str | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Parameter:
    """One row of a node's table. The type is that of the default.

    Attributes:
        name: snake_case, with its unit as suffix (`tolerance_s`).
        default: bool, int, float, str, or a tuple of str or of float; an empty tuple is of str.
        description: one sentence for `ros2 param describe` and the documentation.
        range: lowest and highest value of a number, both allowed.
        choices: the allowed values of a string.
        live: may change while the node is configured; others are read at `configure`.
    """

    name: str
    default: Value
    description: str
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    @property
    def type(self) -> RosParameter.Type:
        """The type in rclpy's terms."""
        if isinstance(self.default, tuple):
            is_text = not self.default or isinstance(self.default[0], str)
            return RosParameter.Type.STRING_ARRAY if is_text else RosParameter.Type.DOUBLE_ARRAY
        return _TYPES[type(self.default)]

    @property
    def allowed(self) -> str:
        """The range or the choices in words; empty where everything goes."""
        if self.choices:
            return ' | '.join(choice or "''" for choice in self.choices)
        return f'{self.range[0]:g} to {self.range[1]:g}' if self.range else ''

    def refusal(self, value: Value) -> str:
        """Why a value of the right type cannot be taken; empty when it can."""
        if self.choices and value not in self.choices:
            return f'{self.name} is {value!r}; allowed: {self.allowed}'
        if self.range is None:
            return ''
        low, high = self.range
        numbers: Iterable[Any] = value if isinstance(value, tuple) else (value,)
        if all(low <= number <= high for number in numbers):  # false for NaN
            return ''
        return f'{self.name} is {_text(value)}; allowed: {self.allowed}'

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows."""
        descriptor = ParameterDescriptor(name=self.name, description=self.description)
        rules = [f'one of {self.allowed}'] if self.choices else []
        if not self.live:
            rules.append(READ_ONLY)
        descriptor.additional_constraints = '; '.join(rules)
        if self.range and self.type is RosParameter.Type.INTEGER:
            first, last = (int(end) for end in self.range)
            descriptor.integer_range = [IntegerRange(from_value=first, to_value=last, step=0)]
        elif self.range:
            low, high = (float(end) for end in self.range)
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=low, to_value=high, step=0.0)
            ]
        return descriptor


READ_ONLY = 'read-only while configured: set it at start, or while the node is unconfigured'

_TYPES = {
    bool: RosParameter.Type.BOOL,
    int: RosParameter.Type.INTEGER,
    float: RosParameter.Type.DOUBLE,
    str: RosParameter.Type.STRING,
}

Table = Sequence[Parameter]


class Settings(Mapping[str, Any]):
    """The current values of a node's parameters: `settings['map_frame']`.

    Attributes:
        locked: only live parameters may change; set while the node is configured.
    """

    def __init__(self, node: Any, table: Table) -> None:
        self.table = {parameter.name: parameter for parameter in table}
        self.locked = False
        self._node = node
        for parameter in table:
            _declare(node, parameter)
        node.add_on_set_parameters_callback(self._check)

    def __getitem__(self, name: str) -> Any:
        is_array = isinstance(self.table[name].default, tuple)
        value = self._node.get_parameter(name).value
        return tuple(value) if is_array else value

    def __iter__(self) -> Any:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)

    def changed(self) -> dict[str, Any]:
        """The values that differ from their defaults."""
        return {name: self[name] for name in self if self[name] != self.table[name].default}

    def _check(self, changes: Sequence[RosParameter]) -> SetParametersResult:
        for change in changes:
            parameter = self.table.get(change.name)
            if parameter is None:
                continue
            if self.locked and not parameter.live:
                return SetParametersResult(successful=False, reason=f'{change.name} is {READ_ONLY}')
            if reason := parameter.refusal(_plain(change.value)):
                return SetParametersResult(successful=False, reason=reason)
        return SetParametersResult(successful=True)


def declare(node: Any, table: Table) -> Settings:
    """Declare a table on a node; log what differs from the defaults, and what does not apply.

    Raises:
        InputError: a value given at start is of the wrong type or not allowed.
    """
    settings = Settings(node, table)
    changed = settings.changed()
    if changed:
        listed = ', '.join(f'{name}={_text(value)}' for name, value in changed.items())
        node.get_logger().info(f'parameters that differ from their defaults: {listed}')
    declared = [*settings, 'use_sim_time']
    for warning in file_warnings(node.get_fully_qualified_name(), declared):
        node.get_logger().warning(warning)
    return settings


def _declare(node: Any, parameter: Parameter) -> None:
    """Declare one parameter, with what was given at start."""
    name, descriptor = parameter.name, parameter.descriptor()
    default = parameter.default
    try:
        if default == ():
            # rclpy would take an empty list for bytes; so the type first, then the value.
            node.declare_parameter(name, parameter.type, descriptor)
            if node.get_parameter_or(name).value is None:
                node.set_parameters([RosParameter(name, parameter.type, [])])
        else:
            value = list(default) if isinstance(default, tuple) else default
            node.declare_parameter(name, value, descriptor)
    except InvalidParameterTypeException:
        node.declare_parameter(name, _converted(node, parameter), descriptor, ignore_override=True)
    except InvalidParameterValueException as error:
        raise InputError(str(error)) from None
    if reason := parameter.refusal(_plain(node.get_parameter(name).value)):
        raise InputError(f'parameter {reason}')


def _converted(node: Any, parameter: Parameter) -> Any:
    """An override of another type: whole numbers where fractions are meant are fine."""
    any_type = ParameterDescriptor(dynamic_typing=True)
    given = node.declare_parameter(parameter.name, None, any_type).value
    node.undeclare_parameter(parameter.name)
    if parameter.type is RosParameter.Type.DOUBLE and type(given) is int:
        return float(given)
    if parameter.type is RosParameter.Type.DOUBLE_ARRAY and all(type(v) is int for v in given):
        return [float(v) for v in given]
    raise InputError(f'parameter {parameter.name} is {given!r}; it takes {_type_name(parameter)}')


def markdown(table: Table) -> str:
    """The table for the documentation."""
    rows = ['| parameter | type | default | allowed | live | what |', '|---|---|---|---|---|---|']
    for parameter in table:
        cells = (
            f'`{parameter.name}`',
            _type_name(parameter),
            f'`{_text(parameter.default)}`',
            parameter.allowed.replace('|', '\\|'),
            'yes' if parameter.live else '',
            parameter.description.replace('|', '\\|'),
        )
        rows.append(f'| {" | ".join(cells)} |')
    return '\n'.join(rows) + '\n'


def yaml(node_name: str, table: Table) -> str:
    """A parameter file that holds the defaults, for the node of this name in any namespace."""
    lines = [f'/**/{node_name}:', '  ros__parameters:']
    for parameter in table:
        note = f' ({parameter.allowed})' if parameter.allowed else ''
        lines += [f'    # {parameter.description}{note}']
        lines += [f'    {parameter.name}: {_text(parameter.default)}']
    return '\n'.join(lines) + '\n'


def _plain(value: Any) -> Value:
    return value if isinstance(value, (bool, int, float, str)) else tuple(value)


def _text(value: Value) -> str:
    """A value as YAML reads it back, with its type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, tuple):
        return f'[{", ".join(_text(v) for v in value)}]'
    return repr(value)


def _type_name(parameter: Parameter) -> str:
    return parameter.type.name.lower().replace('_array', '[]')
