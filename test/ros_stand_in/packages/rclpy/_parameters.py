# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The parameters of a node: declared, checked against their descriptors, offered as services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, ParameterEvent, SetParametersResult
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters

from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from rclpy.parameter import Parameter

Callback = Callable[[list[Parameter]], Any]


class ParametersOfNode:
    """Mixed into Node."""

    def _init_parameters(self, overrides: Iterable[Parameter]) -> None:
        self._parameters: dict[str, Parameter] = {}
        self._descriptors: dict[str, Any] = {}
        self._overrides = {parameter.name: parameter for parameter in overrides}
        self._on_set: list[Callback] = []
        self._event_publisher = self.create_publisher(ParameterEvent, '/parameter_events', 1000)

    def _offer_parameters(self) -> None:
        self.create_service(SetParameters, '~/set_parameters', self._serve_set)
        self.create_service(GetParameters, '~/get_parameters', self._serve_get)
        self.create_service(DescribeParameters, '~/describe_parameters', self._serve_describe)
        self.create_service(ListParameters, '~/list_parameters', self._serve_list)

    def declare_parameter(
        self,
        name: str,
        value: Any,
        descriptor: Any = None,
        ignore_override: bool = False,
    ) -> Parameter:
        """Declare one; `value` is its default, or a Parameter.Type that an override must have."""
        if name in self._parameters:
            raise ParameterAlreadyDeclaredException(name)
        descriptor = descriptor or ParameterDescriptor()
        descriptor.name = name
        if isinstance(value, Parameter.Type):
            descriptor.type, value = value.value, None
        elif not descriptor.dynamic_typing:
            descriptor.type = Parameter.Type.from_parameter_value(value).value
            if value is None:
                raise ValueError('a statically typed parameter needs a default or a type')
        if not ignore_override and name in self._overrides:
            value = self._overrides[name].value
        parameter = Parameter(name, value=value)
        result = self._check([parameter], {name: descriptor})
        if not result.successful:
            if result.reason.startswith('Wrong parameter type'):
                raise InvalidParameterTypeException(result.reason)
            raise InvalidParameterValueException(result.reason)
        self._descriptors[name] = descriptor
        self._store([parameter])
        return parameter

    def undeclare_parameter(self, name: str) -> None:
        if self.describe_parameter(name).read_only:
            raise ParameterImmutableException(name)
        del self._parameters[name], self._descriptors[name]

    def has_parameter(self, name: str) -> bool:
        return name in self._parameters

    def get_parameter(self, name: str) -> Parameter:
        if name not in self._parameters:
            raise ParameterNotDeclaredException(name)
        parameter = self._parameters[name]
        if parameter.value is None and not self._descriptors[name].dynamic_typing:
            raise ParameterUninitializedException(name)
        return parameter

    def get_parameter_or(self, name: str, alternative_value: Parameter | None = None) -> Parameter:
        parameter = self._parameters.get(name)
        if parameter is None or parameter.value is None:
            return alternative_value or Parameter(name)
        return parameter

    def describe_parameter(self, name: str) -> Any:
        if name not in self._descriptors:
            raise ParameterNotDeclaredException(name)
        return self._descriptors[name]

    def set_parameters(self, parameter_list: Sequence[Parameter]) -> list[Any]:
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> Any:
        for parameter in parameter_list:
            descriptor = self.describe_parameter(parameter.name)
            if descriptor.read_only:
                return SetParametersResult(
                    successful=False,
                    reason=f'Trying to set a read-only parameter: {parameter.name}.',
                )
        result = self._check(parameter_list, self._descriptors)
        if result.successful:
            self._store(parameter_list)
        return result

    def add_on_set_parameters_callback(self, callback: Callback) -> None:
        self._on_set.insert(0, callback)

    def _check(self, parameters: list[Parameter], descriptors: dict[str, Any]) -> Any:
        for parameter in parameters:
            reason = _refusal(parameter, descriptors[parameter.name])
            if reason:
                return SetParametersResult(successful=False, reason=reason)
        for callback in self._on_set:
            result = callback(parameters)
            if not result.successful:
                return result
        return SetParametersResult(successful=True)

    def _store(self, parameters: list[Parameter]) -> None:
        event = ParameterEvent(
            node=self.get_fully_qualified_name(), stamp=self.get_clock().now().to_msg()
        )
        for parameter in parameters:
            known = parameter.name in self._parameters
            group = event.changed_parameters if known else event.new_parameters
            group.append(parameter.to_parameter_msg())
            self._parameters[parameter.name] = parameter
        self._event_publisher.publish(event)

    def _serve_set(self, request: Any, response: Any) -> Any:
        for message in request.parameters:
            try:
                result = self.set_parameters([Parameter.from_parameter_msg(message)])[0]
            except ParameterNotDeclaredException as error:
                result = SetParametersResult(successful=False, reason=str(error))
            response.results.append(result)
        return response

    def _serve_get(self, request: Any, response: Any) -> Any:
        known = [name for name in request.names if name in self._parameters]
        response.values = [self._parameters[name].get_parameter_value() for name in known]
        return response

    def _serve_describe(self, request: Any, response: Any) -> Any:
        response.descriptors = [self.describe_parameter(name) for name in request.names]
        return response

    def _serve_list(self, request: Any, response: Any) -> Any:
        response.result.names = list(self._parameters)
        return response


def _refusal(parameter: Parameter, descriptor: Any) -> str:
    """Why a value does not fit its descriptor; empty when it does."""
    kind, value = parameter.type_, parameter.value
    if kind is Parameter.Type.NOT_SET:
        return ''
    if not descriptor.dynamic_typing and kind.value != descriptor.type:
        wanted = Parameter.Type(descriptor.type)
        return f"Wrong parameter type, expected '{wanted}' got '{kind}'"
    ranges = {
        Parameter.Type.INTEGER: descriptor.integer_range,
        Parameter.Type.DOUBLE: descriptor.floating_point_range,
    }.get(kind)
    if ranges and not ranges[0].from_value <= value <= ranges[0].to_value:
        return (
            f'Parameter {parameter.name} out of range. Min: {ranges[0].from_value}, '
            f'Max: {ranges[0].to_value}, value: {value}'
        )
    return ''
