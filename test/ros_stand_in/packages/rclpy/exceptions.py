# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The exceptions that the stand-in raises as rclpy does."""


class NotInitializedException(Exception): ...  # noqa: N818


class NameValidationException(Exception): ...  # noqa: N818


class InvalidNodeNameException(NameValidationException): ...


class InvalidNamespaceException(NameValidationException): ...


class InvalidTopicNameException(NameValidationException): ...


class InvalidServiceNameException(NameValidationException): ...


class ParameterException(Exception): ...  # noqa: N818


class ParameterNotDeclaredException(ParameterException): ...


class ParameterAlreadyDeclaredException(ParameterException): ...


class ParameterUninitializedException(ParameterException): ...


class ParameterImmutableException(ParameterException): ...


class InvalidParameterTypeException(ParameterException): ...


class InvalidParameterValueException(ParameterException): ...
